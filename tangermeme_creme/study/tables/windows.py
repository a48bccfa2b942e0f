"""The windows of the loci of a study, read from the genome or from a file of windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyfaidx
import torch
from tangermeme.utils import PackedSequence

from ...sequence import join_packed, pack
from ...sequence.genome import extract_windows
from ...support import check_columns, open_bytes
from ..spec import StudyError, StudySpec, WindowsSpec, window_length


class Windows:
    """Reads the windows of loci on request, from a file that stays open.

    Parameters
    ----------
    spec: StudySpec

    center: int or None, optional
        The TSS in bp of the windows. None is ``length // 2``. Default is None.
    """

    def __init__(self, spec: StudySpec, center: int | None = None) -> None:
        self.length = window_length(spec)
        self.center = self.length // 2 if center is None else center
        self._fasta: pyfaidx.Fasta | None = None
        self._ready: dict[str, int] = {}
        self._array: np.ndarray | None = None
        if spec.loci is not None:
            self._fasta = pyfaidx.Fasta(spec.loci.fasta)
        elif spec.windows is not None:
            self._ready = {name: i for i, name in enumerate(window_names(spec.windows))}
            if spec.windows.file.endswith(".npy"):
                self._array = np.load(spec.windows.file, mmap_mode="r", allow_pickle=False)
            else:
                self._fasta = pyfaidx.Fasta(spec.windows.file)

    @property
    def fasta(self) -> pyfaidx.Fasta:
        """The open file."""
        assert self._fasta is not None
        return self._fasta

    def read(self, loci: pd.DataFrame, width: int | None = None) -> PackedSequence:
        """Read the windows of loci, shape (N, 4, L), or the `width` bp around the TSS, which a TSS tile of it has."""
        center = self.center if width is None else width // 2
        width = self.length if width is None else width
        if not self._ready:
            windows = extract_windows(self._fasta, loci, width, center=center, packed=True)
            assert isinstance(windows, PackedSequence)
            return windows
        start = self.center - center
        return join_packed([self._one(name, slice(start, start + width)) for name in loci["example"]])

    def close(self) -> None:
        """Close the file."""
        if self._fasta is not None:
            self._fasta.close()

    def _one(self, name: str, span: slice) -> PackedSequence:
        if self._array is not None:
            X = self._array[self._ready[name]]
        else:
            assert self._fasta is not None
            record = self._fasta[name]
            text = np.frombuffer(str(record[:]).upper().encode(), dtype=np.uint8)
            X = (text == np.frombuffer(b"ACGT", dtype=np.uint8)[:, None]).astype(np.int8)
        if X.shape != (4, self.length):
            raise ValueError(f"a window must have shape (4, {self.length}); got {X.shape} for {name!r}.")
        return pack(torch.from_numpy(np.array(X[None, :, span])))


def window_names(spec: WindowsSpec) -> list[str]:
    """Name the windows in the order of their file: FASTA records; for an array the table's names, or 0 to N - 1."""
    if not spec.file.endswith(".npy"):
        with pyfaidx.Fasta(spec.file) as fasta:
            return [str(name) for name in fasta.keys()]  # noqa: SIM118  a Fasta iterates over records
    array = np.load(spec.file, mmap_mode="r", allow_pickle=False)
    if array.ndim != 3 or array.shape[1] != 4:
        raise StudyError(f"windows.file must have shape (N, 4, L); got {array.shape} in {spec.file!r}.")
    if spec.loci is None:
        return [str(i) for i in range(len(array))]
    names = list(read_loci_table(spec.loci)["example"])
    if len(names) != len(array):
        raise StudyError(f"windows.loci must have a row for each of {len(array)} windows; got {len(names)}.")
    return names


def read_loci_table(path: str) -> pd.DataFrame:
    separator = "," if ".csv" in Path(path).suffixes else "\t"
    with open_bytes(path) as file:
        table = pd.read_csv(file, sep=separator, dtype={"example": str, "chrom": str}, keep_default_na=False)
    check_columns(table, ["example"], "windows.loci")
    return table
