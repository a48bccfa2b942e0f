"""Networks as others write them, in part: exact, and with the arithmetic counted that really runs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import random_sequences
from incremental_cases import CPU, F64, bases, convolve, edited, edits_at, naive, stack
from tangermeme.utils import TangermemeWarning
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tangermeme_creme import necessity_test
from tangermeme_creme.engine import ActivationCache, EditSession, IncrementalModel
from tangermeme_creme.engine.incremental import measure_reach
from tangermeme_creme.models import Readout

L = 1200
EDITS = edits_at((0, 600, 40), (1, 100, 20), (0, 1150, 50))


class Cropping(nn.Module):
    """Valid convolutions, dilated and added to their cropped input, then profile and counts, as in ChromBPNet."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = convolve(21, 4, 6, padding=0)
        self.layers = nn.ModuleList(convolve(3, 6, 6, padding=0, dilation=2**k) for k in range(1, 6))
        self.profile, self.counts = convolve(25, 6, 1, padding=0), nn.Linear(6, 1, dtype=F64)

    def forward(self, X: torch.Tensor) -> Any:
        h = torch.relu(self.stem(X))
        for layer in self.layers:
            inner = torch.relu(layer(h))
            crop = (h.shape[-1] - inner.shape[-1]) // 2
            h = inner + h[..., crop : h.shape[-1] - crop]
        return [self.profile(h).squeeze(1), self.counts(h.mean(-1))]


class Tower(nn.Module):
    """Sixteen convolutions one by one, then a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.tower = nn.ModuleList(convolve(3, 4 if k == 0 else 6, 6) for k in range(16))
        self.pool, self.out = nn.MaxPool1d(40), nn.Linear(6 * 30, 2, dtype=F64)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        for layer in self.tower:
            X = torch.tanh(layer(X))
        return self.out(self.pool(X).flatten(1))


class Twice(nn.Module):
    """One convolution that is used two times."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.shared = convolve(5, 4, 6), convolve(5, 6, 6)
        self.pool, self.out = nn.MaxPool1d(20), nn.Linear(6 * 60, 2, dtype=F64)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        h = self.shared(torch.relu(self.stem(X)))
        return self.out(self.pool(self.shared(torch.relu(h)) + h).flatten(1))


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = convolve(5, 4, 6), nn.Sequential(convolve(9, 4, 3), nn.MaxPool1d(4))

    def forward(self, X: torch.Tensor) -> Any:
        return self.a(X), {"coarse": self.b(X)}


class Tuples(nn.Module):
    """A module that returns a tensor and a dictionary of one."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.pair, self.out = Pair(), nn.Linear(9, 2, dtype=F64)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        fine, coarse = self.pair(X)
        return self.out(torch.cat([fine.tanh().mean(-1), coarse["coarse"].amax(-1)], 1))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "valid convolutions": (Cropping, ["stem", *(f"layers.{k}" for k in range(5))]),
    "tower": (Tower, [f"tower.{k}" for k in range(16)]),
    "tower named as one": (Tower, ["tower.0", *(f"tower.{k}" for k in range(1, 16)), "pool"]),
    "twice": (Twice, ["stem", "shared"]),
    "tuples": (Tuples, ["pair"]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_others_run_in_part(name: str) -> None:
    make, names = NETWORKS[name]
    network, X = make().eval(), bases(2, L)
    model = IncrementalModel.from_modules(network, names)
    with EditSession(model, X, incremental=True) as session:
        y = session.predict_edits(EDITS)
    expected = naive(network, edited(X, EDITS))
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    assert session.work.n_partial == 3
    assert model.local.plan.passes == 2 and session.work.n_checks < 14


@pytest.mark.parametrize("name", NETWORKS)
def test_arithmetic_is_what_runs(name: str) -> None:
    make, names = NETWORKS[name]
    network, X = make().eval(), bases(2, L)
    model = IncrementalModel.from_modules(network, names)
    with EditSession(model, X, incremental=True) as session:
        session.predict_edits(EDITS)  # measures and checks
    with FlopCounterMode(display=False) as whole:
        naive(network, edited(X, EDITS))
    with EditSession(model, X, incremental=True) as session:
        session.predict()
        before = copy.copy(session.work)
        with FlopCounterMode(display=False) as ran:
            session.predict_edits(EDITS)
    share = (session.work.arithmetic - before.arithmetic) / 3
    assert share == pytest.approx(ran.get_total_flops() / whole.get_total_flops(), rel=0.05)
    assert share < 0.5


def test_layers_that_run_in_both_parts_are_named_and_counted() -> None:
    model, X = IncrementalModel.from_modules(Tower().eval(), ["tower.15"]), bases(2, L)
    with EditSession(model, X, incremental=True) as session:
        with pytest.warns(TangermemeWarning, match=r"15 modules run twice.*got tower\.0, tower\.1, .*tower\.14\.$"):
            session.predict_edits(EDITS)
        before = session.work.arithmetic
        session.predict_edits(EDITS)
    assert 0.9 < (session.work.arithmetic - before) / 3 < 1.3  # nothing is saved, and nothing said to be
    assert session.work.fraction < 0.9


def test_the_checks_of_a_small_network_are_few_and_counted() -> None:
    seen: list[int] = []
    local = stack(5, 21)
    local.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0]) * inputs[0].shape[-1]))
    head = nn.Sequential(nn.Flatten(), nn.Linear(3 * L // 5, 1, dtype=F64))
    with EditSession(IncrementalModel(local, head).eval(), bases(2, L), incremental=True) as session:
        session.predict_edits(EDITS)
    # All that ran: the checks, the bases and windows, and one whole sequence more.
    assert sum(seen) / L == pytest.approx(session.work.n_checks + session.work.equivalents)
    assert session.work.n_checks < 7


class Wrapped(nn.Module):
    """Hides the inputs of a network behind ``*args``."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *args: torch.Tensor, **kwargs: Any) -> Any:
        return self.model(*args, **kwargs)


