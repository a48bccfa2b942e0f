"""The state that splitting a network leaves unchanged, and the networks that it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import assert_close
from incremental_cases import edited, edits_at, naive
from split_cases import F64, THREE, TWO, Chain, Forward, UNet, assert_equal, bases, net, state_of
from torch.nn import Conv1d, LayerNorm, MaxPool1d, Module, ModuleList, ReLU, Sequential

from tangermeme_creme.engine import EditSession
from tangermeme_creme.engine.incremental import IncrementalModel, split_at


def test_hooks_and_forwards_of_the_user_stay_and_count_once() -> None:
    model, seen = UNet(), list[str]()
    model.tower.register_forward_hook(lambda module, args, output: output * 2)
    model.middle.forward = lambda x: Sequential.forward(model.middle, x) + 1
    for name in ("", "stem.0", "out"):
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: seen.append(name))
    before, own = state_of(model), model.middle.forward
    local, head = split_at(model, THREE)
    local(bases())
    seen.clear()
    y = head(local(bases()))
    assert seen == ["stem.0", "out", ""]
    assert_equal(y, model(bases()))
    assert state_of(model) == before and model.middle.forward is own


@pytest.mark.parametrize("name", ["stem.1", "tower.1", "attend", "out"])
@pytest.mark.parametrize("call", [1, 2, 3, 4, 5])
def test_an_exception_leaves_the_model_as_it_was(name: str, call: int) -> None:
    model = UNet().train()
    local, head = split_at(model, THREE)
    before, calls = state_of(model)[0], []

    def fail(*_: Any) -> None:
        calls.append(call)
        if len(calls) >= call:
            raise KeyError("mine")

    hook = model.get_submodule(name).register_forward_pre_hook(fail)
    with pytest.raises((KeyError, ValueError), match="mine"):
        [head(local(bases())) for _ in range(5)]
    hook.remove()
    assert state_of(model)[0] == before
    assert not any(tensor.isnan().any() for tensor in model.buffers())
    assert_equal(head(local(bases())).shape, model(bases()).shape)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"at least one name; got \[\]"),
        ("stem", "a sequence of at least one name; got 'stem'"),
        (["stem", "towr"], r"submodules of the model, such as \['tower'.*\]; got 'towr'"),
        (["xyz!"], r"such as \['stem', 'middle', 'tower', 'attend', 'norm', .*\]; got 'xyz!'"),
        ([""], "must be submodules of the model.*; got ''"),
        (["tower.0", "tower"], "another module or a part of it; got 'tower.0' and 'tower'"),
        (["stem", "stem.1"], "another module or a part of it; got 'stem' and 'stem.1'"),
        (["stem", "stem"], "another module or a part of it; got 'stem' and 'stem'"),
    ],
)
def test_split_at_refuses_names(names: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split_at(Chain(), names)


@pytest.mark.parametrize(
    ("forward", "names", "message"),
    [
        (Chain.forward, THREE, r"must all run; got no run of \['middle'\]"),
        (lambda self, X: Chain.forward(self, X) + X.sum(), TWO, r"same from \['stem', 'tower'\].*reads X as well"),
        (lambda self, X: [Chain.forward(self, X), (X > 0).sum()], TWO, "reads X as well"),
        (lambda self, X: Chain.forward(self, X) * torch.inf, TWO, "none that is finite"),
        (lambda self, X: [len(Chain.forward(self, X))], TWO, "none that is finite"),
        (lambda self, X: Chain.forward(self, X) + [1][int(X.isnan().any())], TWO, "got IndexError: list index"),
    ],
)
def test_the_first_prediction_refuses_a_model(forward: Forward, names: list[str], message: str) -> None:
    model = net(forward).train()
    local, _ = split_at(model, names)
    before = state_of(model)
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            local(bases())
    assert state_of(model) == before


@pytest.mark.parametrize(
    "forward",
    [
        lambda self, X, shift: Chain.forward(self, X + shift),
        lambda self, X, shift: Chain.forward(self, X if shift is None else X * shift.mean()),
        lambda self, X, *shift: Chain.forward(self, torch.cat([X, *shift], -1)),
        lambda self, X, width=0: Chain.forward(self, X if width == 0 else X[..., :-1]),
    ],
)
def test_further_inputs_must_not_be_used_early(forward: Forward) -> None:
    local, head = split_at(net(forward), TWO)
    with pytest.raises(ValueError, match="further inputs must not be used before the last of the local modules"):
        head(local(bases()), torch.rand(3, 4, 48, dtype=F64))


def test_further_inputs_must_not_be_used_early_after_none_was_given() -> None:
    model = net(lambda self, X, shift=None: Chain.forward(self, X if shift is None else X + shift))
    local, head = split_at(model, TWO)
    assert_equal(head(local(bases()), None), model(bases()))
    with pytest.raises(ValueError, match="further inputs must not be used"):
        head(local(bases()), torch.rand(3, 4, 48, dtype=F64))


def test_head_refuses_shapes_that_local_never_returned() -> None:
    local, head = split_at(UNet(), THREE)
    with pytest.raises(RuntimeError, match=r"shapes that local has returned; got \[\(8, 6\)\]"):
        head(torch.zeros(3, 8, 6, dtype=F64))
    stem, tower = local(bases())
    for activations, got in (((stem, tower[..., :5]), r"\[\(8, 24\), \(8, 5\)\]"), (tower, r"\[\(8, 6\)\]")):
        with pytest.raises(RuntimeError, match=f"shapes that local has returned; got {got}"):
            head(activations)


class Told(Module):
    """A network in some form, of which the message of a refusal says what to do."""

    def __init__(self, form: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.form = form
        self.a, self.b = Conv1d(4, 4, 5, padding=2), Conv1d(4, 4, 5, padding=2)
        self.relu, self.pool, self.norm = ReLU(inplace=True), MaxPool1d(4), LayerNorm(4)
        self.tower = ModuleList([Conv1d(4, 4, 3, padding=1), MaxPool1d(4)])
        self.to(F64).eval()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if self.form == "bins on axis 1":
            return self.norm(self.a(X).mT).mean(1)
        if self.form == "in place":
            h = self.a(X)
            return self.pool(self.b(self.relu(h)) + h).mean(-1)
        if self.form == "list":
            for layer in self.tower:
                X = layer(X)
        if self.form == "dense":
            return torch.cat([X, self.a(X)], 1).mean(-1)
        if self.form == "writes into X":
            X -= 0.25
            return self.pool(self.a(X)).mean(-1)
        return self.pool(self.a.forward(X)).mean(-1)


TOLD = {
    "bins on axis 1": (["a", "norm"], r"through local\. If the bins lie on another axis, give axis=1\."),
    "in place": (["a", "relu"], r"got another prediction, .* \(note that \['relu'\] work in place\)"),
    "list": (["tower"], r"no run of \['tower'\]\. Of a ModuleList, name the modules in it"),
    "forward": (["a"], "a direct call of forward is not seen"),
    "dense": (["a"], "got one that reads X as well"),
}


@pytest.mark.parametrize("form", TOLD)
def test_a_refusal_says_what_to_do(form: str) -> None:
    names, message = TOLD[form]
    model = IncrementalModel.from_modules(Told(form), names)
    with (
        EditSession(model, bases(2, 600), incremental=True) as session,
        pytest.raises(ValueError, match=message),
    ):
        session.predict_edits(edits_at((0, 300, 5)))


def test_a_network_that_writes_into_x_runs_in_part() -> None:
    model, X, edits = Told("writes into X"), bases(2, 600), edits_at((0, 300, 5), (1, 20, 5))
    with EditSession(IncrementalModel.from_modules(model, ["a", "pool"]), X, incremental=True) as session:
        assert_close(session.predict_edits(edits), naive(model, edited(X, edits)))
    assert session.work.n_partial == 2
