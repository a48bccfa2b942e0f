"""Load the model that a study names."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from ..spec import ModelSpec, StudyError

_IMPORTING = threading.Lock()  # `sys.path` is of all threads


def load_model(spec: ModelSpec, folder: str | None) -> torch.nn.Module:
    """Load a model in evaluation mode. This imports and calls the function that a study names, whatever it does.

    Parameters
    ----------
    spec: ModelSpec

    folder: str or None
        The folder of the study's TOML file: modules beside that file can be named. With None, modules must be installed
        or in `spec.module_folder`. The working folder is not searched, unless it is one of these.

    Raises
    ------
    StudyError
        If a function cannot be imported, raises an error, or does not return a module.

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


def load_activity_model(spec: ModelSpec, folder: str | None, model: torch.nn.Module) -> torch.nn.Module:
    """Load the model for the activity of TSSs, if the study names one; else return the model itself."""
    if spec.activity is None:
        return model
    return _called(spec.activity, spec, folder, "model.activity")


def _group(number: int | Sequence[int]) -> Any:
    return number if isinstance(number, int) else list(number)


def _called(name: str, spec: ModelSpec, folder: str | None, key: str) -> torch.nn.Module:
    module_name, _, function_name = name.partition(":")
    try:
        with _searching(spec.module_folder or folder):
            function = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:
        if isinstance(error, (ImportError, AttributeError)):
            why = f"{error}. Its module may be installed, beside the TOML file, or in model.module_folder"
        else:
            why = _error_in_words(error)
        raise StudyError(f"{key} must be a function that can be imported; got {name!r}: {why}.") from error
    try:
        model = function(**spec.arguments)
    except Exception as error:
        raise StudyError(f"{key} must return a torch.nn.Module; got {name!r}: {_error_in_words(error)}.") from error
    if not isinstance(model, torch.nn.Module):
        raise StudyError(f"{key} must return a torch.nn.Module; got {type(model).__name__} from {name!r}.")
    return model.eval()


@contextmanager
def _searching(folder: str | None) -> Iterator[None]:
    """Search a folder for modules first, and not the working folder, which Python searches unasked.

    The folder stays until the process ends, since a model may import more modules when it is used. The working folder
    counts as asked for if PYTHONPATH has it, or a script lies there that runs.
    """
    place = None if folder is None else os.path.abspath(folder)
    asked = {os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
    unasked = {""} if os.getcwd() != place else set()
    if "-m" in sys.orig_argv and os.getcwd() not in {place, *asked}:
        unasked.add(os.getcwd())
    with _IMPORTING:
        if place is not None and place not in sys.path:
            sys.path.insert(0, place)
        hidden = [(i, entry) for i, entry in enumerate(sys.path) if entry in unasked]
        sys.path[:] = [entry for entry in sys.path if entry not in unasked]
        try:
            yield
        finally:
            for i, entry in hidden:
                sys.path.insert(i, entry)


def _error_in_words(error: Exception) -> str:
    """Say what an error of somebody's function is, and where it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    where = f", in {os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if len(frames) > 1 else ""
    return f"{type(error).__name__}: {error}{where}"
