"""Open FASTA files and read stretches of them, one-hot."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyfaidx
import torch
from tangermeme.io import extract_loci

from ...support import shown, warn
from ._fasta_index import index_fits, line_not_to_index
from .letters import OTHER_CODES, one_hot_letters

Fasta: TypeAlias = str | os.PathLike[str] | pyfaidx.Fasta


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
    """Open a FASTA file as `opened_fasta`, unless it is open already, and yield it with its name for errors."""
    if isinstance(fasta, pyfaidx.Fasta):
        yield fasta, os.path.basename(fasta.filename)
        return
    with opened_fasta(fasta) as file:
        yield file, os.path.basename(os.fspath(fasta))


def opened_fasta(fasta: str | os.PathLike[str]) -> pyfaidx.Fasta:
    """Open a FASTA file with an index that fits it, and return it open.

    An index that does not fit, whichever file is newer, is built again with a warning.

    Raises
    ------
    ValueError
        If the file is not a FASTA file or cannot be indexed; no index is left behind. If an index does not fit and
        cannot be replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/genome.fa", "w") as file:
    ...         _ = file.write(">chr1\\nAACC\\nGG\\n")
    ...     with opened_fasta(file.name) as fasta:
    ...         str(fasta["chr1"][2:6])
    'CCGG'
    """
    path = os.fspath(fasta)
    if not os.path.isfile(path):
        raise ValueError(f"fasta must be a file; got {shown(path)}.")
    index, advice = Path(f"{path}.fai"), ""
    compressed = path.lower().endswith((".gz", ".bgz"))  # pyfaidx reads them through Biopython, or refuses them
    if index.exists() and not compressed and not index_fits(path, index):
        try:
            index.unlink(missing_ok=True)
        except OSError as error:
            raise ValueError(
                f"a FASTA file must fit its index; got {path}, which {index.name} does not fit: delete {index.name} to "
                "index the file again."
            ) from error
        warn(f"the index of {path} does not fit the file, and is built again.")
    indexed = index.exists()
    may_write = os.access(index.parent, os.W_OK)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the file is newer than its index, which fits it
            file = pyfaidx.Fasta(path, as_raw=True, rebuild=may_write)
        if indexed or compressed or index_fits(path, index) or line_not_to_index(path) is None:
            return file
        file.close()
        raise ValueError("Line length of fasta file is not consistent")  # pyfaidx lets a last line be longer
    except (pyfaidx.FastaIndexingError, ValueError, OSError, ImportError, RuntimeError) as error:
        if not indexed and may_write:
            index.unlink(missing_ok=True)  # pyfaidx leaves an index behind if the file has a name twice
        with open(path, "rb") as start:
            is_gzip = start.read(2) == b"\x1f\x8b"
        if is_gzip:
            advice = " The file is compressed: decompress it (gunzip)."
        elif (line := line_not_to_index(path)) is not None:
            advice = f" Line {line} does not have the length of the lines before it, or is blank."
        reason = "its lines are not regular" if isinstance(error, RuntimeError) else str(error)[:300].rstrip(".")
        raise ValueError(
            "fasta must be an indexed FASTA file, or one that can be indexed in its folder (samtools faidx also "
            f"indexes); got {path}: {reason or type(error).__name__}.{advice}"
        ) from error


def read_stretches(fasta: Fasta, chroms: Sequence[str], starts: Sequence[int], width: int) -> tuple[torch.Tensor, int]:
    """Read stretches of one width from a FASTA file, one-hot, and count the U among their letters, which become T.

    Raises
    ------
    ValueError
        If the file holds letters that are not IUPAC codes, or ends within a stretch; the message names the place.
    """
    middle = np.asarray(starts, dtype=np.int64) + width // 2  # `extract_loci` centres on it
    bed = pd.DataFrame({"chrom": list(chroms), "start": middle, "end": middle + 1})
    try:
        X = extract_loci(bed, fasta, in_window=width, ignore=list(OTHER_CODES))
        if X.shape[-1] == width:
            return X, 0
    except (ValueError, OSError, pyfaidx.FetchError):
        pass  # a letter that `extract_loci` does not know, or an index that it cannot write: read by letters
    return _read_letters(fasta, chroms, starts, width)


def _read_letters(fasta: Fasta, chroms: Sequence[str], starts: Sequence[int], width: int) -> tuple[torch.Tensor, int]:
    rows, n_uracil = [], 0
    with open_fasta(fasta) as (file, name):
        for chrom, start in zip(chroms, starts):
            try:
                text = str(file[chrom][start : start + width])
            except (ValueError, pyfaidx.FetchError) as error:
                raise ValueError(f"windows must be readable; got {chrom}:{start} of {name}: {error}") from error
            X, n = one_hot_letters(text, chrom, name, start)
            if X.shape[1] != width:
                raise ValueError(
                    f"a FASTA file must fit its index; got {name}, which ends within {chrom}:{start}-{start + width}: "
                    "delete its .fai to index the file again."
                )
            rows.append(torch.from_numpy(X))
            n_uracil += n
    return torch.stack(rows), n_uracil
