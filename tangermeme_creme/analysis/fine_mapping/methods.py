"""The methods of a comparison by name, and the attributions and ranking of each for one CRE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.saliency import saliency
from tangermeme.utils import PackedSequence

from ...sequence import to_one_hot
from ...support import dropped
from .attribution import CAPTUM, captum_attribution

ATTRIBUTIONS: dict[str, str | Callable[..., torch.Tensor]] = {
    **{name: name for name in CAPTUM},
    "corrected_saliency": saliency,
    "deep_lift_shap": deep_lift_shap,
}
ABSOLUTE = "_absolute"
METHODS = ("search", *(name + end for name in ATTRIBUTIONS for end in ("", ABSOLUTE)), "motifs", "random")


def check_methods(methods: Sequence[str], motifs: object, rankings: Sequence[str]) -> list[str]:
    """Check and return the methods of a comparison, your own rankings after the others.

    Raises
    ------
    ValueError
        If no method is named, one is unknown or named twice, or "motifs" comes without motifs.

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
        raise ValueError("rankings must not be named 'truth', the name of the known elements.")
    asked = [*methods, *rankings]
    if not asked:
        raise ValueError("methods must name at least one; got none.")
    twice = [name for i, name in enumerate(asked) if name in asked[:i]]
    if twice:
        raise ValueError(f"methods and rankings must have different names; got {twice[0]!r} twice.")
    if "motifs" in asked and motifs is None:
        raise ValueError("method 'motifs' must have motifs, a MEME file or a mapping; got None.")
    return asked


def attribution_of(method: str) -> str:
    """Return the attribution that a ranking is made from.

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
    """Attribute the bases of a span by a named method, shape (4, W), averaged over `sequences`.

    `starts`, shape (N, 4, L) or one value, are the baselines of integrated gradients; `references`, shape
    (N, n, 4, L), those of DeepLIFT.
    """
    method = ATTRIBUTIONS[name]
    more: dict[str, Any] = {"incremental": "auto"} if callable(method) else {}  # these functions run full sequences
    if name == "integrated_gradients":
        baselines = starts.reshape(len(starts), 1) if isinstance(starts, PackedSequence) else starts
        more = {"n_steps": n_steps, "baselines": baselines}
    elif name == "deep_lift_shap":
        # With only_warn it does not refuse unknown bases, which add zeros to its sums; the warning is ignored below.
        more["additional_func_kwargs"] = {"references": references, "hypothetical": True, "only_warn": True}
    elif name == "corrected_saliency":
        more["additional_func_kwargs"] = {"hypothetical": True}
    seeds = [random_state] * len(sequences)
    with dropped("one-hot encoded and cannot have unknown characters"):
        values = captum_attribution(
            model, sequences, method=method, span=span, random_state=seeds, **{**options, **more}
        )
    return values.double().mean(0)


def rank(method: str, values: torch.Tensor, codes: torch.Tensor, direction: str) -> torch.Tensor:
    """Return the importance of each base, shape (W,), from attributions, shape (4, W), and base codes, shape (W,).

    Signed: how much the observed base raises the prediction or, for direction "min", lowers it. Absolute: the size of
    that change; for plain saliency, the largest gradient of the four bases (Simonyan et al. 2013).

    Examples
    --------
    >>> values, codes = torch.tensor([[1.0, 0.5], [0.0, -3.0], [0.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 0])
    >>> rank("saliency", values, codes, "min"), rank("saliency_absolute", values, codes, "max")
    (tensor([-1.0000, -0.5000], dtype=torch.float64), tensor([1., 3.], dtype=torch.float64))
    """
    name = attribution_of(method)
    # Captum has multiplied its contributions by the input, or by its difference from a background: they are summed.
    summed = name in ("input_x_gradient", "integrated_gradients")
    known = codes < 4  # an unknown base may have a gradient, but there is no base to keep
    observed = values.double().sum(0) * known if summed else (values.double() * to_one_hot(codes)).sum(0)
    if method.endswith(ABSOLUTE):
        return values.double().abs().amax(0) * known if name == "saliency" else observed.abs()
    return observed if direction == "max" else -observed
