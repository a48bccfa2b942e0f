"""The model and the windows, loaded once where tasks run; and whether the model can be asked at all."""

from __future__ import annotations

import gc
import hashlib
import threading
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from ...engine import EditSession, model_on, rows_at_once
from ...sequence import Span, tile_grid
from ...support import collected
from ..spec import StudyError, StudySpec, track_names, window_length
from ..tables import Windows
from .fingerprint import fingerprint_model
from .load_model import load_activity_model, load_model


@dataclass(frozen=True)
class Setup:
    """What every task of a study carries: the spec, and what the model is to be.

    Parameters
    ----------
    spec: StudySpec

    folder: str
        Where the TOML is.

    study: str
        What tells this study from others: hashes of spec, model and inputs. Empty before it is known.

    fingerprint: str
        Of the model that the study began with; any other is refused. Empty before it is known.

    run: str
        What tells this run from others: a worker that outlives one loads model and windows anew for the next, since
        their files may have changed.
    """

    spec: StudySpec
    folder: str
    study: str = ""
    fingerprint: str = ""
    run: str = ""


@dataclass
class Laboratory:
    """A model, ready to be asked, and the windows: what a process loads once.

    Parameters
    ----------
    spec: StudySpec

    model, activity_model: torch.nn.Module
        In evaluation mode, on its device.

    windows: Windows
    """

    spec: StudySpec
    model: torch.nn.Module
    activity_model: torch.nn.Module
    windows: Windows
    length: int = field(init=False)
    tracks: tuple[str, ...] = field(init=False)
    tss_tile: Span = field(init=False)
    tiles: list[Span] = field(init=False)

    def __post_init__(self) -> None:
        self.length, self.tracks = window_length(self.spec), track_names(self.spec)
        grid = tile_grid(self.length, self.spec.tiles.size)
        self.tss_tile = grid.center
        self.tiles = [(int(start), int(end)) for start, end in grid.context]

    @property
    def engine(self) -> dict[str, Any]:
        """What predictions are made with."""
        run = self.spec.run
        return {
            "batch_size": run.batch_size, "device": run.device, "dtype": self.spec.model.dtype,
            "incremental": run.incremental,
        }  # fmt: skip


# What this thread has loaded: `lab`, and the `state` of the locus that it worked on last.
PROCESS = threading.local()


def laboratory(setup: Setup) -> Laboratory:
    """The model and the windows of a run, loaded once a thread; a model that is not the study's is refused."""
    key = (setup.spec, setup.folder, setup.run)
    kept = getattr(PROCESS, "lab", None)
    if kept is None or kept[0] != key:
        forget()
        model = load_model(setup.spec.model, setup.folder)
        activity = load_activity_model(setup.spec.model, setup.folder, model)
        kept = key, Laboratory(setup.spec, model, activity, Windows(setup.spec)), _fingerprint(model, activity)
        PROCESS.lab, PROCESS.threads = kept, torch.get_num_threads()
        if setup.spec.run.threads is not None:
            torch.set_num_threads(setup.spec.run.threads)
        PROCESS.on = model_on(model, setup.spec.run.device)
        PROCESS.on.__enter__()  # so that it does not move to the device and back for each test
    if setup.fingerprint and kept[2] != setup.fingerprint:
        raise StudyError(
            f"every worker must load the model that the study began with, {setup.fingerprint[:12]}; got {kept[2][:12]}."
        )
    return kept[1]


def _fingerprint(model: torch.nn.Module, activity: torch.nn.Module) -> str:
    """Of the model, and where TSS activity has one of its own of both."""
    if activity is model:
        return fingerprint_model(model)
    both = fingerprint_model(model) + fingerprint_model(activity)
    return hashlib.sha256(both.encode()).hexdigest()


def forget() -> None:
    """Let go of the model, the windows and the locus that this thread keeps."""
    if getattr(PROCESS, "lab", None) is not None:
        PROCESS.on.__exit__(None, None, None)
        PROCESS.lab[1].windows.close()
        torch.set_num_threads(PROCESS.threads)
        PROCESS.lab = PROCESS.on = PROCESS.state = None
        gc.collect()


def first_prediction(setup: Setup, locus: pd.DataFrame) -> dict[str, Any]:
    """Try the model on one window, so that what is wrong with it is known before anything else.

    Costs one pass, or up to 17 where several sequences are predicted at a time, to see whether that moves a bit.

    Returns
    -------
    found: dict
        `fingerprint` and `kind` of the model, `device`, `threads`, and `rounding`: by how much, relative to the
        largest, predictions made in a batch differ from those made one by one. 0 is not at all.

    Raises
    ------
    StudyError
        If the model does not give one number a track.
    """
    lab = laboratory(setup)
    n, engine = len(lab.tracks), {**lab.engine, "incremental": False}
    with collected(), model_on(lab.model, setup.spec.run.device) as device:
        codes = lab.windows.read(locus).to_codes()
        at_once = min(8, rows_at_once(setup.spec.run.batch_size, lab.length, device))
        rows = torch.cat([codes.roll(k, 1) for k in range(at_once)])
        predicted = []
        for batch_size in sorted({1, at_once}):
            options = {**engine, "batch_size": batch_size}
            with EditSession(lab.model, PackedSequence.from_codes(rows), **options) as session:
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
        "fingerprint": PROCESS.lab[2], "kind": type(lab.model).__qualname__, "device": where,
        "threads": torch.get_num_threads(), "rounding": difference,
    }  # fmt: skip
