"""Attribute a scalar objective to bases: by gradients of Captum, or by a function of tangermeme."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence
from tqdm import tqdm

from ...engine import (
    ActivationCache,
    Objective,
    SpanObjective,
    check_args,
    check_engine_options,
    explain_in_place,
    first_infinite,
    warn_of_cast_args,
)
from ...sequence import (
    RandomState,
    Spans,
    check_count,
    check_one_width,
    example_seeds,
    pack,
    span_codes,
    span_per_example,
    to_one_hot,
)
from ._attribution_functions import attribute_by

CAPTUM = ("saliency", "input_x_gradient", "integrated_gradients")
_OURS = (
    "inputs",
    "abs",
    "target",
    "baselines",
    "n_steps",
    "internal_batch_size",
    "additional_forward_args",
    "return_convergence_delta",
)


def captum_attribution(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    *,
    method: str | Callable[..., torch.Tensor] = "saliency",
    objective: Objective | None = None,
    span: Spans | None = None,
    observed: bool = False,
    baselines: torch.Tensor | PackedSequence | float = 0.0,
    n_steps: int = 50,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = None,
    additional_func_kwargs: dict[str, Any] | None = None,
    batch_size: int = 32,
    dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
    incremental: bool | str = "auto",
    cache: ActivationCache | None = None,
    verbose: bool = False,
) -> torch.Tensor:
    """Attribute a scalar objective of any model to the bases of a span, by Captum or by tangermeme.

    The paper compares the fine-tile search with attributions (Toneyan & Koo 2024, Fig. 3b to e and Methods, "Fine-tile
    search"). Attributions are signed, raw and in the shapes of tangermeme. With a `span`, bases outside it are
    constants, and of an `IncrementalModel` only the surroundings of the span are differentiated; parameters never are.
    A method of Captum costs one forward and one backward pass per sequence, `n_steps` of each for integrated gradients,
    and n times as many with n baselines.

    Departures: `Saliency` of Captum returns absolute values by default, this function returns the gradient; neither
    corrects a gradient for the mean over bases, as `saliency` of tangermeme does.

    Parameters
    ----------
    model: torch.nn.Module
        Any model for which ``y = model(X, *args)`` works and can be differentiated.

    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    method: str or callable, optional
        "saliency" is the gradient [1]_; "input_x_gradient" the gradient at the observed base, and 0 at others [2]_;
        "integrated_gradients" the integral of gradients on the straight path from a baseline, times the path [3]_. Or a
        function of tangermeme, `saliency` or `deep_lift_shap`, or one that takes their arguments ``(model, X, args,
        target, ...)`` and returns shape (N, 4, L). It gets a model whose only output is the objective, and full
        sequences. Default is "saliency".

    objective: callable or None, optional
        From the predictions of a batch to one number per sequence, shape (B,), by operations that can be
        differentiated. None is the mean over all output axes. Default is None.

    span: (start, end), or shape=(N, 2), or None, optional
        0-based half-open span in bp, for all examples or one per example, all of one width W. None is the whole
        sequence. Default is None.

    observed: bool, optional
        Whether to return one importance per base: for a gradient, that at the observed base; for contributions, their
        sum over the four bases. It is 0 at an unknown base. Default is False.

    baselines: torch.Tensor, shape=(N, n, 4, L), or PackedSequence, or float, optional
        For integrated gradients: where the path starts. Sequences, such as the backgrounds of the search, are averaged
        over; a number is the value of all four bases. 0 is an unknown base, except in models that fill unknown bases
        with 0.25, as the adapters of Enformer and Borzoi do: 0.25 is an unknown base there. Default is 0, as in
        Captum.

    n_steps: int, optional
        Steps of integrated gradients, by Gauss-Legendre quadrature. Default is 50.

    args: sequence of torch.Tensor or None, optional
        Further inputs of the model, each with N rows. Default is None.

    random_state: int, one int per example, or None, optional
        The seed of a `method` that takes one; example i gets the seed ``random_state + i``, in a separate call. Default
        is None.

    additional_func_kwargs: dict or None, optional
        Further arguments of `attribute` of Captum, or of the function. A function gets all of each, but for
        `references` of tangermeme, of which it gets those of its examples. Default is None.

    batch_size: int, optional
        The most sequences that run at a time; on a CPU at most 131,072 bp, or one sequence. Default is 32.

    dtype: str, torch.dtype or None, optional
        Half precision runs the model under autocast. float16 may lose small gradients, bfloat16 does not. None is the
        model's. Default is None.

    device, incremental, cache, verbose, optional
        As in the tests.

    Returns
    -------
    attributions: torch.Tensor, shape=(N, 4, W), or (N, W) if `observed`
        On the CPU.

    Raises
    ------
    ValueError
        If X is not one-hot, the method, the span or the baselines are not as above, an attribution or the objective is
        NaN, or the model or the objective cannot be differentiated.

    MemoryError
        If the activations do not fit; the message states the memory, and options that need less.

    References
    ----------
    .. [1] Simonyan K, Vedaldi A, Zisserman A. Deep inside convolutional networks. 2013. arXiv:1312.6034
    .. [2] Shrikumar A, Greenside P, Shcherbina A, Kundaje A. Not just a black box. 2016. arXiv:1605.01713
    .. [3] Sundararajan M, Taly A, Yan Q. Axiomatic attribution for deep networks. ICML 2017. arXiv:1703.01365

    Examples
    --------
    >>> class CountA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].sum(-1, keepdim=True)
    >>> X = torch.eye(4)[None]   # ACGT
    >>> captum_attribution(CountA(), X, method="input_x_gradient", span=(0, 3), observed=True)
    tensor([[1., 0., 0.]])
    >>> from tangermeme.saliency import saliency
    >>> captum_attribution(CountA(), X, method=saliency, span=(0, 3), observed=True)
    tensor([[ 0.7500, -0.2500, -0.2500]])
    """
    packed = pack(X)
    if not callable(method) and method not in CAPTUM:
        raise ValueError(f"method must be one of {', '.join(CAPTUM)}, or a function; got {method!r}.")
    check_count("n_steps", n_steps)
    check_engine_options(model, batch_size, incremental, cache, dtype=dtype, device=device)
    check_args(args, len(packed))
    spans = span_per_example((0, packed.length) if span is None else span, len(packed), packed.length, "span")
    check_one_width(spans, "span")
    number = not isinstance(baselines, (torch.Tensor, PackedSequence))
    if number and (not isinstance(baselines, (int, float)) or not math.isfinite(baselines)):
        raise ValueError(f"baselines must be sequences, shape (N, n, 4, L), or a number; got {baselines!r}.")
    if not (number and baselines == 0) and method != "integrated_gradients":
        raise ValueError(f"baselines are of method 'integrated_gradients'; got {method!r}.")
    warn_of_cast_args(args, predict)
    kwargs = dict(additional_func_kwargs or {})
    if callable(method):
        name = getattr(method, "__name__", repr(method))
        if incremental is True:
            raise ValueError(f"incremental=True needs a method of Captum's; got {name}.")
        seeds = example_seeds(random_state, len(packed))
        with tqdm(total=len(packed), desc=name, unit="seq", disable=not verbose) as bar:
            values = attribute_by(
                method, model, packed, spans, objective=objective, args=args, seeds=seeds, progress=bar, kwargs=kwargs,
                batch_size=batch_size, dtype=dtype, device=device,
            )  # fmt: skip
        _refuse_infinite(values)
        return (values * to_one_hot(span_codes(packed, spans))).sum(1) if observed else values
    for name in _OURS:
        if name in kwargs:
            raise ValueError(
                f"additional_func_kwargs must not hold what is set here, {', '.join(_OURS)}; got {name!r}."
            )
    if isinstance(baselines, (torch.Tensor, PackedSequence)):
        baselines = _packed_baselines(baselines, packed)
    per_row = int(baselines.shape[1]) if isinstance(baselines, PackedSequence) else 1
    per_row *= n_steps if method == "integrated_gradients" else 1
    with (
        tqdm(total=len(packed) * per_row, desc=method, unit="seq", disable=not verbose) as bar,
        SpanObjective(
            model, packed, spans, args=args, objective=objective, batch_size=batch_size, dtype=dtype, device=device,
            incremental=incremental, cache=cache, progress=bar,
        ) as value,
    ):  # fmt: skip
        values = _by_captum(method, value, spans, len(packed), baselines, n_steps, kwargs)
    _refuse_infinite(values)
    if not observed:
        return values
    # A gradient is read at the observed base. The other methods have multiplied by the input already, and are summed.
    here = to_one_hot(span_codes(packed, spans))
    return (values * here).sum(1) if method == "saliency" else values.sum(1) * here.sum(1)


def _by_captum(
    method: str,
    objective: SpanObjective,
    spans: torch.Tensor,
    n: int,
    baselines: PackedSequence | float,
    n_steps: int,
    kwargs: dict[str, Any],
) -> torch.Tensor:
    from captum.attr import InputXGradient, IntegratedGradients, Saliency

    def attribute(rows: torch.Tensor, start: torch.Tensor | float) -> torch.Tensor:
        x = objective.one_hot(rows).requires_grad_()
        at_once = min(objective.batch_size, len(rows) * (n_steps if method == "integrated_gradients" else 1))
        with objective.explain_out_of_memory(at_once), explain_in_place(objective.model):
            # Captum repeats `rows` as it repeats the sequences.
            if method == "saliency":
                y = Saliency(objective).attribute(x, abs=False, additional_forward_args=rows, **kwargs)
            elif method == "input_x_gradient":
                y = InputXGradient(objective).attribute(x, additional_forward_args=rows, **kwargs)
            else:
                y = IntegratedGradients(objective).attribute(
                    x, baselines=start, additional_forward_args=rows, n_steps=n_steps,
                    internal_batch_size=objective.batch_size, **kwargs,
                )  # fmt: skip
        return y.detach().cpu()

    size = objective.batch_size
    if method != "integrated_gradients":
        return torch.cat([attribute(rows, 0.0) for rows in torch.arange(n).split(size)])
    size = max(1, size // n_steps)
    if isinstance(baselines, float | int):
        return torch.cat([attribute(rows, float(baselines)) for rows in torch.arange(n).split(size)])
    n_starts = int(baselines.shape[1])
    total: torch.Tensor | None = None
    for pairs in torch.arange(n * n_starts).split(size):
        rows, which = pairs // n_starts, pairs % n_starts
        start = to_one_hot(span_codes(baselines[rows, which], spans[rows]))
        values = attribute(rows, start.to(objective.one_hot(rows[:1]))) / n_starts
        if total is None:
            total = torch.zeros((n, *values.shape[1:]), dtype=values.dtype)
        total.index_add_(0, rows, values)
    assert total is not None
    return total


def _refuse_infinite(values: torch.Tensor) -> None:
    if not values.isfinite().all():
        i, got = first_infinite(values)
        raise ValueError(f"attributions must be finite; got {got} for example {i}.")


def _packed_baselines(baselines: torch.Tensor | PackedSequence, X: PackedSequence) -> PackedSequence:
    packed = pack(baselines, "baselines", batch_axes=2)
    if len(packed) != len(X) or packed.length != X.length:
        raise ValueError(f"baselines must have shape ({len(X)}, n, 4, {X.length}); got {tuple(packed.shape)}.")
    return packed
