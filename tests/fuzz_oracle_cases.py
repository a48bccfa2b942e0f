"""The naive loop for random calls of operators: one sequence at a time, with tangermeme's shuffles."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
from fuzz_model_cases import add, double
from fuzz_operator_cases import GREEDY, Call
from helpers import put, shuffles
from tangermeme.utils import PackedSequence

from tangermeme_creme.engine import mean_objective

# The outputs of a model are a tuple of tensors here, and lists are axes.
Outputs = tuple[torch.Tensor, ...]


def compare(call: Call, result: Any) -> str | None:
    """Say where a result differs from the naive loop, or None."""
    loop = NaiveLoop(call)
    for name, expected in loop.fields().items():
        found = _field(result, name)
        found, single = ((found,), True) if isinstance(found, torch.Tensor) else (found, False)
        if single != loop.single(name) or len(found) != len(expected):
            return f"{name} has {len(found)} outputs (one tensor: {single}), not {len(expected)}"
        for one, other in zip(found, expected):
            if one.shape != other.shape:
                return f"{name} has shape {tuple(one.shape)}, not {tuple(other.shape)}"
            difference = largest_difference(one, other, loop.tolerance)
            if difference:
                return f"{name} is off by {difference:.3g}"
    return None


def largest_difference(one: torch.Tensor, other: torch.Tensor, tolerance: float) -> float:
    """The largest difference of two tensors, or 0 where rounding explains it."""
    one, other = one.double(), other.double()
    close = torch.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)
    return 0.0 if close else float((one - other).abs().nan_to_num(nan=torch.inf).max())


def _field(result: Any, name: str) -> Any:
    """A field of a result, or what the loop knows of the rounds of a search."""
    if name == "backgrounds":
        return result.to_one_hot()
    if name == "start":
        return result.y_start[:, 0]
    if name == "candidates":
        return result.y_candidates[:, 0]
    if name == "width":
        kept = [sum(end - start for start, end in spans) for spans in result.kept]
        assert kept == [steps[-1].bp_kept for steps in result.trace] == result.mask.sum(1).tolist(), "kept bp"
        return torch.tensor([steps[0].bp_kept for steps in result.trace])
    return getattr(result, name)


class NaiveLoop:
    """Work out the fields of a result from the arguments of a call; refuse arguments that are not what they must be."""

    def __init__(self, call: Call) -> None:
        self.call, self.values = call, call.values
        self.model = call.values.get("model")
        name = "X_source" if call.operator == "context_swap_test" else "X"
        self.X = _sequences(self.values[name])
        self.n = _count(self.values.get("n", 1))
        self.shuffle_fn = self.values.get("shuffle_fn")
        self.args = self.values.get("args") or ()
        self.several = False
        dtypes = [p.dtype for p in self.model.parameters()] if isinstance(self.model, torch.nn.Module) else []
        self.tolerance = 1e-9 if dtypes and dtypes[0] == torch.float64 else 2e-4
        self.seeds = self._seeds(self.values.get("random_state"))

    def fields(self) -> dict[str, Outputs]:
        """Each field, with the examples as first axis."""
        parts = [getattr(self, f"_{self.call.operator}")(i) for i in range(len(self.X))]
        fields = {name: stack([part[name] for part in parts]) for name in parts[0]}
        if self.call.operator == "context_swap_test":
            targets, args = _sequences(self.values["X_target"]), self.values.get("args_target") or ()
            fields["y_target"] = stack([self.predict(x, j, args) for j, x in enumerate(targets)])
        return fields

    def single(self, name: str) -> bool:
        """Whether a field is one tensor and not a list of them."""
        return self.several is False or self.call.operator in GREEDY or name == "backgrounds"

    def _seeds(self, random_state: Any) -> list[int]:
        if self.call.operator == "context_swap_test":
            return [0] * len(self.X)
        if random_state is None:
            random_state = int(np.random.RandomState(12).randint(0, 2**31 - 1))
        array = _integers(random_state)
        return (array + np.arange(len(self.X)) if array.ndim == 0 else array).tolist()

    def predict(self, x: torch.Tensor, i: int, args: Sequence[torch.Tensor] | None = None) -> Outputs:
        """The outputs of the model for one sequence with the further inputs of example i."""
        args = self.args if args is None else args
        model = self.model
        first = next(model.parameters(), torch.zeros(()))
        training = [module for module in model.modules() if module.training]
        func, options = self.values.get("func"), self.values.get("additional_func_kwargs") or {}
        offset = {"offset": self.values.get("offset", 0.0), **options}["offset"]
        try:
            with torch.no_grad():
                y = model.eval()(x[None].to(first.dtype), *(arg[i : i + 1].to(first.dtype) for arg in args))
        finally:
            for module in training:
                module.training = True
        self.several = not isinstance(y, torch.Tensor)
        parts = y if self.several else [y]
        return tuple(part[0] * 2 + offset if func in (double, add) else part[0] for part in parts)

    def objective(self, x: torch.Tensor, i: int) -> Outputs:
        y = [part[None] for part in self.predict(x, i)]
        objective = self.values.get("objective") or mean_objective
        return (objective(y if self.several else y[0])[0],)

    def spans(self, name: str) -> list[tuple[int, int]]:
        array = _integers(self.values[name])
        array = array[None] if array.shape == (2,) else array
        assert array.ndim == 2 and array.shape[1] == 2 and len(array), f"{name} of shape {array.shape}"
        assert (
            (array[:, 0] >= 0).all() and (array[:, 1] <= self.X.shape[-1]).all() and (array[:, 0] < array[:, 1]).all()
        )
        return [(int(start), int(end)) for start, end in array]

    def span(self, name: str, i: int) -> tuple[int, int]:
        spans = self.spans(name)
        assert len(spans) in (1, len(self.X)), f"{len(spans)} spans in {name}"
        return spans[0 if len(spans) == 1 else i]

    def shuffled(self, x: torch.Tensor, seed: int) -> torch.Tensor:
        if self.shuffle_fn is None or "dinucleotide" in repr(self.shuffle_fn):
            return shuffles(x, self.n, seed)
        return self.shuffle_fn(x[None], n=self.n, random_state=seed)[0]

    def tile(self, i: int, span: tuple[int, int]) -> torch.Tensor:
        start, end = span
        seed = int(np.random.SeedSequence([self.seeds[i], start, end]).generate_state(1)[0] >> 1)
        return self.shuffled(self.X[i][:, start:end], seed)

    def backgrounds(self, i: int) -> torch.Tensor:
        given = self.values.get("backgrounds")
        if given is None:
            return self.shuffled(self.X[i], self.seeds[i])
        return _sequences(given)[i, : self.n]

    def controls(self, i: int, tss: tuple[int, int]) -> list[torch.Tensor]:
        return [self.copy(background, i, tss) for background in self.backgrounds(i)]

    def copy(self, x: torch.Tensor, i: int, span: tuple[int, int], at: int | None = None) -> torch.Tensor:
        """A copy of a sequence with a span of example i, written at its place or at another."""
        return put(x, span[0] if at is None else at, self.X[i][:, slice(*span)])

    def _shuffle_backgrounds(self, i: int) -> dict[str, Any]:
        return {"backgrounds": (self.backgrounds(i),)}

    def _necessity_test(self, i: int) -> dict[str, Any]:
        x = self.X[i]
        mut = [[self.predict(put(x, span[0], s), i) for s in self.tile(i, span)] for span in self.spans("tiles")]
        return {"y_wt": self.predict(x, i), "y_mut": mut}

    def _context_dependence_test(self, i: int) -> dict[str, Any]:
        controls = self.controls(i, self.span("tile", i))
        return {"y_wt": self.predict(self.X[i], i), "y_mut": [self.predict(c, i) for c in controls]}

    def _sufficiency_test(self, i: int) -> dict[str, Any]:
        controls = self.controls(i, self.span("tss_tile", i))
        mut = [[self.predict(self.copy(c, i, span), i) for c in controls] for span in self.spans("tiles")]
        return self._three(i, controls, mut)

    def _three(self, i: int, controls: list[torch.Tensor], mut: Any) -> dict[str, Any]:
        control = [self.predict(c, i) for c in controls]
        return {"y_wt": self.predict(self.X[i], i), "y_control": control, "y_mut": mut}

    def _tile_set_sufficiency_test(self, i: int) -> dict[str, Any]:
        controls, spans = self.controls(i, self.span("tss_tile", i)), self.spans("tiles")
        order, current, mut = _integers(self.values["order"]), controls, []
        for tile in order if order.ndim == 1 else order[i]:
            assert 0 <= tile < len(spans), f"tile {tile}"
            current = [self.copy(c, i, spans[tile]) for c in current]
            mut.append([self.predict(c, i) for c in current])
        return self._three(i, controls, mut)

    def _distance_test(self, i: int) -> dict[str, Any]:
        controls, cre = self.controls(i, self.span("tss_tile", i)), self.span("cre_tile", i)
        starts = _integers(self.values["positions"]).tolist()
        mut = [[self.predict(self.copy(c, i, cre, at), i) for c in controls] for at in starts]
        original = [self.predict(self.copy(c, i, cre), i) for c in controls]
        return {**self._three(i, controls, mut), "y_original": original}

    def _interaction_map(self, i: int) -> dict[str, Any]:
        x, spans = self.X[i], self.spans("tiles")
        drawn = [self.tile(i, span) for span in spans]

        def without(tiles: tuple[int, ...], k: int) -> Outputs:
            y = x
            for t in tiles:
                y = put(y, spans[t][0], drawn[t][k])
            return self.predict(y, i)

        single = [[without((t,), k) for k in range(self.n)] for t in range(len(spans))]
        pair = [[without(two, k) for k in range(self.n)] for two in combinations(range(len(spans)), 2)]
        return {"y_wt": self.predict(x, i), "y_single": single, "y_pair": pair}

    def _context_swap_test(self, i: int) -> dict[str, Any]:
        targets, (span,) = _sequences(self.values["X_target"]), self.spans("tile")
        swapped = [self.predict(self.copy(target, i, span), i) for target in targets]
        matched = self.values.get("pairs") == "matched"
        return {"y_source": self.predict(self.X[i], i), "y_mut": swapped[i] if matched else swapped}

    def _higher_order_interaction_test(self, i: int) -> dict[str, Any]:
        """The wild type and the first round."""
        x = self.X[i]
        tried = [[self.objective(put(x, s[0], d), i) for d in self.tile(i, s)] for s in self.spans("tiles")]
        return {"start": self.objective(x, i), "candidates": tried}

    def _multiplicity_test(self, i: int) -> dict[str, Any]:
        """The control, the CRE in its place, and the first round."""
        controls, cre = self.controls(i, self.span("tss_tile", i)), self.span("cre_tile", i)
        starts = _integers(self.values["positions"]).tolist()
        return {
            "y_control": [self.objective(c, i) for c in controls],
            "y_original": [self.objective(self.copy(c, i, cre), i) for c in controls],
            "candidates": [[self.objective(self.copy(c, i, cre, at), i) for c in controls] for at in starts],
        }

    def _fine_tile_search(self, i: int) -> dict[str, Any]:
        start, end = self.span("cre_tile", i)
        return {"width": (torch.tensor(end - start),)}


def stack(values: Any) -> Outputs:
    """Stack the outputs of nested lists of sequences, each output on its own."""
    if isinstance(values, tuple):
        return values
    return tuple(torch.stack(part) for part in zip(*map(stack, values)))


def _count(value: Any) -> int:
    assert not isinstance(value, (bool, np.bool_, torch.Tensor)), f"a count of {value!r}"
    return operator.index(value)


def _integers(value: Any) -> np.ndarray:
    array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.array(value)
    assert array.dtype.kind in "iu", f"integers of dtype {array.dtype}"
    return array.astype(np.int64)


def _sequences(X: Any) -> torch.Tensor:
    """Sequences as one-hot, int8."""
    X = X.to_one_hot() if isinstance(X, PackedSequence) else X
    assert isinstance(X, torch.Tensor) and not X.is_complex()
    assert bool(((X.double() == 0) | (X.double() == 1)).all())
    return X.detach().to(torch.int8)
