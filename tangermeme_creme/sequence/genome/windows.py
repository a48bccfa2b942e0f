"""Read one-hot windows around TSSs from a FASTA file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from tangermeme.utils import PackedSequence
from tqdm import trange

from ...support import warn
from ..counts import check_count
from ..edits import join_packed, pack
from ..tiles import spans_to_genome
from .chroms import known_chroms
from .fasta import Fasta, open_fasta, read_stretches
from .loci import check_loci, tss_positions

_READ_BASES = 2**24  # bases per read where windows are packed, padded or streamed


class LocusWindow(NamedTuple):
    """Hold the place of a window: the start, which may lie off the chromosome, and the size of the chromosome."""

    chrom: str
    start: int
    size: int
    strand: str


def extract_windows(
    fasta: Fasta,
    loci: pd.DataFrame,
    length: int,
    *,
    center: int | None = None,
    packed: bool = False,
    verbose: bool = False,
) -> torch.Tensor | PackedSequence:
    """Read the window around each TSS, one-hot.

    The TSS is at `center` on both strands, and windows of the '-' strand are reverse-complemented. Lower case
    is read as upper case. N, other IUPAC codes and positions off the ends of a chromosome become unknown bases,
    all-zero columns. Costs no forward pass. If the windows do not fit into memory, use `stream_windows`.

    Departures from tangermeme's `extract_loci`: `extract_loci` leaves out windows that run off a chromosome, ignores
    strands, and refuses IUPAC codes that are not listed in its `ignore` argument.

    Parameters
    ----------
    fasta: path or pyfaidx.Fasta
        Indexed with ``samtools faidx``; without an index pyfaidx writes one beside the file. An open Fasta stays open.

    loci: pandas.DataFrame, N rows
        `chrom`, `tss` (0-based base) and `strand`. "chr1" and "1" name the same chromosome.

    length: int
        Length of a window in bp.

    center: int or None, optional
        The TSS in bp of the windows. None is ``length // 2``. Default is None.

    packed: bool, optional
        Whether to return a `PackedSequence`, which needs a sixteenth of the memory. Default is False.

    verbose: bool, optional
        Whether to show a progress bar. Default is False.

    Returns
    -------
    X: torch.Tensor, shape=(N, 4, length), dtype=int8, or PackedSequence
        In the order of `loci`. A warning gives the number of padded windows.

    Raises
    ------
    ValueError
        If a column is missing, a row has no valid TSS, a chromosome is not in the file, a TSS lies past the end of its
        chromosome, or the file holds characters that are not bases or does not fit its index; the message names the
        file and the row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/genome.fa", "w") as file:
    ...         _ = file.write(">chr1\\nAACCGGTTAC\\n")
    ...     loci = pd.DataFrame({"chrom": "1", "tss": [5, 5], "strand": ["+", "-"]})
    ...     X = extract_windows(f"{folder}/genome.fa", loci, 4)
    >>> ["".join("ACGT"[i] for i in x.argmax(0)) for x in X]   # the second is GGTT, reverse-complemented
    ['CGGT', 'AACC']
    """
    plan = _plan(fasta, loci, length, center)
    if not (packed or verbose) and all(window.size >= length for window in plan):
        return _read_windows(fasta, plan, length)
    step = max(1, _READ_BASES // length)
    X = torch.empty((0 if packed else len(plan), 4, length), dtype=torch.int8)
    parts = []
    for i in trange(0, len(plan), step, desc=f"windows, {step} at a time", disable=not verbose):
        chunk = _read_windows(fasta, plan[i : i + step], length)
        if packed:
            parts.append(pack(chunk))
        else:
            X[i : i + step] = chunk
    return join_packed(parts) if packed else X


def stream_windows(
    fasta: Fasta, loci: pd.DataFrame, length: int, *, batch_size: int = 32, packed: bool = False, verbose: bool = False
) -> Iterator[tuple[pd.DataFrame, torch.Tensor | PackedSequence]]:
    """Read windows as `extract_windows` does, one batch at a time, for more windows than fit into memory.

    Loci are checked when the function is called. Windows are read when the iterator reaches them; small batches are
    read together, so that at most one batch or about 17 million bases are in memory.

    Parameters
    ----------
    fasta, loci, length, packed, verbose
        As in `extract_windows`.

    batch_size: int, optional
        Windows per batch. Default is 32.

    Returns
    -------
    batches: iterator of (loci, X)
        Rows of `loci` and their windows, shape (up to batch_size, 4, length).

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
    ...     [(list(batch["tss"]), tuple(X.shape)) for batch, X in stream_windows(file.name, loci, 4, batch_size=2)]
    [([4, 5], (2, 4, 4)), ([6], (1, 4, 4))]
    """
    check_count("batch_size", batch_size)
    plan = _plan(fasta, loci, length)
    step = batch_size * max(1, _READ_BASES // length // batch_size)  # small batches are read together

    def batches() -> Iterator[tuple[pd.DataFrame, torch.Tensor | PackedSequence]]:
        for i in trange(0, len(plan), step, desc=f"windows, {step} at a time", disable=not verbose):
            for k, X in enumerate(_read_windows(fasta, plan[i : i + step], length).split(batch_size)):
                first = i + k * batch_size
                yield loci.iloc[first : first + batch_size], pack(X) if packed else X

    return batches()


def _plan(fasta: Fasta, loci: pd.DataFrame, length: int, center: int | None = None) -> list[LocusWindow]:
    check_count("length", length)
    if center is not None and not 0 <= center < length:
        raise ValueError(f"center must lie in the window of {length} bp; got {center}.")
    check_loci(loci)
    if not len(loci):
        raise ValueError("loci must have at least one row; got none.")
    chroms, strands = [str(chrom) for chrom in loci["chrom"]], list(loci["strand"])
    with open_fasta(fasta) as (file, name):
        known = known_chroms(chroms, file.keys(), name)
        sizes = {chrom: len(file[chrom]) for chrom in set(known.values())}
    tss = tss_positions(loci)
    starts, ends = spans_to_genome(
        np.zeros_like(tss), np.full_like(tss, length), tss=tss, strand=strands, length=length, center=center
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
        plan.append(LocusWindow(known[chrom], start, size, strand))
        padded += start < 0 or end > size
    if padded:
        warn(f"{padded} of {len(plan)} windows of {length} bp run off their chromosome and are padded with N.")
    return plan


def _read_windows(fasta: Fasta, plan: list[LocusWindow], length: int) -> torch.Tensor:
    full = [i for i, window in enumerate(plan) if window.size >= length]
    if len(full) == len(plan):
        X = _read_nearest(fasta, plan, length)
    else:  # a chromosome is shorter than a window
        X = torch.zeros((len(plan), 4, length), dtype=torch.int8)
        if full:
            X[full] = _read_nearest(fasta, [plan[i] for i in full], length)
        for i in set(range(len(plan))).difference(full):
            X[i, :, : plan[i].size] = _read_nearest(fasta, [plan[i]], plan[i].size)[0]
    for row, window in zip(X, plan):
        _shift(row, window.start - _nearest_start(window, length))
        if window.strand == "-":
            row[:] = row.flip(0, 1)
    return X


def _shift(row: torch.Tensor, bp: int) -> None:
    """Move a sequence, shape (4, L), to the left, or to the right if `bp` is below 0; fill up with unknown bases."""
    if bp:
        row[:] = row.roll(-bp, 1)
        row[:, max(0, len(row[0]) - bp) :] = 0
        row[:, : max(0, -bp)] = 0


def _nearest_start(window: LocusWindow, width: int) -> int:
    """Return the start of the span of this width on the chromosome that is nearest to the window."""
    return max(0, min(window.start, window.size - width))


def _read_nearest(fasta: Fasta, plan: list[LocusWindow], width: int) -> torch.Tensor:
    starts = [_nearest_start(window, width) for window in plan]
    return read_stretches(fasta, [window.chrom for window in plan], starts, width)
