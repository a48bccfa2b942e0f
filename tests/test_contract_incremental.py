"""The contract of every operator on the incremental path: the same results from fewer bases."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from contract_cases import CASES, Case, Counts, L, N, same, sequences

from tangermeme_creme.engine import ActivationCache
from tangermeme_creme.engine.incremental import IncrementalModel

BIN = 8

every = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
# The context tests predict sequences of which all but one tile is new.
saving = pytest.mark.parametrize(
    "case",
    [case for name, case in CASES.items() if "context" not in name],
    ids=[k for k in CASES if "context" not in k],
)


class LocalCounts(torch.nn.Module):
    """Integer-weighted 5-mers in bins of 8 bp, so that float arithmetic is exact in any window; counts its bases."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = Counts().conv
        self.bases = 0

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.bases += X.shape[0] * X.shape[2]
        return torch.relu(self.conv(X)).unflatten(-1, (-1, BIN)).sum(-1)


class MixedBins(torch.nn.Module):
    """(N, 4, bins) to (N, 6, 2), with every bin in every number, nonlinearly, in integers."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.mix = torch.nn.Parameter(torch.randint(-1, 3, (L // BIN, 6), generator=generator).float())
        self.out = Counts().out

    def forward(self, bins: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(bins @ self.mix - 40).mT) + 5000


class MixedTwo(MixedBins):
    def forward(self, bins: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        y = super().forward(bins)
        return y, y.sum((1, 2))


class MixedScaled(MixedBins):
    def forward(self, bins: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(bins) * scale[:, :, None]


def model(head: type[torch.nn.Module] = MixedBins) -> IncrementalModel:
    return IncrementalModel(LocalCounts(), head())


@every
@pytest.mark.parametrize("batch_size", [1, 4, 1000])
def test_incremental_results_are_those_in_full(case: Case, batch_size: int) -> None:
    expected = case.call(model(), sequences(), incremental=False, device="cpu")
    assert same(case.call(model(), sequences(), incremental=True, batch_size=batch_size, device="cpu"), expected)


@every
def test_incremental_is_the_default_of_a_model_that_is_split(case: Case) -> None:
    expected = case.call(model(), sequences(), incremental=True, device="cpu")
    assert same(case.call(model(), sequences(), device="cpu"), expected)


@saving
def test_incremental_runs_fewer_bases(case: Case) -> None:
    in_full, in_part = model(), model()
    case.call(in_full, sequences(), incremental=False, device="cpu")
    case.call(in_part, sequences(), incremental=True, device="cpu")  # also measures and checks
    before = in_part.local.bases
    case.call(in_part, sequences(), incremental=True, device="cpu")
    assert in_part.local.bases - before < 0.8 * in_full.local.bases


@every
def test_a_shared_cache_changes_nothing_but_the_work(case: Case) -> None:
    whole, cache = model(), ActivationCache()
    first = case.call(whole, sequences(), cache=cache, device="cpu")
    once = cache.work.positions
    assert once > 0
    assert cache.work.n_checks <= 15
    assert same(case.call(whole, sequences(), cache=cache, device="cpu"), first)
    assert cache.work.positions - once < once


@every
def test_work_counts_the_bases_that_ran(case: Case) -> None:
    whole = model()
    case.call(whole, sequences(), device="cpu")  # measures and checks
    cache, before = ActivationCache(), whole.local.bases
    case.call(whole, sequences(), cache=cache, device="cpu")
    # Beside the predictions: one short sequence that tells what the model computes now.
    assert 0 < cache.work.n_checks <= 4.625
    assert cache.work.positions == whole.local.bases - before - round(cache.work.n_checks * L)
    assert cache.work.equivalents == pytest.approx(cache.work.positions / L)
    if case.cost >= 0:
        assert cache.work.n_full + cache.work.n_partial == N * case.cost


@every
def test_args_follow_their_examples_through_sorted_batches(case: Case) -> None:
    scale = torch.arange(1.0, N + 1)[:, None].expand(N, 6)
    kwargs: dict[str, Any] = {"args": [scale], "batch_size": 4, "device": "cpu"}
    expected = case.call(model(MixedScaled), sequences(), incremental=False, **kwargs)
    assert same(case.call(model(MixedScaled), sequences(), incremental=True, **kwargs), expected)


@every
def test_several_outputs_come_back_the_same(case: Case) -> None:
    kwargs: dict[str, Any] = {"device": "cpu", "objective": lambda y: y[0].mean((1, 2))}
    expected = case.call(model(MixedTwo), sequences(), incremental=False, **kwargs)
    assert same(case.call(model(MixedTwo), sequences(), incremental=True, **kwargs), expected)


@every
def test_model_and_inputs_are_as_before(case: Case) -> None:
    whole, X = model().train(), sequences()
    weights = {name: value.clone() for name, value in whole.state_dict().items()}
    before = X.clone()
    case.call(whole, X, incremental=True, device="cpu")
    assert torch.equal(X, before)
    assert all(module.training for module in whole.modules())
    assert all(torch.equal(value, weights[name]) for name, value in whole.state_dict().items())
    assert not any(module._forward_hooks for module in whole.modules())
