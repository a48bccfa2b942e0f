"""A network split behind some of its submodules, against the network itself."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from split_cases import (
    F64,
    THREE,
    TWO,
    Chain,
    Forward,
    UNet,
    added,
    assert_equal,
    bases,
    both_of_a_tuple,
    gated,
    in_place,
    named_parts,
    net,
    permuted,
    recurrent,
    scaled,
    several,
    shifted,
    state_of,
    stubborn,
    twice,
    twice_with_skip,
)
from tangermeme.predict import predict
from torch.nn import Embedding, Linear, Module, Sequential

from tangermeme_creme.engine.incremental import IncrementalModel, as_list, split_at


@pytest.mark.parametrize(
    ("forward", "names", "n_kept"),
    [
        (Chain.forward, TWO, 1),
        (Chain.forward, ["stem", "tower.0", "tower.1.2"], 1),
        (Chain.forward, ["tower"], 1),
        (UNet.forward, THREE, 2),
        (UNet.forward, ["stem", "middle.0", "middle.1", "tower.0"], 2),
        (permuted, TWO, 1),
        (several, TWO, 1),
        (in_place, THREE, 2),
        (gated, TWO, 2),
        (shifted, TWO, 1),
        (stubborn, TWO, 1),
        (added, TWO, 1),
        (Chain.forward, ["tower", "stem"], 1),
        (twice, ["middle"], 1),
        (twice, ["stem", "middle"], 1),
        (twice_with_skip, ["middle"], 2),
        (recurrent, ["lstm"], 1),
        (both_of_a_tuple, ["stem", "pair"], 2),
        (named_parts, ["stem", "parts"], 1),
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_split_at_predicts_as_the_model(forward: Forward, names: list[str], n_kept: int, training: bool) -> None:
    model, alone = net(forward).train(training), net(forward).train(training)
    local, head = split_at(model, names)
    for seed in range(2):
        X = bases(seed=seed)
        X[:, :, 5:8] = 0
        X = X.mT if forward is permuted else X
        torch.manual_seed(seed)
        activations = local(X.clone())
        y = head(activations)
        torch.manual_seed(seed)
        assert_equal(y, alone(X.clone()))
        assert (1 if isinstance(activations, torch.Tensor) else len(activations)) == n_kept
    assert state_of(model) == state_of(alone)


def test_local_returns_what_the_modules_return() -> None:
    model = UNet()
    model.alias = model.stem
    stem, tower = split_at(model, ["alias", "middle", "tower"])[0](bases())
    assert_equal(stem, model.stem(bases()))
    assert_equal(tower, model.tower(model.middle(stem)))


@pytest.mark.parametrize("names", [TWO, ["tower"]])
def test_head_takes_further_inputs(names: list[str]) -> None:
    a, b = torch.rand(2, 3, 1, 2, dtype=F64)
    inputs = {scaled: [(a,), (a, b)], shifted: [(), (None, 1), (a,), (b, 1)], added: [(), (a,), (a, b)]}
    for forward, cases in inputs.items():
        local, head = split_at(model := net(forward), names)
        for args in cases:
            assert_equal(head(local(bases()), *args), model(bases(), *args))
            head(local(bases()), *args)
        local, head = split_at(model.train(), names)
        head(local(bases()), *cases[-1])
        assert not any(tensor.isnan().any() for tensor in model.buffers())


def test_neither_part_runs_modules_of_the_other() -> None:
    model, ran = UNet(), list[str]()
    local, head = split_at(model, THREE)
    activations = local(bases())
    for name, module in model.named_modules():
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
    head(activations)
    assert "attend.linear1" in ran and not {"stem.0", "middle.0", "tower.0", "tower.0.0"} & set(ran)
    ran.clear()
    local(bases())
    assert "tower.1.3" in ran and not {"attend", "out", ""} & set(ran)


def test_head_takes_the_full_length_after_local_ran_on_windows() -> None:
    model, X = net(permuted), bases(length=50).mT
    local, head = split_at(model, TWO)
    parts = [local(X[:, :length]) for length in (48, 50, 49, 16)]  # all but 16 bp have as many bins
    assert_equal(head(parts[1]), model(X))


def test_head_takes_any_number_of_rows() -> None:
    model = UNet()
    local, head = split_at(model, THREE)
    assert len(head(local(bases(0)))) == 0
    stem, tower = local(bases(5))
    assert_equal(head((stem[3:], tower[3:])), model(bases(5)[3:]))


@pytest.mark.parametrize(("forward", "n_kept"), [(UNet.forward, 2), (in_place, 2), (shifted, 1)])
def test_a_first_sequence_of_nan_or_in_inference_mode_does_not_matter(forward: Forward, n_kept: int) -> None:
    model, X = net(forward), bases()
    X[..., :20] = torch.nan
    local, head = split_at(model, THREE if n_kept == 2 else TWO)
    with torch.inference_mode():
        local(X)
    activations = local(bases())
    assert_equal(head(activations), model(bases()))
    assert isinstance(activations, tuple) == (n_kept == 2)


def test_activations_are_not_written_into() -> None:
    local, head = split_at(net(in_place), THREE)
    activations = local(bases())
    before = [tensor.clone() for tensor in activations]
    head(activations)
    assert_equal(list(activations), before)


@pytest.mark.parametrize(("names", "kept"), [(["0"], [torch.int64]), (["0", "1"], [torch.float32])])
def test_an_output_of_integers_is_kept_if_it_is_read(names: list[str], kept: list[torch.dtype]) -> None:
    codes = type("Codes", (Module,), {"forward": lambda self, X: X.argmax(1)})()
    model = Sequential(codes, Embedding(4, 3), Linear(3, 2))
    local, head = split_at(model, names)
    outputs = local(bases())
    assert [output.dtype for output in as_list(outputs)] == kept
    assert_equal(head(outputs), model(bases()))


@pytest.mark.parametrize(("forward", "args"), [(UNet.forward, []), (shifted, [torch.ones(3, 1, 1, dtype=F64)])])
def test_gradient_is_that_of_the_model(forward: Forward, args: list[torch.Tensor]) -> None:
    model, X, Z = net(forward), bases().requires_grad_(), bases().requires_grad_()
    local, head = split_at(model, TWO if args else THREE)
    model(X, *args).square().sum().backward()
    head(local(Z), *args).square().sum().backward()
    assert X.grad is not None and X.grad.any()
    assert_equal(Z.grad, X.grad)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_the_model_may_be_cast(dtype: torch.dtype) -> None:
    model, X = IncrementalModel(*split_at(UNet(), THREE)), bases().to(dtype)
    model(bases())
    assert_equal(model.to(dtype)(X), model.local.model(X))
    assert model(X).dtype == dtype


def saved(model: Module) -> Any:
    torch.save(model, file := io.BytesIO())
    return torch.load(io.BytesIO(file.getvalue()), weights_only=False)


@pytest.mark.parametrize("copied", [copy.deepcopy, saved])
@pytest.mark.parametrize("used", [False, True])
def test_a_copy_has_a_model_of_its_own(copied: Callable[[Module], Any], used: bool) -> None:
    model = IncrementalModel(*split_at(UNet(), THREE))
    expected = model.local.model(bases())
    activations = model.local(bases()) if used else None
    other = copied(model)
    for parameter in model.parameters():
        parameter.data.zero_()
    assert_equal(other.head(activations) if used else other(bases()), expected)


def test_the_model_is_registered_once() -> None:
    model = Chain()
    incremental = IncrementalModel(*split_at(model, TWO))
    assert list(incremental.state_dict()) == [f"local.model.{key}" for key in model.state_dict()]


def test_predict_of_tangermeme_takes_it() -> None:
    model = UNet()
    y = predict(IncrementalModel(*split_at(model, THREE)), bases(5), batch_size=2, device="cpu")
    assert_equal(y, predict(model, bases(5), batch_size=2, device="cpu"))
