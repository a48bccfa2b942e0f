"""One-hot windows of a FASTA file around TSSs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyfaidx
import torch
from tangermeme.io import extract_loci
from tangermeme.utils import PackedSequence
from tqdm import trange

from .chroms import known_chroms
from .edits import join_packed, pack
from .notices import warn
from .spans import check_count
from .tiles import spans_to_genome

Fasta: TypeAlias = str | os.PathLike[str] | pyfaidx.Fasta

_UNKNOWN = list("NRYSWKMBDHVUX-")  # the other codes of IUPAC, a masked base and a gap
_CHUNK_BASES = 2**24  # what is read at a time where windows are packed, padded or counted


class Window(NamedTuple):
    """What is read of a chromosome for one window, and how many unknown bases go before it, as the genome counts."""

    chrom: str
    start: int
    end: int
    before: int
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
    if not (packed or verbose) and all(window.end - window.start == length for window in plan):
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

    Loci are checked at once; windows are read when they are asked for.

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

    def batches() -> Iterator[tuple[pd.DataFrame, torch.Tensor | PackedSequence]]:
        for i in trange(0, len(plan), batch_size, desc=f"windows, {batch_size} at a time", disable=not verbose):
            X = _read(fasta, plan[i : i + batch_size], length)
            yield loci.iloc[i : i + batch_size], pack(X) if packed else X

    return batches()


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
    with _opened(fasta) as (file, _):
        return {name: len(file[name]) for name in file.keys()}  # noqa: SIM118 (a Fasta yields records)


def check_loci(loci: pd.DataFrame, name: str = "loci") -> None:
    """Refuse a table that lacks `chrom`, `tss` or `strand`, or has a row that is no window.

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
    for column in ("chrom", "tss", "strand"):
        if column not in loci.columns:
            raise ValueError(f"{name} must have column {column!r}; got {', '.join(map(str, loci.columns))}.")
    tss = pd.to_numeric(loci["tss"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    rules = (
        ("tss", "a whole number of bp, 0 or more", ~((tss >= 0) & (tss == np.floor(tss)))),
        ("strand", "'+' or '-'", ~loci["strand"].isin(["+", "-"]).to_numpy()),
        ("chrom", "a name", loci["chrom"].isna().to_numpy()),
    )
    for column, rule, bad in rules:
        if bad.any():
            i = int(bad.argmax())
            raise ValueError(f"{column} of {name} must be {rule}; got {loci[column].tolist()[i]!r} at row {i}.")


@contextlib.contextmanager
def _opened(fasta: Fasta) -> Iterator[tuple[pyfaidx.Fasta, str]]:
    if isinstance(fasta, pyfaidx.Fasta):
        yield fasta, os.path.basename(fasta.filename)
        return
    path = os.fspath(fasta)
    if not os.path.isfile(path):
        raise ValueError(f"fasta must be a file; got {path}.")
    try:
        file = pyfaidx.Fasta(path, as_raw=True)
    except (pyfaidx.FastaIndexingError, ValueError, OSError, ImportError) as error:
        raise ValueError(
            f"fasta must be an indexed FASTA file, or one that can be indexed beside it (samtools faidx), plain or "
            f"compressed with bgzip; got {path}: {error}"
        ) from error
    with file:
        yield file, os.path.basename(path)


def _plan(fasta: Fasta, loci: pd.DataFrame, length: int) -> list[Window]:
    check_count("length", length)
    check_loci(loci)
    if not len(loci):
        raise ValueError("loci must have at least one row; got none.")
    chroms, strands = [str(chrom) for chrom in loci["chrom"]], list(loci["strand"])
    with _opened(fasta) as (file, name):
        known = known_chroms(chroms, file.keys(), name)
        sizes = {chrom: len(file[chrom]) for chrom in set(known.values())}
    tss = loci["tss"].to_numpy(dtype=np.int64)
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
        low, high = max(start, 0), min(end, size)
        plan.append(Window(known[chrom], low, high, low - start, strand))
        padded += low > start or high < end
    if padded:
        warn(f"{padded} of {len(plan)} windows of {length} bp run off their chromosome and are padded with N.")
    return plan


def _read(fasta: Fasta, plan: list[Window], length: int) -> torch.Tensor:
    whole = [i for i, window in enumerate(plan) if window.end - window.start == length]
    if len(whole) == len(plan):
        X = _inside(fasta, plan, length)
    else:
        X = torch.zeros((len(plan), 4, length), dtype=torch.int8)
        if whole:
            X[whole] = _inside(fasta, [plan[i] for i in whole], length)
        for i in set(range(len(plan))).difference(whole):
            width = plan[i].end - plan[i].start
            X[i, :, plan[i].before : plan[i].before + width] = _inside(fasta, [plan[i]], width)[0]
    for row, window in zip(X, plan):
        if window.strand == "-":
            row[:] = row.flip(0, 1)
    return X


def _inside(fasta: Fasta, plan: list[Window], width: int) -> torch.Tensor:
    """Windows of one width on their chromosomes, as they stand there. `extract_loci` wants their middles."""
    middle = np.array([window.start for window in plan]) + width // 2
    bed = pd.DataFrame({"chrom": [window.chrom for window in plan], "start": middle, "end": middle + 1})
    try:
        X = extract_loci(bed, fasta, in_window=width, ignore=_UNKNOWN)
    except (ValueError, pyfaidx.FetchError) as error:
        raise ValueError(_what_is_wrong(fasta, plan)) from error
    if X.shape[-1] != width:
        raise ValueError(_what_is_wrong(fasta, plan))
    return X


def _what_is_wrong(fasta: Fasta, plan: list[Window]) -> str:
    with _opened(fasta) as (file, name):
        for window in plan:
            text = str(file[window.chrom][window.start : window.end])
            strange = [k for k, letter in enumerate(text) if letter.upper() not in {*"ACGT", *_UNKNOWN}]
            if strange:
                place = f"{window.chrom}:{window.start + strange[0]}"
                return f"a FASTA file must hold bases; got {text[strange[0]]!r} at {place} of {name}."
            if len(text) < window.end - window.start:
                break
    place = f"{window.chrom}:{window.start}-{window.end}"
    return (
        f"a FASTA file must fit its index; got {name}, which ends within {place}: delete its .fai, to index it again."
    )
