"""The verdict on a model and its cached activations do not keep it alive."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from tangermeme.utils import TangermemeWarning, random_one_hot

from tangermeme_creme.engine import ActivationCache, EditSession
from tangermeme_creme.engine.incremental import IncrementalModel
from tangermeme_creme.sequence import make_edits


def predict_once(local: torch.nn.Module, cache: ActivationCache | None = None) -> weakref.ref[IncrementalModel]:
    model = IncrementalModel(local, torch.nn.Flatten())
    edits = make_edits(0, 40, 0, [torch.zeros(3, dtype=torch.uint8)])
    with EditSession(model, random_one_hot((1, 4, 120), random_state=0), device="cpu", cache=cache) as session:
        session.predict_edits(edits)
    return weakref.ref(model)


@pytest.mark.parametrize("cache", [None, ActivationCache()], ids=["own", "shared"])
def test_a_model_that_runs_in_part_can_go(cache: ActivationCache | None) -> None:
    model = predict_once(torch.nn.Conv1d(4, 2, 5, padding=2), cache)
    gc.collect()
    assert model() is None


def test_a_model_that_runs_in_full_can_go() -> None:
    with pytest.warns(TangermemeWarning, match="runs in full"):
        model = predict_once(torch.nn.Sequential(torch.nn.Conv1d(4, 2, 5, padding=2), torch.nn.GroupNorm(1, 2)))
    gc.collect()
    assert model() is None
