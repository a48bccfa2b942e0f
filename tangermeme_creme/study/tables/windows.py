"""The windows of the loci of a study, read from the genome or from a file of windows."""

from __future__ import annotations

import os
import tokenize
from pathlib import Path

import numpy as np
import pandas as pd
import pyfaidx
import torch
from tangermeme.utils import PackedSequence

from ...sequence import check_center, join_packed, pack
from ...sequence.genome import extract_windows, one_hot_letters, opened_fasta
from ...support import check_cells, check_columns, open_bytes, read_cells, shown, warn
from ..spec import StudyError, StudySpec, WindowsSpec, window_length


class Windows:
    """Reads the windows of loci on request, from a file that stays open.

    Parameters
    ----------
    spec: StudySpec

    center: int or None, optional
        Index of the TSS in the windows. None is the middle. Default is None.
    """

    def __init__(self, spec: StudySpec, center: int | None = None) -> None:
        self.length = window_length(spec)
        self.center = check_center(center, self.length)
        self._fasta: pyfaidx.Fasta | None = None
        self._ready: dict[str, int] = {}
        self._array: np.ndarray | None = None
        if spec.loci is not None:
            self._fasta = opened_fasta(spec.loci.fasta)
        elif spec.windows is not None:
            self._ready = {name: i for i, name in enumerate(window_names(spec.windows))}
            if spec.windows.file.endswith(".npy"):
                self._array = _load_array(spec.windows.file)
            else:
                self._fasta = opened_fasta(spec.windows.file)

    @property
    def fasta(self) -> pyfaidx.Fasta:
        """The open file."""
        assert self._fasta is not None
        return self._fasta

    def read(self, loci: pd.DataFrame, width: int | None = None) -> PackedSequence:
        """Read the windows of loci, shape (N, 4, L), or the `width` bp around the TSS, as a TSS tile of that size."""
        if not self._ready:
            if width is None:
                windows = extract_windows(self._fasta, loci, self.length, center=self.center, packed=True)
            else:
                windows = extract_windows(self._fasta, loci, width, packed=True)
            assert isinstance(windows, PackedSequence)
            return windows
        start = 0 if width is None else self.center - width // 2
        span = slice(start, self.length if width is None else start + width)
        rows, n_uracil = zip(*(self._one(name, span) for name in loci["example"]))
        if sum(n_uracil):
            warn(f"{sum(n_uracil)} bases of {os.path.basename(self.fasta.filename)} are U, and are read as T.")
        unknown = [i for i, row in enumerate(rows) if not bool(row.to_one_hot().any())]
        if unknown:
            name = loci["example"].iloc[unknown[0]]
            warn(f"{len(unknown)} of {len(rows)} windows have no known base, N throughout; the first is {shown(name)}.")
        return join_packed(list(rows))

    def close(self) -> None:
        """Close the file."""
        if self._fasta is not None:
            self._fasta.close()

    def _one(self, name: str, span: slice) -> tuple[PackedSequence, int]:
        """Read a span of a window, shape (1, 4, W), and count the U in the window."""
        n_uracil = 0
        if self._array is not None:
            X = np.asarray(self._array[self._ready[name]])
            X = X.astype(X.dtype.newbyteorder("="))  # torch takes no other order of bytes
        else:
            file = os.path.basename(self.fasta.filename)
            X, n_uracil = one_hot_letters(str(self.fasta[name][:]), name, file)
        if X.shape != (4, self.length):
            raise ValueError(f"a window must have shape (4, {self.length}); got {X.shape} for {shown(name)}.")
        return pack(torch.from_numpy(np.ascontiguousarray(X[None, :, span])), f"window {shown(name)}"), n_uracil


def window_names(spec: WindowsSpec) -> list[str]:
    """Name the windows in the order of their file: FASTA records; for an array the table's names, or 0 to N - 1."""
    if not spec.file.endswith(".npy"):
        with opened_fasta(spec.file) as fasta:
            return [str(name) for name in fasta.keys()]  # noqa: SIM118  a Fasta iterates over records
    n = len(_load_array(spec.file))
    if spec.loci is None:
        return [str(i) for i in range(n)]
    names = list(read_loci_table(spec.loci)["example"])
    if len(names) != n:
        raise StudyError(f"windows.loci must have a row for each of {n} windows; got {len(names)}.")
    return names


def read_loci_table(path: str) -> pd.DataFrame:
    """Read the table of the loci of windows; each row must have as many cells as the header."""
    separator = "," if ".csv" in Path(path).suffixes else "\t"
    header, lines, cells = read_cells(path, separator)
    check_columns(pd.DataFrame(columns=pd.Index(header, dtype=object)), ["example"], "windows.loci")
    check_cells(path, header, lines, cells)
    with open_bytes(path) as file:
        return pd.read_csv(file, sep=separator, dtype={"example": str, "chrom": str}, keep_default_na=False)


def _load_array(path: str) -> np.ndarray:
    """Open an array of windows, shape (N, 4, L), of numbers, without reading it."""
    with open(path, "rb") as file:
        begins = file.read(6) == b"\x93NUMPY"
    if not begins:
        raise StudyError(f"windows.file must be a whole .npy file; got {path!r}, which does not begin as one.")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, tokenize.TokenError, TypeError, OverflowError) as error:
        reason = str(error).split("\n")[0][:200].rstrip(".")
        raise StudyError(f"windows.file must be a whole .npy file; got {path!r}: {reason}.") from error
    if array.ndim != 3 or array.shape[1] != 4:
        raise StudyError(f"windows.file must have shape (N, 4, L); got {array.shape} in {path!r}.")
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise StudyError(f"windows.file must hold numbers of at most 64 bits; got {array.dtype} in {path!r}.")
    return array
