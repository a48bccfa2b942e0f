"""The methods that a comparison knows by name, and what each says of the bases of one CRE."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.saliency import saliency
from tangermeme.utils import PackedSequence

from ...sequence import to_one_hot
from .attribution import CAPTUM, captum_attribution

ATTRIBUTIONS: dict[str, str | Callable[..., torch.Tensor]] = {
    **{name: name for name in CAPTUM},
    "corrected_saliency": saliency,
    "deep_lift_shap": deep_lift_shap,
}
ABSOLUTE = "_absolute"
METHODS = ("search", *(name + end for name in ATTRIBUTIONS for end in ("", ABSOLUTE)), "motifs", "random")


def check_methods(methods: Sequence[str], motifs: object, rankings: Sequence[str]) -> list[str]:
    """The methods of a comparison, those of one's own after the others.

    Raises
    ------
    ValueError
        If there is none, one is unknown or twice there, or "motifs" has none to look for.

    Examples
    --------
    >>> check_methods(["search", "random"], None, ["mine"])
    ['search', 'random', 'mine']
    """
    if isinstance(methods, str):
        raise ValueError(f"methods must be a sequence of names; got {methods!r}.")
    for i, name in enumerate(methods):
        if name not in METHODS:
            raise ValueError(f"methods must be of {', '.join(METHODS)}; got {name!r} at index {i}.")
    if "truth" in rankings:
        raise ValueError("rankings must not be named 'truth', as known elements are; got it.")
    asked = [*methods, *rankings]
    if not asked:
        raise ValueError("methods must name at least one; got none.")
    twice = [name for i, name in enumerate(asked) if name in asked[:i]]
    if twice:
        raise ValueError(f"methods and rankings must have names of their own; got {twice[0]!r} twice.")
    if "motifs" in asked and motifs is None:
        raise ValueError("method 'motifs' must have motifs, a MEME file or a mapping; got None.")
    return asked


def attribution_of(method: str) -> str:
    """The attribution that a ranking is made from.

    >>> attribution_of("saliency_absolute")
    'saliency'
    """
    return method.removesuffix(ABSOLUTE)


def attribute(
    name: str,
    model: torch.nn.Module,
    sequences: PackedSequence,
    span: tuple[int, int],
    *,
    starts: PackedSequence | float,
    references: PackedSequence,
    n_steps: int,
    random_state: int,
    **options: Any,
) -> torch.Tensor:
    """What a method attributes to the bases of a span, shape (4, W), the mean over `sequences`.

    `starts`, shape (N, 4, L) or one value, is where integrated gradients begin; `references`, shape
    (N, n, 4, L), is what DeepLIFT compares with.
    """
    method = ATTRIBUTIONS[name]
    more: dict[str, Any] = {"incremental": "auto"} if callable(method) else {}  # those run whole sequences
    if name == "integrated_gradients":
        ways = starts.reshape(len(starts), 1) if isinstance(starts, PackedSequence) else starts
        more = {"n_steps": n_steps, "baselines": ways}
    elif name == "deep_lift_shap":
        # It refuses unknown bases unless told to warn of them only; to its sums they are zeros like any other.
        more["additional_func_kwargs"] = {"references": references, "hypothetical": True, "only_warn": True}
    elif name == "corrected_saliency":
        more["additional_func_kwargs"] = {"hypothetical": True}
    seeds = [random_state] * len(sequences)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*one-hot encoded and cannot have unknown characters")
        values = captum_attribution(
            model, sequences, method=method, span=span, random_state=seeds, **{**options, **more}
        )
    return values.double().mean(0)


def rank(method: str, values: torch.Tensor, codes: torch.Tensor, direction: str) -> torch.Tensor:
    """The importance of each base, shape (W,), from attributions, shape (4, W), and its base codes, shape (W,).

    Signed: what the observed base adds, to the prediction or, of a silencer, taken from it. Absolute: how much it
    does either way; of plain saliency, the largest gradient of the four bases (Simonyan et al. 2013).

    Examples
    --------
    >>> values, codes = torch.tensor([[1.0, 0.5], [0.0, -3.0], [0.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 0])
    >>> rank("saliency", values, codes, "min"), rank("saliency_absolute", values, codes, "max")
    (tensor([-1.0000, -0.5000], dtype=torch.float64), tensor([1., 3.], dtype=torch.float64))
    """
    name = attribution_of(method)
    # Contributions of Captum's are multiplied by what is there already, and those from a background by what it lacks.
    summed = name in ("input_x_gradient", "integrated_gradients")
    known = codes < 4  # an unknown base may have a gradient, and is nothing that could be kept
    observed = values.double().sum(0) * known if summed else (values.double() * to_one_hot(codes)).sum(0)
    if method.endswith(ABSOLUTE):
        return values.double().abs().amax(0) * known if name == "saliency" else observed.abs()
    return observed if direction == "max" else -observed
