"""Stretches of a FASTA file, one-hot."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyfaidx
import torch
from tangermeme.io import extract_loci

Fasta: TypeAlias = str | os.PathLike[str] | pyfaidx.Fasta

_UNKNOWN = list("NRYSWKMBDHVUX-")  # the other codes of IUPAC, a masked base and a gap


def chrom_sizes(fasta: Fasta) -> dict[str, int]:
    """The length of each chromosome of a FASTA file in bp, in its order.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/genome.fa", "w") as file:
    ...         _ = file.write(">chr1\\nAACC\\nGG\\n>chr2 second\\nA\\n")
    ...     chrom_sizes(file.name)
    {'chr1': 6, 'chr2': 1}
    """
    with opened(fasta) as (file, _):
        return {name: len(file[name]) for name in file.keys()}  # noqa: SIM118 (a Fasta yields records)


@contextlib.contextmanager
def opened(fasta: Fasta) -> Iterator[tuple[pyfaidx.Fasta, str]]:
    """A FASTA file, opened if it is not yet, and its name for errors.

    Raises
    ------
    ValueError
        If it is none, or cannot be indexed; no index is left behind.
    """
    if isinstance(fasta, pyfaidx.Fasta):
        yield fasta, os.path.basename(fasta.filename)
        return
    path = os.fspath(fasta)
    if not os.path.isfile(path):
        raise ValueError(f"fasta must be a file; got {path}.")
    index, advice = Path(f"{path}.fai"), ""
    indexed = index.exists()
    try:
        file = pyfaidx.Fasta(path, as_raw=True)
    except (pyfaidx.FastaIndexingError, ValueError, OSError, ImportError) as error:
        if not indexed:
            index.unlink(missing_ok=True)  # pyfaidx leaves that of a file with a name twice behind
        with open(path, "rb") as begin:
            if begin.read(2) == b"\x1f\x8b":
                advice = " It is compressed: decompress it (gunzip)."
        raise ValueError(
            "fasta must be an indexed FASTA file, or one that can be indexed in its folder (samtools faidx does it "
            f"too); got {path}: {str(error).rstrip('.')}.{advice}"
        ) from error
    with file:
        yield file, os.path.basename(path)


def read_stretches(fasta: Fasta, chroms: Sequence[str], starts: Sequence[int], width: int) -> torch.Tensor:
    """Stretches of one width that lie on their chromosomes, as they stand there, shape (N, 4, width), int8.

    Raises
    ------
    ValueError
        If there is something else than bases, or the file is shorter than its index says; the message names the place.
    """
    middle = np.asarray(starts, dtype=np.int64) + width // 2  # what `extract_loci` centres on
    bed = pd.DataFrame({"chrom": list(chroms), "start": middle, "end": middle + 1})
    try:
        X = extract_loci(bed, fasta, in_window=width, ignore=_UNKNOWN)
    except (ValueError, pyfaidx.FetchError) as error:
        _refuse(fasta, chroms, starts, width)
        raise ValueError(f"windows must be readable; got {fasta}: {error}") from error
    if X.shape[-1] != width:
        _refuse(fasta, chroms, starts, width)
    return X


def _refuse(fasta: Fasta, chroms: Sequence[str], starts: Sequence[int], width: int) -> None:
    """Name the first place where there is no base, or where the file ends too early."""
    with opened(fasta) as (file, name):
        for chrom, start in zip(chroms, starts):
            text = str(file[chrom][start : start + width])
            strange = [k for k, letter in enumerate(text) if letter.upper() not in {*"ACGT", *_UNKNOWN}]
            if strange:
                place = f"{chrom}:{start + strange[0]}"
                raise ValueError(f"a FASTA file must hold bases; got {text[strange[0]]!r} at {place} of {name}.")
            if len(text) < width:
                raise ValueError(
                    f"a FASTA file must fit its index; got {name}, which ends within {chrom}:{start}-{start + width}: "
                    "delete its .fai, to index it again."
                )
