"""A study with its model and its windows, loaded once where tasks run; and whether the model can be asked at all."""

from __future__ import annotations

import gc
import hashlib
import threading
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from ...engine import EditSession, fingerprint_model, model_on, rows_at_once
from ...sequence import tile_grid
from ...support import collected
from ..spec import StudyError, StudySpec, call_rule, track_names, window_length
from ..tables import Windows
from ..tests import StudyModel
from .costs import most_backgrounds
from .model_loading import load_activity_model, load_model


@dataclass(frozen=True)
class Setup:
    """What every task of a study carries: the spec, and which model it must load.

    Parameters
    ----------
    spec: StudySpec

    folder: str
        The folder of the TOML file.

    study: str
        A hash of spec, model and inputs, which tells this study from others. Empty before it is known.

    fingerprint: str
        Of the model that the study began with; any other is refused. Empty before it is known.

    run: str
        Tells this run from others: a worker that outlives a run loads model and windows anew for the next one, since
        their files may have changed.
    """

    spec: StudySpec
    folder: str
    study: str = ""
    fingerprint: str = ""
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
    """Load the model and the windows of a run, once per thread; refuse a model that is not the study's."""
    key = (setup.spec, setup.folder, setup.run)
    if getattr(THIS_THREAD, "study", None) is None or THIS_THREAD.key != key:
        unload_study()
        study = _load(setup.spec, setup.folder)
        THIS_THREAD.study, THIS_THREAD.key, THIS_THREAD.threads = study, key, torch.get_num_threads()
        if setup.spec.run.threads is not None:
            torch.set_num_threads(setup.spec.run.threads)
        THIS_THREAD.on = model_on(study.model, setup.spec.run.device)
        THIS_THREAD.on.__enter__()  # so that the model does not move to the device and back for each test
    study = THIS_THREAD.study
    if setup.fingerprint and study.fingerprint != setup.fingerprint:
        raise StudyError(
            f"every worker must load the model that the study began with, {setup.fingerprint[:12]}; got "
            f"{study.fingerprint[:12]}."
        )
    return study


def unload_study() -> None:
    """Let go of the model, the windows and the locus that this thread holds."""
    if getattr(THIS_THREAD, "study", None) is not None:
        THIS_THREAD.on.__exit__(None, None, None)
        THIS_THREAD.study.windows.close()
        torch.set_num_threads(THIS_THREAD.threads)
        THIS_THREAD.study = THIS_THREAD.key = THIS_THREAD.on = THIS_THREAD.locus = None
        gc.collect()


def _load(spec: StudySpec, folder: str) -> LoadedStudy:
    model = load_model(spec.model, folder)
    activity_model = load_activity_model(spec.model, folder, model)
    fingerprint = fingerprint_model(model)
    if activity_model is not model:
        fingerprint = hashlib.sha256((fingerprint + fingerprint_model(activity_model)).encode()).hexdigest()
    grid = tile_grid(window_length(spec), spec.tiles.size)
    return LoadedStudy(
        model=model, windows=Windows(spec), length=window_length(spec), tracks=track_names(spec), tss_tile=grid.center,
        tiles=[(int(start), int(end)) for start, end in grid.context], seed=spec.seed,
        engine={
            "batch_size": spec.run.batch_size, "device": spec.run.device, "dtype": spec.model.dtype,
            "incremental": spec.run.incremental,
        },
        cache_bytes=int(spec.run.cache_gib * 2**30), n_backgrounds=most_backgrounds(spec), rule=call_rule(spec.cres),
        max_cres=spec.cres.max_per_locus, scale=spec.effects.scale, spec=spec, activity_model=activity_model,
        fingerprint=fingerprint,
    )  # fmt: skip


def first_prediction(setup: Setup, locus: pd.DataFrame) -> dict[str, Any]:
    """Try the model on one window, so that a model that does not fit is known before anything else runs.

    Costs one pass; where several sequences are predicted at a time up to 17, to see whether the batch moves a bit.

    Returns
    -------
    facts: dict
        `fingerprint` and `kind` of the model, `device`, `threads`, and `rounding`: the largest difference, relative to
        the largest prediction, between predictions made in a batch and one by one. 0 is no difference.

    Raises
    ------
    StudyError
        If the model does not give one number per track.
    """
    study = load_study(setup)
    n, engine = len(study.tracks), {**study.engine, "incremental": False}
    with collected(), model_on(study.model, setup.spec.run.device) as device:
        codes = study.windows.read(locus).to_codes()
        at_once = min(8, rows_at_once(setup.spec.run.batch_size, study.length, device))
        rows = torch.cat([codes.roll(k, 1) for k in range(at_once)])
        predicted = []
        for batch_size in sorted({1, at_once}):
            options = {**engine, "batch_size": batch_size}
            with EditSession(study.model, PackedSequence.from_codes(rows), **options) as session:
                predicted.append(session.predict())
        where = str(device)
    one, together = predicted[0], predicted[-1]
    if not isinstance(one, torch.Tensor) or tuple(one.shape[1:]) != (n,):
        got = f"(N, {', '.join(map(str, one.shape[1:]))})" if isinstance(one, torch.Tensor) else f"{len(one)} outputs"
        raise StudyError(
            f"the model must give one number for each of {n} tracks, shape (N, {n}); got {got}: see model.tracks, or "
            "wrap it in a Readout."
        )
    assert isinstance(together, torch.Tensor)
    difference = float((one - together).abs().max() / one.abs().max().clamp(min=1e-30))
    return {
        "fingerprint": study.fingerprint, "kind": type(study.model).__qualname__, "device": where,
        "threads": torch.get_num_threads(), "rounding": difference,
    }  # fmt: skip
