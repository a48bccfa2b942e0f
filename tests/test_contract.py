"""The contract of every operator: order, seeds, batches and the state of the model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import contract_cases as cases
import pytest
import torch
from contract_cases import CASES, Case, Counts, N, Scaled, same, sequences

import tangermeme_creme as creme
import tangermeme_creme.operators.run as run_module

every = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


shuffling = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case.shuffles], ids=[k for k, case in CASES.items() if case.shuffles]
)


def test_contract_covers_every_public_operator() -> None:
    assert {name.split(",")[0] for name in CASES} == {*creme.__all__, "retention_curve"}


def test_same_finds_a_difference() -> None:
    one = creme.necessity_test(Counts(), sequences(), cases.TILES, n=2, random_state=0)
    changed = one.y_mut.clone()
    changed[0, 0, 0, 0, 0] += 1
    assert same(one, one)
    assert not same(one, one._replace(y_mut=changed))


@every
@pytest.mark.parametrize("batch_size", [1, 2, 1000])
def test_batch_size_changes_nothing(case: Case, batch_size: int) -> None:
    assert same(case.call(Counts(), sequences(), batch_size=batch_size), case.call(Counts(), sequences()))


@every
def test_blocks_of_examples_change_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = case.call(Counts(), sequences())
    monkeypatch.setattr(run_module, "_BLOCK_BASES", 1)
    assert same(case.call(Counts(), sequences()), expected)


@every
def test_each_example_is_as_if_alone(case: Case) -> None:
    X, together = sequences(), case.call(Counts(), sequences(), random_state=[5, 3, 9])
    for i, seed in enumerate([5, 3, 9]):
        alone = case.call(Counts(), X[i : i + 1], random_state=[seed])
        assert same(cases.of_example(together, i), alone)


@shuffling
def test_an_int_seeds_example_i_with_its_sum(case: Case) -> None:
    expected = case.call(Counts(), sequences(), random_state=[11, 12, 13])
    assert same(case.call(Counts(), sequences(), random_state=11), expected)


@shuffling
def test_another_seed_gives_other_shuffles(case: Case) -> None:
    one = case.call(Counts(), sequences(), random_state=0)
    assert not same(one, case.call(Counts(), sequences(), random_state=100))


def test_the_first_k_shuffles_of_n_are_those_of_a_run_with_k() -> None:
    common: dict[str, Any] = {"random_state": 0}
    X, model = sequences(), Counts()
    for function, what in (
        (creme.context_dependence_test, (cases.TSS,)),
        (creme.necessity_test, (cases.TILES,)),
        (creme.sufficiency_test, (cases.TSS, cases.TILES)),
        (creme.distance_test, (cases.TSS, cases.CRE, cases.POSITIONS)),
        (creme.tile_set_sufficiency_test, (cases.TSS, cases.TILES, [0, 2])),
    ):
        few, many = function(model, X, *what, n=2, **common), function(model, X, *what, n=5, **common)
        for name, one, other in zip(few._fields, few, many):
            axis = {"y_wt": None, "y_control": 1, "y_original": 1}.get(name, one.ndim - 3)
            assert torch.equal(one, other if axis is None else other.narrow(axis, 0, 2)), (function, name)
    few, many = (
        creme.higher_order_interaction_test(model, X, cases.TILES, direction="min", rounds=1, n=k, **common)
        for k in (2, 5)
    )
    assert torch.equal(few.y_candidates, many.y_candidates[..., :2])


@every
def test_inputs_are_not_modified(case: Case) -> None:
    X, model = sequences(), Scaled()
    args = [torch.rand(N, 1)]
    before = X.clone(), args[0].clone(), {k: v.clone() for k, v in model.state_dict().items()}
    what = [list(tile) for tile in cases.TILES], list(cases.POSITIONS)
    case.call(model, X, args=args, objective=cases.first_output)
    assert torch.equal(X, before[0])
    assert torch.equal(args[0], before[1])
    assert all(torch.equal(v, before[2][k]) for k, v in model.state_dict().items())
    assert ([list(tile) for tile in cases.TILES], cases.POSITIONS) == what


@every
@pytest.mark.parametrize("fails", [False, True])
def test_mode_and_hooks_are_restored(case: Case, fails: bool) -> None:
    model, seen = Counts(), []
    model.train()
    model.norm.eval()

    def hook(module: torch.nn.Module, inputs: Any, output: Any) -> None:
        seen.append(module.training)
        if fails:
            raise RuntimeError("out of memory")

    handle = model.conv.register_forward_hook(hook)
    if fails:
        with pytest.raises(RuntimeError, match="out of memory"):
            case.call(model, sequences())
    else:
        case.call(model, sequences())
    assert seen and not any(seen)
    assert model.training and model.conv.training and not model.norm.training
    assert list(model.conv._forward_hooks) == [handle.id]
    assert next(model.parameters()).device.type == "cpu"


class Elsewhere(Counts):
    """Says that it lies on another device, which this machine need not have, and notes where it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.where, self.moves = torch.device("meta"), []

    def parameters(self, recurse: bool = True) -> Any:
        yield SimpleNamespace(device=self.where, dtype=torch.float32)

    def to(self, device: torch.device) -> Elsewhere:  # type: ignore[override]
        self.where = device
        self.moves.append(device.type)
        return self


@every
def test_the_model_moves_there_once_and_back(case: Case) -> None:
    model = Elsewhere()
    assert same(case.call(model, sequences(), batch_size=2, device="cpu"), case.call(Counts(), sequences()))
    assert model.moves == ["cpu", "meta"]
