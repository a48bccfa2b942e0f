"""What the rest of a split network reads, also where a random sequence does not show it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
import torch
from helpers import assert_close
from incremental_cases import F64, Does, bases, convolve, edited, edits_at, naive
from tangermeme.utils import TangermemeWarning
from torch import nn

from tangermeme_creme.engine import ActivationCache, EditSession, IncrementalModel

L = 120
EDITS = edits_at((0, 60, 1), (1, 30, 2), (0, 100, 3))
Reads = Callable[..., torch.Tensor]


class Runs(nn.Module):
    """Count A in 12 bp; `reads` predicts from the counts, their largest in 4 bp, and X."""

    def __init__(self, reads: Reads) -> None:
        super().__init__()
        self.stem, self.tower, self.reads = (
            nn.Conv1d(4, 1, 12, padding=6, bias=False, dtype=F64),
            nn.MaxPool1d(4),
            reads,
        )
        self.stem.weight.data[:] = torch.tensor([1.0, 0.1, 0.2, 0.3])[:, None]

    def forward(self, X: torch.Tensor, *args: Any) -> torch.Tensor:
        counts = self.stem(X)
        return self.reads(counts, self.tower(counts), X, *args)


def sequences() -> torch.Tensor:
    """Two sequences, of which the second has a run of A and unknown bases."""
    X = bases(2, L)
    X[1, :, 50:70] = torch.eye(4, dtype=F64)[:, :1]
    X[1, :, 90:100] = 0
    return X


# Of the counts, what only a run of A shows.
READS: dict[str, Reads] = {
    "comparison": lambda h, y, X: y.mean(-1) + (h > 11.5).sum(-1),
    "where": lambda h, y, X: torch.where(h.amax(-1) > 11.5, y.mean(-1), y.amin(-1)),
    "masked fill": lambda h, y, X: y.mean(-1).masked_fill(h.amax(-1) > 11.5, 5.0),
    "written into": lambda h, y, X: y.mean(-1).index_put((h.amax(-1) > 11.5,), torch.tensor(5.0, dtype=F64)),
    "branch by the counts": lambda h, y, X: y.mean(-1) + 1 if h.amax() > 11.5 else y.mean(-1),
    "branch to the counts": lambda h, y, X: y.mean(-1) + h.mean(-1) if y.amax() > 11.5 else y.mean(-1),
    "branch to a comparison": lambda h, y, X: y.mean(-1) + (h > 3).sum(-1) if y.amax() > 11.5 else y.mean(-1),
}

# Ways in which values leave PyTorch's operations, or come back.
READS |= {
    name: lambda h, y, X, read=read: y.mean(-1) + read((h > 11.5).sum(-1))
    for name, read in {
        "tensor": lambda n: torch.tensor([[row] for row in n[:, 0]]),
        "as_tensor": lambda n: torch.as_tensor(list(n[:, 0]))[:, None],
        "asarray": lambda n: torch.asarray(list(n[:, 0]))[:, None],
        "new_tensor": lambda n: n.new_tensor(data=list(n[:, 0]))[:, None],
        "new": lambda n: n.new(list(n[:, 0]))[:, None],
        "Tensor": lambda n: torch.Tensor(list(n[:, 0]))[:, None],
        "DoubleTensor": lambda n: torch.DoubleTensor(list(n[:, 0]))[:, None],
        "LongTensor": lambda n: torch.LongTensor(list(n[:, 0]))[:, None],
        "tensor_split": lambda n: torch.tensor_split(torch.ones(99), n.sum()[None])[0].sum(),
        "text": lambda n: float(str(n.sum()).strip("tensor()")),
        "format": lambda n: float(f"{n.sum():d}"),
        "deepcopy": lambda n: copy.deepcopy(n),
        "sparse": lambda n: n.to_sparse().to_dense(),
    }.items()
}


@pytest.mark.parametrize("name", READS)
def test_what_a_random_sequence_does_not_show_is_read(name: str) -> None:
    model, X = IncrementalModel.from_modules(Runs(READS[name]).eval(), ["stem", "tower"]), sequences()
    with EditSession(model, X, batch_size=1, incremental=True) as session:
        assert_close(session.predict(), naive(model, X))
        assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))
        assert session.work.n_partial > 0


# Of X, what only unknown bases or a run of A show.
READS_X: dict[str, Reads] = {
    "unknown bases": lambda h, y, X: y.mean(-1) + (X.sum(1, keepdim=True) == 0).sum(-1),
    "run of A": lambda h, y, X: y.mean(-1) + (X[:, :1].unfold(-1, 12, 1).sum(-1) == 12).sum(-1),
    "branch": lambda h, y, X: y.mean(-1) + 1 if (X.sum(1) == 0).any() else y.mean(-1),
    "branch to X": lambda h, y, X: y.mean(-1) + X.mean((1, 2))[:, None] if y.amax() > 11.5 else y.mean(-1),
}


@pytest.mark.parametrize("name", READS_X)
@pytest.mark.parametrize("edits_first", [True, False])
def test_sequences_that_the_rest_reads_run_in_full(name: str, edits_first: bool) -> None:
    model, X = IncrementalModel.from_modules(Runs(READS_X[name]).eval(), ["stem", "tower"]), sequences()
    steps = ["edits", "bases", "edits"] if edits_first else ["bases", "edits"]

    def predict() -> list[torch.Tensor]:
        with EditSession(model, X, batch_size=1) as session:
            return [session.predict_edits(EDITS) if step == "edits" else session.predict() for step in steps]

    with pytest.warns(TangermemeWarning, match="runs in full, not incrementally"):
        predictions = predict()
    for step, y in zip(steps, predictions):
        assert_close(y, naive(model, edited(X, EDITS) if step == "edits" else X))


# With an input k, the rest reads what it does not without one, or not in the same way.
READS_K: dict[str, Reads] = {
    "counts": lambda h, y, X, k=None: y.mean(-1) if k is None else y.mean(-1) + k * h.mean(-1),
    "comparison": lambda h, y, X, k=None: y.mean(-1) if k is None else y.mean(-1) + k * (h > 11.5).sum(-1),
    "X": lambda h, y, X, k=None: y.mean(-1) if k is None else y.mean(-1) + k * X.sum(1, keepdim=True).mean(-1),
    "unknown bases": lambda h, y, X, k=None: y.mean(-1) if k is None else y.mean(-1) + k * (X.sum((1, 2)) < L)[:, None],
}


@pytest.mark.parametrize("name", READS_K)
@pytest.mark.parametrize("order", [(True, False, True), (False, True, False)])
@pytest.mark.filterwarnings("ignore:.*runs in full, not incrementally")
def test_inputs_that_change_what_is_read(name: str, order: tuple[bool, ...]) -> None:
    model, X = IncrementalModel.from_modules(Runs(READS_K[name]).eval(), ["stem", "tower"]), sequences()
    k = torch.tensor([[2.0], [3.0]], dtype=F64)
    for passed in order:
        args = [k] if passed else []
        with EditSession(model, X, args=args or None, batch_size=1) as session:
            assert_close(session.predict(), naive(model, X, *args))
            of_edits = [arg[EDITS.base] for arg in args]
            assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS), *of_edits))
            session.commit(EDITS)
            assert not passed or name in ("counts", "comparison") or session.work.n_partial == 0


# What the rest makes of the length of X, of which several have 30 bins.
LENGTHS: dict[str, Reads] = {
    "mean": lambda h, y, X: y.sum(-1) / X.shape[-1],
    "interpolated": lambda h, y, X: nn.functional.interpolate(y, size=X.shape[-1])[..., ::7].cumsum(-1),
    "like X": lambda h, y, X: y.mean(-1) + torch.ones_like(X).sum((1, 2))[:, None],
}


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("names", [["stem", "tower"], ["stem"]])
def test_lengths_with_as_many_bins_take_turns(name: str, names: list[str]) -> None:
    model, cache = IncrementalModel.from_modules(Runs(LENGTHS[name]).eval(), names), ActivationCache()
    sessions = {}
    with ExitStack() as stack:
        for length in (121, 122, 120):
            sessions[length] = stack.enter_context(
                EditSession(model, bases(2, length), cache=cache, batch_size=1, incremental=True)
            )
        for length in (120, 121, 122, 120, 121):
            X = bases(2, length)
            assert_close(sessions[length].predict(), naive(model, X))
            assert_close(sessions[length].predict_edits(EDITS), naive(model, edited(X, EDITS)))
            assert sessions[length].work.n_partial > 0


class Aliased(nn.Module):
    """The named modules return views of one memory, into which the rest writes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.crop = convolve(5), Does(lambda h: h[..., 2:-2])

    def forward(self, X: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        h = self.stem(X)
        cropped = self.crop(h)
        h *= 2
        cropped *= 3
        return k * torch.tanh(h).mean(-1)


@pytest.mark.parametrize("required", [True, "auto"])
def test_bases_that_the_parts_predict_otherwise_run_in_full(required: Any) -> None:
    model, X, k = IncrementalModel.from_modules(Aliased().eval(), ["stem", "crop"]), bases(2, L), torch.ones(2, 1)

    def predict() -> torch.Tensor:
        with EditSession(model, X, args=[k], incremental=required) as session:
            return session.predict()

    with pytest.raises(ValueError, match="own prediction") if required is True else pytest.warns(match="runs in full"):
        assert_close(predict(), naive(model, X, k))


class Switched(Runs):
    """Reads the counts of long sequences only, or once it is switched on."""

    def __init__(self, attribute: str) -> None:
        super().__init__(lambda h, y, X: y.mean(-1) + (h > 11.5).sum(-1) * self.reads_counts(X))
        self.on, self.attribute, self.n_runs = False, attribute, 0

    def reads_counts(self, X: torch.Tensor) -> bool:
        return self.on if self.attribute == "on" else X.shape[-1] > L

    def forward(self, X: torch.Tensor, *args: Any) -> torch.Tensor:
        self.n_runs += 1
        counts = self.stem(X)
        y = self.tower(counts)
        return self.reads(counts, y, X) if self.reads_counts(X) else y.mean(-1)


@pytest.mark.parametrize("attribute", ["length", "on"])
@pytest.mark.parametrize("shared", [True, False])
def test_another_length_or_attribute_reads_other_outputs(attribute: str, shared: bool) -> None:
    net, cache = Switched(attribute).eval(), ActivationCache() if shared else None
    model, n_checks = IncrementalModel.from_modules(net, ["stem", "tower"]), []
    for on in (False, True, False, True):
        X = nn.functional.pad(sequences(), (0, 20 if on and attribute == "length" else 0))
        net.on = on
        with EditSession(model, X, batch_size=1, cache=cache, incremental=True, allow_stochastic=True) as session:
            assert_close(session.predict(), naive(model, X))
            assert_close(session.predict_edits(EDITS), naive(model, edited(X, EDITS)))
        n_checks.append(session.work.n_checks)
    assert n_checks[2:] == [pytest.approx(0.06 if shared else 0, abs=0.003)] * 2  # either plan was found once
