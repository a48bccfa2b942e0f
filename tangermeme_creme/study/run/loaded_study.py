"""A study with its model and its windows, loaded once where tasks run; and whether the model can be asked at all."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch

from ...engine import fingerprint_model, model_on
from ...sequence import tile_grid
from ...support import collected
from ..spec import StudyError, StudySpec, call_rule, track_names, window_center, window_length
from ..store import probe_change
from ..tables import Windows
from ..tests import StudyModel
from .costs import most_backgrounds
from .model_loading import load_activity_model, load_model
from .probe import checked_probe, take_probe


@dataclass(frozen=True)
class Setup:
    """What every task of a study carries: the spec, and which model it must load.

    Parameters
    ----------
    spec: StudySpec

    folder: str or None
        The folder of the TOML file, where its modules may lie.

    study: str
        A hash of spec, model and inputs, which tells this study from others. Empty before it is known.

    fingerprint: str
        Of the model that the study began with; any other is refused. Empty before it is known.

    probe: dict or None
        What that model predicts, from `take_probe`. None before it is known, and for a model that may be stochastic.

    locus: pandas.DataFrame or None
        The locus of the probe, one row.

    run: str
        Tells this run from others: a worker that outlives a run loads model and windows anew for the next one, since
        their files may have changed.
    """

    spec: StudySpec
    folder: str | None
    study: str = ""
    fingerprint: str = ""
    probe: Mapping[str, Any] | None = None
    locus: pd.DataFrame | None = field(default=None, compare=False)
    run: str = ""


@dataclass
class LoadedStudy(StudyModel):
    """A study whose model is loaded and whose windows can be read.

    Parameters
    ----------
    spec: StudySpec

    activity_model: torch.nn.Module
        The model for the activity of TSSs, in evaluation mode.

    fingerprint: str
        Of the model, or of both models.
    """

    windows: Windows
    spec: StudySpec
    activity_model: torch.nn.Module
    fingerprint: str


# What this thread has loaded: `study`, the key that `study` was loaded for, and the `locus` that was tested last.
THIS_THREAD = threading.local()


def load_study(setup: Setup) -> LoadedStudy:
    """Load the model and the windows of a run, once per thread; refuse a model that is not the study's.

    A thread that loads the model of a study that has begun predicts the sequences of the study's probe, two passes.
    """
    key = (setup.spec, setup.folder, setup.run)
    new = False
    if getattr(THIS_THREAD, "study", None) is None or THIS_THREAD.key != key:
        unload_study()
        study = _load(setup.spec, setup.folder)
        THIS_THREAD.study, THIS_THREAD.key, THIS_THREAD.threads = study, key, torch.get_num_threads()
        if setup.spec.run.threads is not None:
            torch.set_num_threads(setup.spec.run.threads)
        THIS_THREAD.on = model_on(study.model, setup.spec.run.device)
        THIS_THREAD.on.__enter__()  # so that the model does not move to the device and back for each test
        new = True
    study = THIS_THREAD.study
    if setup.fingerprint and study.fingerprint != setup.fingerprint:
        raise StudyError(
            f"every worker must load the model that the study began with, {setup.fingerprint[:12]}; got "
            f"{study.fingerprint[:12]}."
        )
    if new and setup.probe is not None and setup.locus is not None:
        with collected():
            change = probe_change(setup.probe, take_probe(study, setup.locus))
        if change:
            raise StudyError(f"every worker must load the model that the study began with; in this one {change}.")
    return study


def unload_study() -> None:
    """Let go of the model, the windows and the locus that this thread holds."""
    if getattr(THIS_THREAD, "study", None) is not None:
        THIS_THREAD.on.__exit__(None, None, None)
        THIS_THREAD.study.windows.close()
        torch.set_num_threads(THIS_THREAD.threads)
        THIS_THREAD.study = THIS_THREAD.key = THIS_THREAD.on = THIS_THREAD.locus = None
        gc.collect()


def _load(spec: StudySpec, folder: str | None) -> LoadedStudy:
    model = load_model(spec.model, folder)
    activity_model = load_activity_model(spec.model, folder, model)
    fingerprint = fingerprint_model(model)
    if activity_model is not model:
        fingerprint = hashlib.sha256((fingerprint + fingerprint_model(activity_model)).encode()).hexdigest()
    for one in (model, activity_model):
        _check_length(one, window_length(spec))
    center = window_center(spec)
    grid = tile_grid(window_length(spec), spec.tiles.size, center)
    return LoadedStudy(
        model=model, windows=Windows(spec, center=center), length=window_length(spec), center=center,
        inputs=spec.model.args, tracks=track_names(spec), tss_tile=grid.center,
        tiles=[(int(start), int(end)) for start, end in grid.context], seed=spec.seed,
        engine={
            "batch_size": spec.run.batch_size, "device": spec.run.device, "dtype": spec.model.dtype,
            "incremental": spec.run.incremental, "allow_stochastic": True,  # `checked_probe` has looked
        },
        cache_bytes=int(spec.run.cache_gib * 2**30), n_backgrounds=most_backgrounds(spec), rule=call_rule(spec.cres),
        max_cres=spec.cres.max_per_locus, scale=spec.effects.scale, spec=spec, activity_model=activity_model,
        fingerprint=fingerprint,
    )  # fmt: skip


def first_prediction(setup: Setup, locus: pd.DataFrame) -> dict[str, Any]:
    """Try the model on one window, so that a model that does not fit is known before anything else runs.

    Costs three passes and, where several sequences are predicted at a time, up to eight more.

    Returns
    -------
    facts: dict
        `fingerprint` and `kind` of the model, `device`, `threads`, `example`, the name of the locus, and `probe` and
        `rounding`, from `checked_probe`.

    Raises
    ------
    StudyError
        If the model does not give one number per track, or is no function of one sequence.
    """
    study = load_study(setup)
    with collected(), model_on(study.model, setup.spec.run.device) as device:
        probe, rounding = checked_probe(study, locus)
    return {
        "fingerprint": study.fingerprint, "kind": type(study.model).__qualname__, "device": str(device),
        "threads": torch.get_num_threads(), "example": str(locus["example"].iloc[0]), "probe": probe,
        "rounding": rounding,
    }  # fmt: skip


def _check_length(model: torch.nn.Module, length: int) -> None:
    """Refuse windows of another length than a model says it takes, in its attribute `length` or its wrapped model's."""
    for module in (model, getattr(model, "model", None)):
        takes = getattr(module, "length", None)
        if isinstance(takes, int) and takes != length:
            raise StudyError(
                f"model.length must be {takes}, the attribute `length` of the model ({type(module).__name__}); got "
                f"{length}."
            )
