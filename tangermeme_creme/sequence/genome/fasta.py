"""Open FASTA files and read stretches of them, one-hot."""

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

_UNKNOWN = list("NRYSWKMBDHVUX-")  # the other IUPAC codes, a masked base and a gap


def chrom_sizes(fasta: Fasta) -> dict[str, int]:
    """Read the length of each chromosome of a FASTA file in bp, in the order of the file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/genome.fa", "w") as file:
    ...         _ = file.write(">chr1\\nAACC\\nGG\\n>chr2 second\\nA\\n")
    ...     chrom_sizes(file.name)
    {'chr1': 6, 'chr2': 1}
    """
    with open_fasta(fasta) as (file, _):
        return {name: len(file[name]) for name in file.keys()}  # noqa: SIM118 (a Fasta yields records)


@contextlib.contextmanager
def open_fasta(fasta: Fasta) -> Iterator[tuple[pyfaidx.Fasta, str]]:
    """Open a FASTA file, unless it is open already, and yield it with its name for errors.

    Raises
    ------
    ValueError
        If the file is not a FASTA file or cannot be indexed; no index is left behind.
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
            index.unlink(missing_ok=True)  # pyfaidx leaves an index behind if the file has a name twice
        with open(path, "rb") as start:
            if start.read(2) == b"\x1f\x8b":
                advice = " The file is compressed: decompress it (gunzip)."
        raise ValueError(
            "fasta must be an indexed FASTA file, or one that can be indexed in its folder (samtools faidx also "
            f"indexes); got {path}: {str(error).rstrip('.')}.{advice}"
        ) from error
    with file:
        yield file, os.path.basename(path)


def read_stretches(fasta: Fasta, chroms: Sequence[str], starts: Sequence[int], width: int) -> torch.Tensor:
    """Read the forward strand of stretches of one width that lie on their chromosomes: shape (N, 4, width), int8.

    Raises
    ------
    ValueError
        If a character is not a base, or the file is shorter than its index says; the message names the place.
    """
    middle = np.asarray(starts, dtype=np.int64) + width // 2  # `extract_loci` centres on it
    bed = pd.DataFrame({"chrom": list(chroms), "start": middle, "end": middle + 1})
    try:
        X = extract_loci(bed, fasta, in_window=width, ignore=_UNKNOWN)
    except (ValueError, pyfaidx.FetchError) as error:
        _refuse_stretches(fasta, chroms, starts, width)
        raise ValueError(f"windows must be readable; got {fasta}: {error}") from error
    if X.shape[-1] != width:
        _refuse_stretches(fasta, chroms, starts, width)
    return X


def _refuse_stretches(fasta: Fasta, chroms: Sequence[str], starts: Sequence[int], width: int) -> None:
    """Raise an error that names the first character that is not a base, or the first stretch that ends too early."""
    with open_fasta(fasta) as (file, name):
        for chrom, start in zip(chroms, starts):
            text = str(file[chrom][start : start + width])
            bad = [k for k, letter in enumerate(text) if letter.upper() not in {*"ACGT", *_UNKNOWN}]
            if bad:
                place = f"{chrom}:{start + bad[0]}"
                raise ValueError(f"a FASTA file must hold bases; got {text[bad[0]]!r} at {place} of {name}.")
            if len(text) < width:
                raise ValueError(
                    f"a FASTA file must fit its index; got {name}, which ends within {chrom}:{start}-{start + width}: "
                    "delete its .fai to index the file again."
                )
