"""A network cut behind some of its submodules: the oracle is the network itself."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tangermeme.predict import predict
from torch.nn import BatchNorm1d, Conv1d, Embedding, Linear, MaxPool1d, Module, ReLU, Sequential
from torch.nn.functional import interpolate, one_hot

from tangermeme_creme.engine.incremental import IncrementalModel
from tangermeme_creme.engine.split import split_at

Forward = Callable[..., Any]
F64 = torch.float64
TWO, THREE = ["stem", "tower"], ["stem", "middle", "tower"]


def block(inputs: int, outputs: int, pool: int = 2) -> Sequential:
    return Sequential(Conv1d(inputs, outputs, 3, padding=1), BatchNorm1d(outputs), ReLU(), MaxPool1d(pool))


def bases(n: int = 3, length: int = 48, seed: int = 0) -> torch.Tensor:
    codes = torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed))
    return one_hot(codes, 4).mT.to(F64).contiguous()


class Chain(Module):
    """Convolutions, then a transformer, as in Basenji and Enformer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.middle, self.tower = block(4, 8), block(8, 8, pool=1), Sequential(block(8, 8), block(8, 8))
        self.attend = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.5)
        self.norm, self.out = BatchNorm1d(8), Linear(8, 2)
        self.to(F64).eval()

    def rest(self, h: torch.Tensor) -> torch.Tensor:
        return self.out(self.attend(self.norm(h).mT))

    def forward(self, X: torch.Tensor) -> Any:
        return self.rest(self.tower(self.stem(X)))


class UNet(Chain):
    """The rest reads the output of `tower`, and that of `stem` through a skip, but not that of `middle`."""

    def forward(self, X: torch.Tensor) -> Any:
        skip = self.stem(X)
        return self.rest(self.tower(self.middle(skip)).repeat_interleave(4, -1) + skip)


def permuted(self: Chain, X: torch.Tensor) -> Any:
    """Takes (N, L, 4) and fills N, in place, before the stem; reads the length of X after it."""
    length, X = X.shape[1], X.mT.clone()
    X[(X == 0).all(1, keepdim=True).expand_as(X)] = 0.25
    return interpolate(Chain.forward(self, X).mT, size=length)


def in_place(self: Chain, X: torch.Tensor) -> Any:
    """Writes into X, and into the outputs of all three; the rest reads those of `stem` and `tower`."""
    skip = self.stem(X.mul_(0.5))
    skip *= 2
    h = self.tower(self.middle(skip).sub_(1))
    h += 1
    return self.rest(h) + skip.mean()


def gated(self: Chain, X: torch.Tensor) -> Any:
    """Reads the output of `stem` through a comparison, which is False for NaN."""
    skip = self.stem(X)
    return self.rest(self.tower(skip)) + (skip > skip.mean()).sum()


def several(self: Chain, X: torch.Tensor) -> Any:
    """Several outputs, nested; looks at the shape of the output of `stem`, and counts its runs in a buffer."""
    h = self.stem(X)
    y = self.rest(self.tower(h)).view(len(h), -1, 2)
    self.norm.num_batches_tracked += 1
    return {"profile": [y, (y.exp(),)], "total": y.sum(1).argmax(-1)}


def stubborn(self: Chain, X: torch.Tensor) -> Any:
    try:
        return Chain.forward(self, X)
    except Exception:
        return Chain.forward(self, X)


def scaled(self: Chain, X: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor | None = None) -> Any:
    y = Chain.forward(self, X) * scale
    return y if shift is None else y + shift


def shifted(self: Chain, X: torch.Tensor, shift: torch.Tensor | None = None, tracks: int = 2) -> Any:
    y = Chain.forward(self, X)[..., :tracks]
    return y if shift is None else y + shift


def added(self: Chain, X: torch.Tensor, *more: torch.Tensor) -> Any:
    return sum(more, Chain.forward(self, X))


def net(forward: Forward) -> Any:
    return type("Net", (Chain,), {"forward": forward})()


def state_of(model: Module) -> list[Any]:
    """All that a prediction might leave behind."""
    own = [(sorted(vars(m)), m.training, list(m._forward_hooks), list(m._forward_pre_hooks)) for m in model.modules()]
    return [own, {key: value.tolist() for key, value in model.state_dict().items()}]


def assert_equal(y: Any, expected: Any) -> None:
    torch.testing.assert_close(y, expected, rtol=0, atol=0)


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


def test_an_output_of_integers_is_kept() -> None:
    codes = type("Codes", (Module,), {"forward": lambda self, X: X.argmax(1)})()
    model = Sequential(codes, Embedding(4, 3), Linear(3, 2))
    local, head = split_at(model, ["0", "1"])
    assert [output.dtype for output in local(bases())] == [torch.int64, torch.float32]
    assert_equal(head(local(bases())), model(bases()))


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
        (["xyz!"], r"such as \['stem', 'middle', 'tower', 'attend', 'norm', 'out'\]; got 'xyz!'"),
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
        (Chain.forward, THREE, r"run once each.*; got 'tower' after \['stem'\]"),
        (Chain.forward, [*TWO, "middle"], r"run once each.*; got no run of \['middle'\]"),
        (Chain.forward, ["tower", "stem"], r"order of their names, \['tower', 'stem'\]; got 'stem' after \[\]"),
        (lambda self, X: self.rest(self.middle(self.middle(self.stem(X)))), ["middle"], r"'middle' after \['middle'\]"),
        (lambda self, X: self.attend.self_attn(*[self.stem(X).mT] * 3)[0], ["attend.self_attn"], "got tuple from"),
        (lambda self, X: Chain.forward(self, X) + X.sum(), TWO, r"same from \['stem', 'tower'\].*another prediction"),
        (lambda self, X: [Chain.forward(self, X), (X > 0).sum()], TWO, "got another prediction"),
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
