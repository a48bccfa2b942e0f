"""Load the model that a study names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..spec import ModelSpec, StudyError


def load_model(spec: ModelSpec, folder: str) -> torch.nn.Module:
    """Load a model in evaluation mode.

    Parameters
    ----------
    spec: ModelSpec

    folder: str
        The folder of the study's TOML file: modules beside that file can be named.

    Raises
    ------
    StudyError
        If a function cannot be imported, or does not return a module.

    Examples
    --------
    >>> spec = ModelSpec(adapter="function", function="torch.nn:Identity", tracks=("A",), length=8)
    >>> load_model(spec, ".")
    Identity()
    """
    if spec.adapter == "function":
        assert spec.function is not None
        return _called(spec.function, spec, folder, "model.function")
    names = spec.tracks if isinstance(spec.tracks, dict) else dict.fromkeys(spec.tracks)
    if spec.adapter == "enformer":
        from ...models import EnformerTSS

        weights = {} if spec.weights is None else {"weights": spec.weights}
        tracks = [name if number is None else _group(number) for name, number in names.items()]
        return EnformerTSS(**weights, tracks=tracks, **spec.arguments).eval()  # type: ignore[arg-type]
    from ...models import BORZOI_TRACKS, BorzoiTSS

    numbers = [_group(BORZOI_TRACKS[name] if number is None else number) for name, number in names.items()]
    length = {} if spec.length is None else {"length": spec.length}
    return BorzoiTSS(spec.weights, tracks=numbers, **length, **spec.arguments).eval()  # type: ignore[arg-type]


def load_activity_model(spec: ModelSpec, folder: str, model: torch.nn.Module) -> torch.nn.Module:
    """Load the model for the activity of TSSs, if the study names one; else return the model itself."""
    if spec.activity is None:
        return model
    return _called(spec.activity, spec, folder, "model.activity")


def _group(number: int | Sequence[int]) -> Any:
    return number if isinstance(number, int) else list(number)


def _called(name: str, spec: ModelSpec, folder: str, key: str) -> torch.nn.Module:
    module_name, _, function_name = name.partition(":")
    place = str(Path(spec.module_folder or folder).resolve())
    added = place not in sys.path
    if added:  # until the process ends, since a model may import more modules when it is used
        sys.path.insert(0, place)
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise StudyError(f"{key} must be a function that can be imported; got {name!r}: {error}.") from error
    model = function(**spec.arguments)
    if not isinstance(model, torch.nn.Module):
        raise StudyError(f"{key} must give a torch.nn.Module; got {type(model).__name__} from {name!r}.")
    return model.eval()
