"""Attributions by Captum and by tangermeme against autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from attribution_cases import LENGTH, METHODS, MODEL, SPANS, Scalar, close, cut, gradient, objective, sequences
from helpers import ScaledMixer, TwoHeads
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.saliency import saliency
from tangermeme.utils import PackedSequence

from tangermeme_creme.analysis.fine_mapping import captum_attribution


def integral(model: torch.nn.Module, x: torch.Tensor, start: torch.Tensor, n_steps: int = 50) -> torch.Tensor:
    """The gradient along the way from `start` to `x`, both shape (4, L), by Gauss-Legendre, times the way."""
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    total = torch.zeros_like(x)
    for node, weight in zip((nodes + 1) / 2, weights / 2):
        total += weight * gradient(model, (start + node * (x - start))[None])[0]
    return total * (x - start)


def without_span(X: torch.Tensor) -> torch.Tensor:
    """Unknown bases in the spans: where the way of integrated gradients starts."""
    X = X.clone()
    for i, (start, end) in enumerate(SPANS):
        X[i, :, start:end] = 0
    return X


def expected(method: str, X: torch.Tensor) -> torch.Tensor:
    if method == "saliency":
        return cut(gradient(MODEL, X))
    if method == "input_x_gradient":
        return cut(X * gradient(MODEL, X))
    return cut(torch.stack([integral(MODEL, x, start) for x, start in zip(X, without_span(X))]))


@pytest.mark.parametrize("method", METHODS)
def test_values_are_those_of_autograd(method: str) -> None:
    X = sequences()
    values = captum_attribution(MODEL, X, method=method, objective=objective, span=SPANS)
    assert close(values, expected(method, X)) and values.dtype == torch.float64


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch_size", [1, 2, 70, 500])
def test_the_batch_size_changes_nothing(method: str, batch_size: int) -> None:
    X = sequences()
    values = captum_attribution(MODEL, X, method=method, objective=objective, span=SPANS, batch_size=batch_size)
    assert close(values, expected(method, X))


@pytest.mark.parametrize("method", METHODS)
def test_values_of_a_network_in_single_precision(method: str) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv1d(4, 8, 7, padding=3), torch.nn.GELU(), torch.nn.Flatten(), torch.nn.Linear(8 * LENGTH, 3)
    )
    X = sequences(torch.float32)
    values = captum_attribution(model, X.to(torch.int8), method=method, span=(10, 30))
    slope = gradient(model, X, goal=lambda y: y.mean(1))[:, :, 10:30]
    if method != "integrated_gradients":
        assert close(values, slope if method == "saliency" else slope * X[:, :, 10:30])
    gain = captum_attribution(model, X, method="integrated_gradients", span=(10, 30)).sum((1, 2))
    gone = X.clone()
    gone[:, :, 10:30] = 0
    torch.testing.assert_close(gain, (model(X) - model(gone)).detach().mean(1), rtol=1e-4, atol=1e-6)


def test_the_whole_sequence_is_the_default() -> None:
    X = sequences()
    assert close(captum_attribution(MODEL, X, objective=objective), gradient(MODEL, X))
    default = captum_attribution(MODEL, X)
    assert close(default, gradient(MODEL, X, goal=lambda y: y.mean((1, 2))))


def test_input_times_gradient_is_tangermemes_uncorrected_saliency() -> None:
    class Two(torch.nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return MODEL(X)[:, :, 1]

    X = sequences()
    theirs = saliency(Two(), X, target=2, gradient_correction=False, dtype=torch.float64)
    ours = captum_attribution(Two(), X, method="input_x_gradient", objective=lambda y: y[:, 2], dtype=torch.float64)
    assert close(ours, theirs)
    through = captum_attribution(
        Two(), X, method=saliency, objective=lambda y: y[:, 2], dtype=torch.float64,
        additional_func_kwargs={"gradient_correction": False},
    )  # fmt: skip
    assert close(through, theirs)


@pytest.mark.parametrize("span", [None, (7, 33)])
@pytest.mark.parametrize("hypothetical", [False, True])
def test_tangermemes_functions_are_taken_as_they_are(span: Any, hypothetical: bool) -> None:
    X, model = sequences(torch.float32, unknown=0), Scalar()
    inside = slice(*span) if span else slice(None)
    options = {"hypothetical": hypothetical}
    ours = captum_attribution(
        model, X, method=saliency, span=span, objective=lambda y: y[:, 1], additional_func_kwargs=options
    )
    torch.testing.assert_close(ours, saliency(model, X, target=1, hypothetical=hypothetical)[..., inside])
    ours = captum_attribution(
        model, X, method=deep_lift_shap, span=span, objective=lambda y: y[:, 1], random_state=[5, 5, 5], batch_size=7,
        additional_func_kwargs={**options, "n_shuffles": 4},
    )  # fmt: skip
    theirs = deep_lift_shap(model, X, target=1, n_shuffles=4, random_state=5, hypothetical=hypothetical)
    torch.testing.assert_close(ours, theirs[..., inside])


def test_references_follow_their_examples() -> None:
    X, model = sequences(torch.float32, unknown=0), Scalar()
    references = dinucleotide_shuffle(X, n=3, random_state=0)
    ours = captum_attribution(
        model, X, method=deep_lift_shap, objective=lambda y: y[:, 0], observed=True,
        additional_func_kwargs={"references": references},
    )  # fmt: skip
    theirs = deep_lift_shap(model, X, references=references)
    torch.testing.assert_close(ours, theirs.sum(1))
    gain = (model(X)[:, 0] - model(references.reshape(-1, 4, LENGTH))[:, 0].reshape(3, 3).mean(1)).detach()
    torch.testing.assert_close(ours.sum(1), gain)


def test_other_tensors_with_a_row_per_example_stay_whole() -> None:
    X, weights = sequences(torch.float32, unknown=0), torch.arange(3.0)
    assert len(X) == len(weights)

    def by_weight(model: torch.nn.Module, X: torch.Tensor, *, weights: torch.Tensor) -> torch.Tensor:
        return X.float() * weights.sum()

    ours = captum_attribution(Scalar(), X, method=by_weight, batch_size=1, additional_func_kwargs={"weights": weights})
    assert ours.equal(X * 3)


def test_references_that_are_too_few_are_refused() -> None:
    X = sequences(torch.float32, unknown=0)
    references = dinucleotide_shuffle(X, n=3, random_state=0)[:2]
    with pytest.raises(ValueError, match="references must have 3 rows, one per example; got 2"):
        captum_attribution(Scalar(), X, method=deep_lift_shap, additional_func_kwargs={"references": references})


def test_seeds_are_those_of_each_example() -> None:
    X, model = sequences(torch.float32, unknown=0), Scalar()
    options: dict[str, Any] = {"method": deep_lift_shap, "additional_func_kwargs": {"n_shuffles": 2}}
    together = captum_attribution(model, X, random_state=3, **options)
    for i in range(3):
        torch.testing.assert_close(captum_attribution(model, X[[i]], random_state=3 + i, **options), together[[i]])
    assert not torch.equal(captum_attribution(model, X, random_state=4, **options), together)


@pytest.mark.parametrize("method", METHODS)
def test_observed_importance_is_one_number_a_base(method: str) -> None:
    X = sequences()
    values = captum_attribution(MODEL, X, method=method, objective=objective, span=SPANS)
    observed = captum_attribution(MODEL, X, method=method, objective=objective, span=SPANS, observed=True)
    assert close(observed, (values * cut(X)).sum(1))
    unknown = cut(X).sum(1) == 0
    assert unknown.any() and not observed[unknown].any()
    other = captum_attribution(
        MODEL, X, method=saliency, objective=objective, span=SPANS, observed=True, dtype=torch.float64,
        additional_func_kwargs={"hypothetical": True, "gradient_correction": False},
    )  # fmt: skip
    if method != "integrated_gradients":
        assert close(observed, other)  # at the observed base the gradient is input times gradient


@pytest.mark.parametrize("batch_size", [1, 100, 1000])
def test_integrated_gradients_from_backgrounds_are_the_mean_over_them(batch_size: int) -> None:
    X = sequences(unknown=0)
    starts = dinucleotide_shuffle(X, n=4, random_state=0)
    values = captum_attribution(
        MODEL, X, method="integrated_gradients", objective=objective, span=SPANS, baselines=starts,
        batch_size=batch_size, n_steps=20,
    )  # fmt: skip
    ways = []
    for i, (start, end) in enumerate(SPANS):
        from_each = []
        for k in range(4):
            begin = X[i].clone()
            begin[:, start:end] = starts[i, k, :, start:end]
            from_each.append(integral(MODEL, X[i], begin, 20)[:, start:end])
        ways.append(torch.stack(from_each).mean(0))
    assert close(values, torch.stack(ways))
    packed = captum_attribution(
        MODEL, X, method="integrated_gradients", objective=objective, span=SPANS, observed=True, n_steps=20,
        baselines=PackedSequence.from_one_hot(starts),
    )  # fmt: skip
    assert close(packed, values.sum(1))


def test_integrated_gradients_from_one_value_add_up_to_what_it_is_worth() -> None:
    """Also where a model fills unknown bases with 0.25, so that no way from zeros begins at one."""

    class Filling(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = MODEL

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return self.network(X.masked_fill((X == 0).all(1, keepdim=True), 0.25))

    X = sequences(unknown=0)
    for model, value in ((MODEL, 0.0), (MODEL, 0.25), (Filling(), 0.25)):
        start = without_span(X)
        if value and model is MODEL:
            for i, (first, last) in enumerate(SPANS):
                start[i, :, first:last] = value
        attributions = captum_attribution(
            model, X, method="integrated_gradients", objective=objective, span=SPANS, baselines=value, n_steps=200
        )
        gain = (objective(model(X)) - objective(model(start))).detach()
        torch.testing.assert_close(attributions.sum((1, 2)), gain, rtol=5e-3, atol=1e-3)
    zeros = captum_attribution(
        Filling(), X, method="integrated_gradients", objective=objective, span=SPANS, n_steps=200
    ).sum((1, 2))
    assert ((zeros - gain).abs() > 0.01).all()


def test_args_follow_their_examples() -> None:
    model, X = ScaledMixer(LENGTH), sequences()
    args = [torch.tensor([[1.0], [2.0], [5.0]]).double(), torch.arange(6.0).reshape(3, 2).double()]
    for method in (*METHODS, saliency):
        options: dict[str, Any] = {"method": method, "span": (0, 40), "dtype": torch.float64}
        together = captum_attribution(model, X, args=args, batch_size=2, **options)
        for i in range(3):
            alone = captum_attribution(model, X[[i]], args=[arg[[i]] for arg in args], **options)
            assert close(alone, together[[i]])
    expected_values = gradient(model, X, *args, goal=lambda y: y.mean((1, 2)))[:, :, :40]
    assert close(captum_attribution(model, X, args=args, span=(0, 40)), expected_values)


def test_a_model_of_several_outputs_has_its_objective() -> None:
    X, model = sequences(), TwoHeads(LENGTH)
    assert close(
        captum_attribution(model, X, objective=lambda y: y[1][:, 0]), gradient(model, X, goal=lambda y: y[1][:, 0])
    )
    with pytest.raises(ValueError, match=r"objective must be given.*got 2 outputs"):
        captum_attribution(model, X)


def test_packed_sequences_and_any_dtype_give_the_same() -> None:
    X = sequences()
    values = captum_attribution(MODEL, X, objective=objective, span=SPANS)
    for other in (X.to(torch.int8), X.bool(), PackedSequence.from_one_hot(X.to(torch.int8))):
        torch.testing.assert_close(captum_attribution(MODEL, other, objective=objective, span=SPANS), values)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["bfloat16", torch.float16])
def test_half_precision_differs_by_its_rounding_only(method: str, dtype: Any) -> None:
    model, X = Scalar(), sequences(torch.float32)
    full = captum_attribution(model, X, method=method)
    half = captum_attribution(model, X, method=method, dtype=dtype)
    assert half.dtype == torch.float32
    assert 0 < float((half - full).abs().max()) < 0.05 * float(full.abs().max())
