"""Small models that studies load by name, and studies of small windows for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from study_cases import small_spec

from tangermeme_creme.models import Readout
from tangermeme_creme.study import StudySpec

LENGTH = 64
BINS = [3]  # what a test changes, and the settings of a study do not say


class _Profile(torch.nn.Module):
    """Counts of A in bins of 8 bp, and of C: shape (N, bins, 2)."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, :2].float().reshape(len(X), 2, -1, 8).sum(-1).transpose(1, 2)


class Scaled(torch.nn.Module):
    """Counts of A and of C, at some scale that no fingerprint sees."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self._scale = [scale.__mul__]  # a function of no module: the weights and plain attributes are the same

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, :2].float().sum(-1) * self._scale[0](1.0)


class _Dropping(Scaled):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return super().forward(torch.nn.functional.dropout(X.float(), 0.5, training=True))


class _Normalizing(Scaled):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = super().forward(X)
        return y - 0.1 * y.mean(0)


class _Negative(Scaled):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return -super().forward(X) * (1 + X[:, :1, :8].sum((1, 2))[:, None])


class OfLength(Scaled):
    """Counts, of windows of one length."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length


def readout() -> torch.nn.Module:
    return Readout(_Profile(), bins=BINS)


def scaled() -> torch.nn.Module:
    return Scaled()


def dropping() -> torch.nn.Module:
    return _Dropping()


def normalizing() -> torch.nn.Module:
    return _Normalizing()


def negative() -> torch.nn.Module:
    return _Negative()


def of_length(length: int) -> torch.nn.Module:
    return OfLength(length)


def wrapped_of_length(length: int) -> torch.nn.Module:
    return Readout(OfLength(length))


def failing(what: str = "no weights") -> torch.nn.Module:
    raise FileNotFoundError(what)


def window_spec(folder: Path, function: str, n: int = 2, **sections: Any) -> StudySpec:
    """A study of random windows of 64 bp, one necessity test of each."""
    path = folder / "X.npy"
    if not path.exists():
        codes = np.random.RandomState(1).randint(0, 4, size=(n, LENGTH))
        np.save(path, (codes[:, None] == np.arange(4)[:, None]).astype(np.int8))
    given = dict(sections)
    model = {"function": f"run_model_cases:{function}", "length": LENGTH, **given.pop("model", {})}
    tests = {"include": ["necessity"], "necessity": {"n": 2}, **given.pop("tests", {})}
    return small_spec(
        folder, loci=None, windows={"file": str(path), **given.pop("windows", {})}, model=model, tests=tests,
        **{"tiles": {"size": 8}, "context": {"n": 2, "neutral": 10.0, "enhancing": 11.0, "silencing": -11.0}, **given},
    )  # fmt: skip


def loci_table(folder: Path, **columns: Any) -> Path:
    """A table of the windows of `window_spec`."""
    path = folder / "loci.tsv"
    pd.DataFrame({"example": ["w0", "w1"], **columns}).to_csv(path, sep="\t", index=False)
    return path


class _AroundTSS(torch.nn.Module):
    """1 + C before the TSS at base 24, and the A of bases 20 to 27 more: context and TSS tile both count."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        X = X.float()
        y = 1 + X[:, 1, :24].sum(1) + 2 * X[:, 1, 40:].sum(1) + X[:, 0, 20:28].sum(1)
        return torch.stack([y, 2 * y], 1)


def around_tss() -> torch.nn.Module:
    return _AroundTSS()


class _Positional(torch.nn.Module):
    """Sums of A and of C, which count more towards the end of the window; times the age, plus the UTRs."""

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        weight = 1 + torch.arange(X.shape[-1], device=X.device) // 8
        y = 1 + (X[:, :2].float() * weight).sum(-1)
        if args:
            age, utr = args
            assert age.shape == (len(X), 1) and utr.shape == (len(X), 2)
            y = y * age + utr.sum(1, keepdim=True)
        return y


def positional() -> torch.nn.Module:
    return _Positional()


def with_inputs() -> torch.nn.Module:
    return _Positional()


def genome_spec(folder: Path, function: str, **sections: Any) -> StudySpec:
    """A study of two loci of a genome of 300 bp, selected by their activity."""
    genome = "".join(np.random.RandomState(0).choice(list("ACGT"), 300))
    (folder / "genome.fa").write_text(f">chr1\n{genome}\n")
    table = pd.DataFrame({"example": ["a", "b"], "chrom": "chr1", "tss": [100, 200], "strand": ["+", "-"]})
    table.assign(age=[2.0, 4.0], utr5=0.0, utr3=0.0).to_csv(folder / "places.tsv", sep="\t", index=False)
    given = dict(sections)
    model = {"function": f"run_model_cases:{function}", "length": LENGTH, **given.pop("model", {})}
    loci = {"fasta": str(folder / "genome.fa"), "tss": str(folder / "places.tsv"), "top": 10, **given.pop("loci", {})}
    tests = {"include": ["necessity"], "necessity": {"n": 2}}
    return small_spec(
        folder, n_loci=1, model=model, loci=loci, tests=tests,
        **{"tiles": {"size": 8}, "context": {"n": 2, "neutral": 10.0, "enhancing": 11.0, "silencing": -11.0}, **given},
    )  # fmt: skip


def not_for_these_windows() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 2))
