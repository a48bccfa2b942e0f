"""One-hot windows of a FASTA file around TSSs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from tangermeme.utils import PackedSequence
from tqdm import trange

from ...support import check_columns, warn
from ..edits import join_packed, pack
from ..spans import check_count
from ..tiles import spans_to_genome
from .chroms import known_chroms
from .fasta import Fasta, opened, read_stretches

_CHUNK_BASES = 2**24  # what is read at a time where windows are packed, padded or counted


class Window(NamedTuple):
    """Where a window starts, which may be off its chromosome, of what length that is, and its strand."""

    chrom: str
    start: int
    size: int
    strand: str


def extract_windows(
    fasta: Fasta, loci: pd.DataFrame, length: int, *, packed: bool = False, verbose: bool = False
) -> torch.Tensor | PackedSequence:
    """Read the window around each TSS, one-hot.

    The TSS is at ``length // 2`` on both strands, and windows of '-' are reverse-complemented. Lower case is read as
    upper case; N, other codes of IUPAC and what lies off the ends of a chromosome are unknown bases, all-zero columns.
    Costs no forward pass. Where all windows do not fit into memory, `stream_windows` gives some at a time.

    Departures from tangermeme's `extract_loci`: it leaves out windows that run off a chromosome, knows no strand, and
    refuses codes of IUPAC that are not named.

    Parameters
    ----------
    fasta: path or pyfaidx.Fasta
        Indexed with ``samtools faidx``, or it will be by pyfaidx, beside the file. What is given open stays open.

    loci: pandas.DataFrame, N rows
        `chrom`, `tss` (0-based base) and `strand`. "chr1" and "1" are one.

    length: int
        In bp.

    packed: bool, optional
        Whether to return a `PackedSequence`, a sixteenth of the size. Default is False.

    verbose: bool, optional
        Whether to show a progress bar. Default is False.

    Returns
    -------
    X: torch.Tensor, shape=(N, 4, length), dtype=int8, or PackedSequence
        In the order of `loci`. A warning counts windows that were padded.

    Raises
    ------
    ValueError
        If a column is missing, a row is no locus, a chromosome is not in the file, a TSS lies past its end, or the file
        has something else than bases or does not fit its index; the message names the file and the row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/genome.fa", "w") as file:
    ...         _ = file.write(">chr1\\nAACCGGTTAC\\n")
    ...     loci = pd.DataFrame({"chrom": "1", "tss": [5, 5], "strand": ["+", "-"]})
    ...     X = extract_windows(f"{folder}/genome.fa", loci, 4)
    >>> ["".join("ACGT"[i] for i in x.argmax(0)) for x in X]   # of GGTT on '-'
    ['CGGT', 'AACC']
    """
    plan = _plan(fasta, loci, length)
    if not (packed or verbose) and all(window.size >= length for window in plan):
        return _read(fasta, plan, length)
    step = max(1, _CHUNK_BASES // length)
    X = torch.empty((0 if packed else len(plan), 4, length), dtype=torch.int8)
    parts = []
    for i in trange(0, len(plan), step, desc=f"windows, {step} at a time", disable=not verbose):
        some = _read(fasta, plan[i : i + step], length)
        if packed:
            parts.append(pack(some))
        else:
            X[i : i + step] = some
    return join_packed(parts) if packed else X


def stream_windows(
    fasta: Fasta, loci: pd.DataFrame, length: int, *, batch_size: int = 32, packed: bool = False, verbose: bool = False
) -> Iterator[tuple[pd.DataFrame, torch.Tensor | PackedSequence]]:
    """As `extract_windows`, a batch at a time, for more windows than fit into memory.

    Loci are checked at once; windows are read when they are asked for, small batches together, so that no more than a
    batch, or some 17 million bases, are in memory.

    Parameters
    ----------
    fasta, loci, length, packed, verbose
        As in `extract_windows`.

    batch_size: int, optional
        Windows at a time. Default is 32.

    Returns
    -------
    batches: iterator of (loci, X)
        Rows of `loci`, and their windows, shape (up to batch_size, 4, length).

    Raises
    ------
    ValueError
        As `extract_windows`, or if batch_size is below 1.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/genome.fa", "w") as file:
    ...         _ = file.write(">chr1\\nAACCGGTTAC\\n")
    ...     loci = pd.DataFrame({"chrom": "chr1", "tss": [4, 5, 6], "strand": "+"})
    ...     [(list(some["tss"]), tuple(X.shape)) for some, X in stream_windows(file.name, loci, 4, batch_size=2)]
    [([4, 5], (2, 4, 4)), ([6], (1, 4, 4))]
    """
    check_count("batch_size", batch_size)
    plan = _plan(fasta, loci, length)

    step = batch_size * max(1, _CHUNK_BASES // length // batch_size)  # small batches are read together

    def batches() -> Iterator[tuple[pd.DataFrame, torch.Tensor | PackedSequence]]:
        for i in trange(0, len(plan), step, desc=f"windows, {step} at a time", disable=not verbose):
            read = _read(fasta, plan[i : i + step], length)
            for k, X in enumerate(read.split(batch_size)):
                first = i + k * batch_size
                yield loci.iloc[first : first + batch_size], pack(X) if packed else X

    return batches()


def check_loci(loci: pd.DataFrame, name: str = "loci") -> None:
    """Refuse a table that lacks `chrom`, `tss` or `strand`, or has a row that is no locus.

    Raises
    ------
    ValueError
        The message gives the row and the value.

    Examples
    --------
    >>> check_loci(pd.DataFrame({"chrom": ["chr1"], "tss": [5], "strand": ["+"]}))
    """
    if not isinstance(loci, pd.DataFrame):
        raise ValueError(f"{name} must be a pandas.DataFrame; got {type(loci).__name__}.")
    check_columns(loci, ["chrom", "tss", "strand"], name)
    tss = pd.to_numeric(loci["tss"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    rules = (
        ("tss", "a whole number of bp, 0 or more", ~((tss >= 0) & (tss < 2**32) & (tss == np.floor(tss)))),
        ("strand", "'+' or '-'", ~loci["strand"].isin(["+", "-"]).to_numpy()),
        ("chrom", "a name", loci["chrom"].isna().to_numpy()),
    )
    for column, rule, bad in rules:
        if bad.any():
            i = int(bad.argmax())
            raise ValueError(f"{column} of {name} must be {rule}; got {loci[column].tolist()[i]!r} at row {i}.")


def tss_of(loci: pd.DataFrame) -> np.ndarray:
    """Column `tss` of checked loci as int64, of whatever kind it is."""
    return pd.to_numeric(loci["tss"]).to_numpy(dtype=np.int64)


def _plan(fasta: Fasta, loci: pd.DataFrame, length: int) -> list[Window]:
    check_count("length", length)
    check_loci(loci)
    if not len(loci):
        raise ValueError("loci must have at least one row; got none.")
    chroms, strands = [str(chrom) for chrom in loci["chrom"]], list(loci["strand"])
    with opened(fasta) as (file, name):
        known = known_chroms(chroms, file.keys(), name)
        sizes = {chrom: len(file[chrom]) for chrom in set(known.values())}
    tss = tss_of(loci)
    starts, ends = spans_to_genome(
        np.zeros_like(tss), np.full_like(tss, length), tss=tss, strand=strands, length=length
    )
    plan, padded = [], 0
    for i, (chrom, position, strand, start, end) in enumerate(
        zip(chroms, tss.tolist(), strands, starts.tolist(), ends.tolist())
    ):
        size = sizes[known[chrom]]
        if position >= size:
            raise ValueError(
                f"a TSS must lie on its chromosome, {known[chrom]} of {size} bp in {name}; got {position} at row {i}: "
                "is it another assembly?"
            )
        plan.append(Window(known[chrom], start, size, strand))
        padded += start < 0 or end > size
    if padded:
        warn(f"{padded} of {len(plan)} windows of {length} bp run off their chromosome and are padded with N.")
    return plan


def _read(fasta: Fasta, plan: list[Window], length: int) -> torch.Tensor:
    whole = [i for i, window in enumerate(plan) if window.size >= length]
    if len(whole) == len(plan):
        X = _nearest(fasta, plan, length)
    else:  # on a chromosome that is shorter than a window
        X = torch.zeros((len(plan), 4, length), dtype=torch.int8)
        if whole:
            X[whole] = _nearest(fasta, [plan[i] for i in whole], length)
        for i in set(range(len(plan))).difference(whole):
            X[i, :, : plan[i].size] = _nearest(fasta, [plan[i]], plan[i].size)[0]
    for row, window in zip(X, plan):
        _shift(row, window.start - _start(window, length))
        if window.strand == "-":
            row[:] = row.flip(0, 1)
    return X


def _shift(row: torch.Tensor, bp: int) -> None:
    """Move a sequence, shape (4, L), to the left, or to the right if `bp` is below 0; unknown bases follow."""
    if bp:
        row[:] = row.roll(-bp, 1)
        row[:, max(0, len(row[0]) - bp) :] = 0
        row[:, : max(0, -bp)] = 0


def _start(window: Window, width: int) -> int:
    """Where the stretch of its chromosome starts that has this width and is nearest to a window."""
    return max(0, min(window.start, window.size - width))


def _nearest(fasta: Fasta, plan: list[Window], width: int) -> torch.Tensor:
    starts = [_start(window, width) for window in plan]
    return read_stretches(fasta, [window.chrom for window in plan], starts, width)
