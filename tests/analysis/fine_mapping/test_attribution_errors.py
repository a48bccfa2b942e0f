"""Attributions restore the model, and name what is wrong."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import pytest
import torch
from attribution_cases import METHODS, MODEL, close, gradient, objective, sequences
from helpers import CountA
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.saliency import saliency

from tangermeme_creme.analysis.fine_mapping import captum_attribution
from tangermeme_creme.models.toy import RegulatoryToy


class Watched(torch.nn.Module):
    """Fails at the second call; says how it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Conv1d(4, 3, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5))
        self.layers[0].bias.requires_grad_(False)
        self.layers[1].eval()
        self.calls: list[tuple[bool, bool]] = []
        self.fails = False

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.calls.append((self.layers.training, self.layers[0].weight.requires_grad))
        if self.fails:
            raise RuntimeError("no more")
        return self.layers(X).exp()


@pytest.mark.parametrize("method", [*METHODS, saliency, deep_lift_shap])
@pytest.mark.parametrize("fails", [False, True])
def test_the_model_and_its_inputs_stay_as_they_were(method: Any, fails: bool) -> None:
    model, X = Watched(), sequences(torch.float32, unknown=0)
    model.fails, before = fails, X.clone()
    X.requires_grad_()
    options = {"n_shuffles": 2, "warning_threshold": 1e9} if method is deep_lift_shap else {}

    def run() -> None:
        captum_attribution(
            model, X, method=method, objective=lambda y: y.sum((1, 2)), random_state=0, additional_func_kwargs=options,
            device="cpu",
        )  # fmt: skip

    if fails:
        with pytest.raises(RuntimeError, match="no more"):
            run()
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # DeepLIFT has no rule for exp
            run()
    assert model.calls and not any(training for training, _ in model.calls)
    assert [module.training for module in model.modules()] == [True, True, True, False, True]
    assert [parameter.requires_grad for parameter in model.parameters()] == [True, False, True, True]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    assert X.grad is None and torch.equal(X, before)
    assert not any(wanted for _, wanted in model.calls)


@pytest.mark.parametrize("block", [torch.no_grad, torch.inference_mode])
def test_gradients_are_there_within_a_block_without_them(block: Any) -> None:
    X = sequences()
    with block():
        values = captum_attribution(MODEL, X, objective=objective)
    assert close(values, gradient(MODEL, X))


def test_progress_counts_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    captum_attribution(MODEL, sequences(), method="integrated_gradients", n_steps=7, verbose=True)
    assert "integrated_gradients: 100%" in (err := capsys.readouterr().err) and "21/21" in err
    captum_attribution(MODEL, sequences(), method=saliency, dtype=torch.float64, verbose=True)
    assert "saliency: 100%" in (err := capsys.readouterr().err) and "3/3" in err
    captum_attribution(MODEL, sequences())
    assert capsys.readouterr().err == ""


class Hungry(torch.nn.Module):
    """Needs more memory than there is, as a layer over a long sequence may."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, 0, 0, None] * torch.empty(2**52)


class HungryBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, X: torch.Tensor) -> torch.Tensor:
        return X.sum((1, 2))

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nAnd more.")


class BackwardHungry(torch.nn.Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return HungryBackward.apply(X)[:, None]


@pytest.mark.parametrize("method", [*METHODS, saliency])
def test_running_out_of_memory_states_the_memory_and_what_needs_less(method: Any) -> None:
    n = 32 if method == "integrated_gradients" else 3
    rule = rf"gradients of {n} sequences of 60 bp at a time, in float32, ran out of memory on cpu.*GiB; "
    with pytest.raises(
        MemoryError, match=rule + r"a batch_size below \d+ or dtype=torch.bfloat16 or a span.*can't allocate"
    ):
        captum_attribution(Hungry(), sequences(torch.float32), method=method, device="cpu")
    with pytest.raises(MemoryError, match=rule + r".*Tried to allocate 2.00 GiB.$"):
        captum_attribution(BackwardHungry(), sequences(torch.float32), method=method, device="cpu")
    with pytest.raises(MemoryError, match=r"of 1 sequences .*; dtype=torch.bfloat16 or"):
        captum_attribution(Hungry(), sequences(torch.float32)[:1], method=method, device="cpu", n_steps=1, batch_size=1)


def test_other_errors_of_the_model_are_its_own() -> None:
    model = Watched()
    model.fails = True
    with pytest.raises(RuntimeError, match=r"^no more$"):
        captum_attribution(model, sequences(torch.float32), device="cpu")


class Steps(torch.nn.Module):
    """Not to be differentiated."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.argmax(1).double()


