"""The model on its device and in evaluation mode, and back."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import tangermeme_creme.engine.device as device_module
from tangermeme_creme.engine import model_on, resolve_device

CUDA = torch.device("cuda", 0)


class Moves(torch.nn.Module):
    """Remembers where it was asked to go, and stays where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, 1)
        self.moves: list[Any] = []

    def to(self, *args: Any, **kwargs: Any) -> Moves:
        self.moves.extend(args)
        return self


def mixed_modes() -> torch.nn.Module:
    """In training, but for a frozen normalisation and what is inside a frozen block."""
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 2),
        torch.nn.BatchNorm1d(2).eval(),
        torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Dropout()),
    )
    model[2].eval()
    model[2][1].train()
    return model


def modes(model: torch.nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


@pytest.fixture
def cuda_is_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every device resolve to CUDA, so that a model on the CPU has to move."""
    monkeypatch.setattr(device_module, "resolve_device", lambda device: CUDA)


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_resolve_device_reads_names_and_devices(device: Any) -> None:
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.parametrize(("available", "expected"), [(False, torch.device("cpu")), (True, torch.device("cuda", 3))])
def test_resolve_device_of_none_is_cuda_when_there_is_one(
    monkeypatch: pytest.MonkeyPatch, available: bool, expected: torch.device
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 3)
    assert resolve_device(None) == expected


def test_resolve_device_keeps_the_index_of_cuda() -> None:
    assert resolve_device("cuda:1") == torch.device("cuda", 1)


def test_resolve_device_gives_cuda_without_an_index_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 2)
    assert resolve_device("cuda") == torch.device("cuda", 2)


def test_model_on_evaluates_inside_and_restores_each_mode() -> None:
    model = mixed_modes()
    before = modes(model)
    assert len(set(before)) == 2
    with model_on(model, "cpu"):
        assert not any(modes(model))
    assert modes(model) == before


def test_model_on_restores_each_mode_after_an_exception() -> None:
    model = mixed_modes()
    before = modes(model)
    with pytest.raises(RuntimeError, match="out of memory"), model_on(model, "cpu"):
        raise RuntimeError("out of memory")
    assert modes(model) == before


def test_model_on_leaves_a_model_in_evaluation_there() -> None:
    model = mixed_modes().eval()
    with model_on(model, "cpu"):
        pass
    assert not any(modes(model))


def test_model_on_within_itself_restores_at_the_end() -> None:
    model = mixed_modes()
    before = modes(model)
    with model_on(model, "cpu"):
        with model_on(model, "cpu"):
            pass
        assert not any(modes(model))
    assert modes(model) == before


def test_model_on_the_device_it_lies_on_does_not_move() -> None:
    model = Moves()
    with model_on(model, "cpu") as device:
        assert device == torch.device("cpu")
    assert model.moves == []


@pytest.mark.usefixtures("cuda_is_the_target")
def test_model_on_another_device_moves_there_and_back() -> None:
    model = Moves()
    with model_on(model) as device:
        assert device == CUDA and model.moves == [CUDA]
    assert model.moves == [CUDA, torch.device("cpu")]


@pytest.mark.usefixtures("cuda_is_the_target")
def test_model_on_moves_back_after_an_exception() -> None:
    model = Moves()
    with pytest.raises(RuntimeError, match="out of memory"), model_on(model):
        raise RuntimeError("out of memory")
    assert model.moves == [CUDA, torch.device("cpu")]


@pytest.mark.usefixtures("cuda_is_the_target")
def test_model_on_moves_back_when_the_move_there_fails() -> None:
    class Stuck(Moves):
        def to(self, device: Any) -> Moves:
            super().to(device)
            if device == CUDA:
                raise RuntimeError("no CUDA")
            return self

    model = Stuck()
    model.linear.eval()
    with pytest.raises(RuntimeError, match="no CUDA"), model_on(model):
        pass
    assert model.moves == [CUDA, torch.device("cpu")]
    assert modes(model) == [True, False]


@pytest.mark.usefixtures("cuda_is_the_target")
def test_model_on_finds_the_device_of_a_model_of_buffers_alone() -> None:
    model = Moves()
    del model.linear
    model.register_buffer("table", torch.zeros(2))
    with model_on(model):
        pass
    assert model.moves == [CUDA, torch.device("cpu")]


@pytest.mark.usefixtures("cuda_is_the_target")
def test_model_on_does_not_move_a_model_without_tensors() -> None:
    model = Moves()
    del model.linear
    with model_on(model):
        assert not model.training
    assert model.moves == [] and model.training


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_model_on_cuda_runs_there_and_comes_back() -> None:
    model = mixed_modes()
    before = modes(model)
    with model_on(model) as device:
        assert {p.device for p in model.parameters()} == {device} == {resolve_device("cuda")}
    assert {p.device.type for p in model.parameters()} == {"cpu"}
    assert modes(model) == before
