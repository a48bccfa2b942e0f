"""Estimate what a study costs before it starts."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from ...engine import ActivationCache, EditSession
from ...engine.incremental import IncrementalModel
from ...sequence import make_edits, tile_grid
from ...support import collected, duration
from ..spec import StudyError, StudySpec, check_spec, track_names, window_center, window_length
from ..tables import Windows
from ..tests import TESTS, Cost, Extent
from .costs import cost_of, rows_of
from .inputs import input_files, read_loci
from .loaded_study import Setup, first_prediction, load_study, unload_study
from .selection import needs_activity

# Bytes per file of a shard with its line in the manifest, per row in a shard and its table, and per raw prediction.
_FILE, _ROW, _RAW_ROW = 5_500, 80, 15
_CATEGORIES = 3
_ROUNDS = 3  # of the calibration
_UNTIMED = (
    "the time, and how many sequences run in part, are not known: the function of the study is not called, unless with "
    "--timed (timed=True in Python)."
)


class Speed(NamedTuple):
    """Seconds per sequence in full, and in part: NaN if not timed, or for a model that runs in full only."""

    full: float
    partial: float


@dataclass(frozen=True)
class Plan:
    """What a study costs at most, as far as that is known before contexts and CREs are.

    Parameters
    ----------
    stages: pandas.DataFrame
        `stage`, `loci`, `full` and `partial` (sequences), `seconds` (NaN if the model was not timed), `megabytes`.

    speed: Speed

    device: str

    assumed: str
        What the numbers assume.
    """

    stages: pd.DataFrame
    speed: Speed
    device: str
    assumed: str

    def __str__(self) -> str:
        """Write the plan for a terminal."""
        timed = self.speed.full == self.speed.full
        lines = [f"{'stage':<16}{'loci':>8}{'in full':>12}{'in part':>12}{'time':>12}{'disk':>10}"]
        total = self.stages[["full", "partial", "seconds", "megabytes"]].sum()  # NaN counts as 0
        rows = [*self.stages.itertuples(index=False), ("all", "", *total)]
        for stage, loci, full, partial, seconds, megabytes in rows:
            disk, took = f"{megabytes:,.1f} MB", duration(seconds) if timed else "unknown"
            lines.append(f"{stage:<16}{loci:>8}{full:>12,.0f}{partial:>12,.0f}{took:>12}{disk:>10}")
        part = f", {self.speed.partial:.3g} s in part" if self.speed.partial == self.speed.partial else ""
        speed = f"on {self.device}: {self.speed.full:.3g} s per sequence in full{part}." if timed else _UNTIMED
        return "\n".join([*lines, speed, self.assumed])


def plan_study(
    spec: StudySpec, *, folder: str | Path | None = None, cres_per_locus: float = 0.5, timed: bool | None = None
) -> Plan:
    """Count the predictions of a study, and estimate its time by timing the model on a few of them.

    Writes nothing. Timing costs about 20 predictions.

    Parameters
    ----------
    spec: StudySpec

    folder: path, optional
        As in `run_study`.

    cres_per_locus: float, optional
        CREs to expect per locus and track. Default is 0.5: the paper has 296 CREs of 600 loci.

    timed: bool or None, optional
        Whether to load the model and time it, which calls the function that the spec names, whatever it does. Without
        that, all sequences are counted in full, and the time is unknown. None is whether the spec names no function.
        Default is None.

    Returns
    -------
    plan: Plan
        For one worker; N workers take an N-th of the time.

    Raises
    ------
    SpecError, StudyError
        As `run_study`.
    """
    check_spec(spec)
    loci = read_loci(spec)
    input_files(spec)
    _check_window(spec, loci.iloc[[0]])
    if timed is None:
        timed = spec.model.function is None and spec.model.activity is None
    speed, device = _timed(spec, folder, loci.iloc[[0]]) if timed else (Speed(float("nan"), float("nan")), "")
    grid = tile_grid(window_length(spec), spec.tiles.size, window_center(spec))
    tiles, tracks = len(grid.context), len(track_names(spec))
    studied = len(loci)
    if needs_activity(spec) and spec.loci is not None and spec.loci.top:
        studied = min(studied, spec.loci.top * tracks)
    tested = min(studied, _CATEGORIES * spec.context.per_category * tracks)
    # A locus is tested if it is selected in any track; each track selects as many loci as its categories hold.
    shared = min(tracks, _CATEGORIES * spec.context.per_category * tracks / max(1, tested))
    extent = Extent(
        tiles, spec.tiles.size, tracks=shared, sources=min(tested, _CATEGORIES * spec.tests.swap.sources * tracks),
        cre_tiles=cres_per_locus * shared, cres=cres_per_locus * shared,
    )  # fmt: skip
    in_part = speed.partial == speed.partial
    counts = {"activity": len(loci) if needs_activity(spec) else 0, "context": studied, "shared": tested}
    counts |= {name: tested for name in TESTS if name in spec.tests.include}
    rows = []
    for stage, n in counts.items():
        cost = cost_of(spec, stage, extent, in_part=in_part).times(n)
        if cost.total:
            seconds = cost.full * speed.full + (cost.partial * speed.partial if in_part else 0)  # NaN if not timed
            rows.append((stage, n, cost.full, cost.partial, seconds, _megabytes(spec, stage, extent, n, cost)))
    columns = ["stage", "loci", "full", "partial", "seconds", "megabytes"]
    assumed = (
        f"at most: {tested} loci are tested if every category of every track is full; {cres_per_locus:g} CREs per "
        "locus and track are assumed, and a fine-tile search that halves a CRE in each stage."
    )
    return Plan(pd.DataFrame(rows, columns=columns), speed, device, assumed)


def _check_window(spec: StudySpec, locus: pd.DataFrame) -> None:
    """Refuse a file whose windows cannot be read."""
    try:
        windows = Windows(spec, center=window_center(spec))
        try:
            with collected():
                windows.read(locus)
        finally:
            windows.close()
    except (OSError, ValueError) as error:
        raise StudyError(f"the windows of a study must be readable; got {error}") from error


def _timed(spec: StudySpec, folder: str | Path | None, locus: pd.DataFrame) -> tuple[Speed, str]:
    """Load the model, try it and time it; return its device too."""
    setup = Setup(spec, None if folder is None else str(folder))
    try:
        model = first_prediction(setup, locus)
        return _calibrate(setup, locus), model["device"]
    except StudyError:
        raise
    except Exception as error:
        example = locus["example"].iloc[0]
        raise StudyError(
            f"the model must predict a window; it failed on {example}: {type(error).__name__}: {error}"
        ) from error
    finally:
        unload_study()


def _calibrate(setup: Setup, locus: pd.DataFrame) -> Speed:
    """Time the model on a window, in full and with one tile edited."""
    study, n = load_study(setup), min(setup.spec.run.batch_size, 8)
    with collected():
        X = study.windows.read(locus)
    codes = X.to_codes()
    split = isinstance(study.model, IncrementalModel) and setup.spec.run.incremental is not False
    cache = ActivationCache() if split else None
    options = {**study.engine, "args": study.args(locus), "cache": cache}
    start, end = study.tiles[0]
    contents = [codes[0, start:end].roll(k + 1) for k in range(n)]
    edits = make_edits(0, start, torch.arange(n), contents)
    whole, part = [], []
    with EditSession(study.model, X, **options) as session:
        session.predict_edits(edits)  # measures the reach, fills the cache
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            session.predict_edits(edits)
            part.append((time.perf_counter() - began) / n)
    with EditSession(study.model, X, **{**options, "incremental": False, "cache": None}) as session:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            session.predict_edits(edits)
            whole.append((time.perf_counter() - began) / n)
    in_part = cache is not None and cache.work.n_partial > 0
    return Speed(statistics.median(whole), statistics.median(part) if in_part else float("nan"))


def _megabytes(spec: StudySpec, stage: str, extent: Extent, n: int, cost: Cost) -> float:
    """The room on the disk: rows of tables, and of raw predictions one per shuffle and track."""
    tracks, test = len(track_names(spec)), TESTS.get(stage)
    rows = rows_of(spec, stage, extent, tracks)
    files = 1 / spec.run.loci_per_shard if test is None else len(test.gives)
    raw = 0.0
    if spec.output.raw and (test.raw if test else stage == "context"):
        raw, files = cost.total / n * tracks, files + 1
    return n * (files * _FILE + rows * _ROW + raw * _RAW_ROW) / 1e6