class WithDose(Twice):
    def forward(self, X: torch.Tensor, dose: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(X)[:, None] * dose[:, :, None]


@pytest.mark.parametrize(
    ("wrap", "prefix"),
    [
        (lambda model: model, ""),
        (Wrapped, "model."),
        (nn.DataParallel, "module."),
        (lambda model: Readout(model, bin_axis=1, track_axis=2), "model."),
        (lambda model: Wrapped(Readout(Wrapped(model), bin_axis=1, track_axis=2)), "model.model.model."),
    ],
)
def test_further_inputs_pass_through_wrappers(wrap: Callable[[nn.Module], nn.Module], prefix: str) -> None:
    network, X, dose = wrap(WithDose()).eval(), bases(2, L), torch.tensor([[1.0], [3.0]], dtype=F64)
    model = IncrementalModel.from_modules(network, [f"{prefix}stem", f"{prefix}shared"])
    with EditSession(model, X, args=[dose], incremental=True) as session:
        y = session.predict_edits(EDITS)
    torch.testing.assert_close(y, naive(network, edited(X, EDITS), dose[EDITS.base]), rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.compile(Twice(), backend="eager"), "OptimizedModule, compiled by torch.compile, at 'the model"),
        (lambda: nn.Sequential(torch.jit.trace(Twice(), bases(1, L))), "a TorchScript module, at '0'"),
    ],
)
def test_compiled_and_scripted_modules_are_refused_by_name(make: Callable[[], nn.Module], message: str) -> None:
    model = make()
    names = [next(name for name, _ in model.named_modules() if name.endswith("stem"))]
    with pytest.raises(ValueError, match=message):
        IncrementalModel.from_modules(model, names)


def test_compiled_in_place_is_refused_by_name() -> None:
    model = Twice()
    model.shared.compile(backend="eager")
    with pytest.raises(ValueError, match=r"got Conv1d, compiled by torch\.compile, at 'shared'"):
        IncrementalModel.from_modules(model, ["stem", "shared"])


@pytest.mark.parametrize("length", [300, 701, 1200])
@pytest.mark.parametrize("kernels", [(21,), (21, 15), (64, 3, 30)])
def test_a_crop_is_measured_at_any_length(length: int, kernels: tuple[int, ...]) -> None:
    layers = [convolve(kernel, 3 if k else 4, padding=0) for k, kernel in enumerate(kernels)]
    reach = measure_reach(IncrementalModel(nn.Sequential(*layers), nn.Identity()).eval(), length, CPU, F64)
    crop = sum(kernels) - len(kernels)
    assert reach.outputs == ((1, length - crop, crop, 0),)


class Adapted(nn.Module):
    """Two low-rank adapters of a convolution, one of which is active; nothing of that is a tensor or a structure."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = convolve(5, 4, 6)
        self.adapters = nn.ModuleDict({name: convolve(1, 6, 6) for name in "ab"})
        self.active, self.scaling, self.disabled = ["a"], {"a": 1.0, "b": 1.0}, False

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = self.conv(X)
        for name in () if self.disabled else self.active:
            y = y + self.scaling[name] * self.adapters[name](y)
        return y


def switched(model: Adapted) -> None:
    model.active = ["b"]


def scaled(model: Adapted) -> None:
    model.scaling["a"] = 2.0


def disabled(model: Adapted) -> None:
    model.disabled = True


def patched(model: Adapted) -> None:
    """Neither a tensor, nor a structure, nor a plain attribute."""
    whole = model.conv.forward
    model.conv.forward = lambda X: 2 * whole(X)  # type: ignore[method-assign]


@pytest.mark.parametrize("change", [switched, scaled, disabled, patched])
@pytest.mark.parametrize("split", [True, False])
def test_a_cache_tells_states_of_a_model_apart(change: Callable[[Adapted], None], split: bool) -> None:
    X, tiles, cache = random_sequences(1, 400), [(0, 100), (300, 400)], ActivationCache()
    adapted, pool = Adapted(), nn.MaxPool1d(10)
    head = nn.Sequential(nn.Flatten(), nn.Linear(240, 1, dtype=F64))
    network = nn.Sequential(adapted, pool, head).eval()
    model = (
        IncrementalModel.from_modules(network, ["0", "1"])
        if split
        else IncrementalModel(nn.Sequential(adapted, pool), head)
    )
    first = necessity_test(model, X, tiles, n=2, random_state=0, cache=cache)
    change(adapted)
    second = necessity_test(model, X, tiles, n=2, random_state=0, cache=cache)
    expected = necessity_test(network, X, tiles, n=2, random_state=0, allow_stochastic=True)
    torch.testing.assert_close(second.y_wt, expected.y_wt, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(second.y_mut, expected.y_mut, rtol=1e-12, atol=1e-12)
    assert (first.y_wt - second.y_wt).abs().max() > 0.01


def test_a_cache_keeps_what_a_counter_does_not_change() -> None:
    class Counts(Adapted):
        calls = 0

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return super().forward(X)

    model = IncrementalModel(Counts(), nn.Sequential(nn.Flatten(), nn.Linear(2400, 1, dtype=F64))).eval()
    cache, X = ActivationCache(), bases(1, 400)
    for _ in range(3):
        with EditSession(model, X, cache=cache) as session:
            session.predict()
    assert cache.work.n_partial == 2