class Blank(torch.nn.Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return CountA()(X) * torch.where(X[:, 1, :1] == 1, torch.nan, 1)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "method": ({"method": "gradcam"}, "method must be one of saliency, .*; got 'gradcam'"),
    "span": ({"span": (50, 70)}, r"span must lie inside the window of 60 bp; got \[50, 70\) at index 0"),
    "spans": ({"span": [(0, 5), (0, 6), (0, 5)]}, "span must be of one length, 5 bp; got 6 bp for example 1"),
    "steps": ({"n_steps": 0}, "n_steps must be at least 1; got 0"),
    "batch": ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
    "args": ({"args": [torch.zeros(2, 1)]}, "args must have 3 rows, one per example; got 2 at index 0"),
    "incremental": ({"incremental": True}, "incremental=True needs an IncrementalModel; got Mixer"),
    "baselines of another": ({"baselines": sequences()[:, None]}, "baselines are of method 'integrated_gradients'"),
    "baselines": (
        {"baselines": sequences()[:2, None], "method": "integrated_gradients"},
        r"baselines must have shape \(3, n, 4, 60\); got \(2, 1, 4, 60\)",
    ),
    "objective": ({"objective": lambda y: y.mean()}, r"objective must return a tensor of shape \(3,\); got \(\)"),
    "objective of a function": (
        {"objective": lambda y: y.mean(), "method": saliency, "dtype": torch.float64},
        r"objective must return a tensor of shape \(3,\); got \(\)",
    ),
    "no baselines": (
        {"baselines": None, "method": "integrated_gradients"},
        r"baselines must be sequences, shape \(N, n, 4, L\), or a number; got None",
    ),
    "one of ours": (
        {"additional_func_kwargs": {"abs": True}},
        "additional_func_kwargs must not hold what is set here, .*; got 'abs'",
    ),
    "function": ({"method": lambda model, X: X[:, 0]}, r"must return a tensor of shape \(3, 4, 60\); got \(3, 60\)"),
    "incremental function": (
        {"method": saliency, "model": RegulatoryToy(512), "X": torch.eye(4).repeat(1, 128)[None], "incremental": True},
        "incremental=True needs a method of Captum's; got saliency",
    ),
    "random_state": ({"random_state": [1, 2], "method": deep_lift_shap}, "random_state"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_named(name: str) -> None:
    options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        captum_attribution(**{"model": MODEL, "X": sequences(), **options})


class Root(torch.nn.Module):
    """A finite value, whose gradient at 0 is not."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return ((X[:, 0] - 1).abs() * X[:, 1]).sqrt().sum(1, keepdim=True)


@pytest.mark.parametrize("method", [*METHODS[:2], saliency])
def test_nan_in_attributions_is_refused(method: Any) -> None:
    X = torch.eye(4)[:, [2, 3]].repeat(2, 1, 1)
    X[1, :, 1] = torch.tensor([1.0, 0, 0, 0])
    with pytest.raises(ValueError, match=r"attributions must be finite, not NaN; got NaN for example [01]"):
        captum_attribution(Root(), X, method=method)


def test_a_function_gets_its_args_and_may_be_anything_callable() -> None:
    class Sum(torch.nn.Module):
        def forward(self, X: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
            return X[:, :1].sum(-1) * factor

    X, factor = sequences(torch.float32), torch.tensor([[1.0], [2.0], [3.0]])
    expected = captum_attribution(Sum(), X, args=[factor])
    for function in (
        partial(saliency, gradient_correction=False, hypothetical=True),
        lambda model, X, **options: saliency(
            model, X, gradient_correction=False, hypothetical=True, args=options["args"]
        ),
    ):
        torch.testing.assert_close(captum_attribution(Sum(), X, method=function, args=[factor]), expected)
    with pytest.raises(TypeError, match="args"):  # not left out without a word
        captum_attribution(Sum(), X, method=lambda model, X: X, args=[factor])


def test_integer_args_are_warned_of() -> None:
    class Sum(torch.nn.Module):
        def forward(self, X: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
            return X[:, :1].sum(-1) * factor

    with pytest.warns(UserWarning, match=r"casts args\[0\]"):
        captum_attribution(Sum(), sequences(torch.float32), args=[torch.ones(3, 1, dtype=torch.int64)])


def test_models_without_a_gradient_and_nan_are_refused() -> None:
    with pytest.raises(ValueError, match="differentiable in X; got an objective without a gradient, from Steps"):
        captum_attribution(Steps(), sequences())
    X = sequences(unknown=0)
    X[:, :, 0] = torch.tensor([1.0, 0, 0, 0])
    X[1, :, 0] = torch.tensor([0, 1.0, 0, 0])
    with pytest.raises(ValueError, match="objective must not be NaN; got NaN for example 1"):
        captum_attribution(Blank(), X)
