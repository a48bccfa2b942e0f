"""What a worker does: load the model once, and turn tasks into the files of shards."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd
import torch

from ...analysis import classify_context
from ...engine import EditSession
from ...operators import context_dependence_test
from ...support import collected, dropped, warn
from ..spec import context_thresholds
from ..store import Failure, shard_note, to_bytes
from ..tests import GIVEN_BY, TESTS, LocusState, LocusTables, StudyTest, locus_seed, needed_tests, on_scale, summarized
from .loaded_study import THIS_THREAD, LoadedStudy, Setup, load_study

_WINDOW_BASES = 2**24  # windows of about so many bases are read at a time


@dataclass(frozen=True)
class Task:
    """Loci, and what to do with them: "activity", "context", or tests of one locus in their order.

    Parameters
    ----------
    setup: Setup

    stages: tuple of str

    loci: pandas.DataFrame

    context, inputs: dict
        As in `LocusState`, for tests.

    basis: dict of str to str
        By test, the hash of `context` and of the sources that its shard carries.

    seconds: float
        A worker gives back what it has after a test that ends later than this.
    """

    setup: Setup
    stages: tuple[str, ...]
    loci: pd.DataFrame
    context: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, pd.DataFrame] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class FinishedShard:
    """A shard as bytes of Parquet, on its way to the store. `notices` has the loci that each notice is about."""

    stage: str
    examples: tuple[str, ...]
    tables: dict[str, tuple[bytes, int]]
    failures: tuple[Failure, ...]
    notices: dict[str, tuple[str, ...]]
    cost: dict[str, float]
    basis: str = ""
    tracebacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The shards that a task has finished, and the task that remains of it."""

    shards: tuple[FinishedShard, ...]
    rest: Task | None = None


def run_task(task: Task) -> Outcome:
    """Do a task, or as much of it as fits its time. A test that fails is noted, and the other tests go on."""
    study = load_study(task.setup)
    if task.stages[0] not in TESTS:
        return Outcome((_many_loci(study, task),))
    began, tests = time.monotonic(), list(task.stages)
    shards: list[FinishedShard] = []
    locus = _locus_state(study, task)
    while tests and (not shards or time.monotonic() - began < task.seconds):
        test = TESTS[tests.pop(0)]
        shard = _shard_of(study, task, test.name, partial(_run_test, study, locus, test), locus)
        shards.append(shard)
        if shard.failures:  # tests that start from its tables are left to a later run
            tests = [name for name in tests if test.name not in needed_tests(name)]
    needed = {table for name in tests for table in TESTS[name].needs}
    inputs = {name: table for name, table in locus.inputs.items() if name in needed}
    rest = replace(task, stages=tuple(tests), inputs=inputs) if tests else None
    if rest is None:
        THIS_THREAD.locus = None
    return Outcome(tuple(shards), rest)


def _run_test(study: LoadedStudy, locus: LocusState, test: StudyTest, tables: LocusTables) -> None:
    """Run a test of a locus; without input rows, say of CREs, the test stores an empty shard."""
    if all(table in locus.inputs for table in test.needs):
        with dropped("unknown bases, in"):  # the context test has warned of the locus
            test.run(locus, getattr(study.spec.tests, test.name), tables)


def _locus_state(study: LoadedStudy, task: Task) -> LocusState:
    """The state of the locus that this thread tested last, if it is the task's, so that its activations are reused.

    Its inputs are those of the task: another worker may have run tests of the locus since this one had it.
    """
    locus = getattr(THIS_THREAD, "locus", None)
    if locus is None or locus.study is not study or locus.example != task.loci["example"].iloc[0]:
        locus = THIS_THREAD.locus = LocusState(study, task.loci, task.context, {})
    locus.context, locus.inputs = task.context, dict(task.inputs)
    return locus


def _many_loci(study: LoadedStudy, task: Task) -> FinishedShard:
    """A stage in which each locus is on its own: one shard for all of them."""

    by_locus: dict[str, tuple[str, ...]] = {}

    def run(tables: LocusTables) -> None:
        if task.stages[0] == "activity":
            _activity(study, task.loci, tables)
            return
        for i in range(len(task.loci)):
            example = str(task.loci["example"].iloc[i])
            with collected() as notices:
                tables.attempt(example, _context, study, task.loci.iloc[[i]])
            for notice in dict.fromkeys(notices):
                by_locus[notice] = (*by_locus.get(notice, ()), example)

    shard = _shard_of(study, task, task.stages[0], run, None)
    return replace(shard, notices=by_locus | shard.notices)


def _activity(study: LoadedStudy, loci: pd.DataFrame, tables: LocusTables) -> None:
    """Predict all loci together, so that batches are full; if that fails, one by one."""

    def predict(tables: LocusTables, rows: pd.DataFrame) -> None:
        tables.add(activity=_predicted_activity(study, rows))

    try:
        predict(tables, loci)
    except Exception as error:
        before = len(tables.failures)
        for i in range(len(loci)):
            tables.attempt(str(loci["example"].iloc[i]), predict, loci.iloc[[i]])
        if len(loci) > 1:  # else the failure says it
            warn(
                f"{len(loci)} windows failed together ({type(error).__name__}: {error}) and were predicted one by one, "
                f"of which {len(tables.failures) - before} failed."
            )


def _predicted_activity(study: LoadedStudy, loci: pd.DataFrame) -> pd.DataFrame:
    """Predict the activity of loci, and the offset of the peak if the model gives it, one row per locus and track."""
    names, options = loci["example"].astype(str).tolist(), {**study.engine, "incremental": False}
    at_once = max(study.spec.run.batch_size, _WINDOW_BASES // study.length)
    parts: list[list[torch.Tensor]] = []
    for i in range(0, len(loci), at_once):
        rows = loci.iloc[i : i + at_once]
        options |= {"args": study.args(rows), "names": [f"the window of {name}" for name in names[i : i + at_once]]}
        with EditSession(study.activity_model, study.windows.read(rows), **options) as session:
            y = session.predict()
        parts.append([y] if isinstance(y, torch.Tensor) else y)
    columns = dict(zip(("activity", "offset"), (torch.cat(part).double().numpy().ravel() for part in zip(*parts))))
    n = len(study.tracks)
    return pd.DataFrame({"example": np.repeat(names, n), "track": list(study.tracks) * len(names), **columns})


def _context(tables: LocusTables, study: LoadedStudy, locus: pd.DataFrame) -> None:
    example, settings = str(locus["example"].iloc[0]), study.spec.context
    result = context_dependence_test(
        study.model, study.windows.read(locus), study.tss_tile, n=settings.n, args=study.args(locus),
        random_state=[locus_seed(study.seed, example)], **study.engine,
    )  # fmt: skip
    frame = result.to_frame(ids=[example], tracks=study.tracks)
    (effect,) = on_scale(study.scale, "context_effect")
    summary = summarized(frame, [effect])
    summary["context"] = classify_context(summary[effect], **context_thresholds(settings))
    tables.add(context=summary, raw_context=frame)


def _shard_of(
    study: LoadedStudy, task: Task, stage: str, run: Callable[[LocusTables], None], locus: LocusState | None
) -> FinishedShard:
    """Run a stage of a task, and make a shard of its tables."""
    rows, began = LocusTables(), time.perf_counter()
    examples = tuple(str(name) for name in task.loci["example"])
    with collected() as notices:
        try:
            run(rows)
        except Exception as error:
            rows.failures.append((examples[0] if locus is None else "", error))
    tables = {name: table for name, table in rows.joined().items() if study.spec.output.raw or name[:4] != "raw_"}
    if locus is not None:
        locus.inputs.update({name: table for name, table in tables.items() if name in GIVEN_BY})
    failures = tuple(_failure(examples, what, error) for what, error in rows.failures)
    basis, failed = task.basis.get(stage, ""), (failure.example for failure in failures)
    note = shard_note(task.setup.study, stage, examples, basis, tables, failed)
    note |= {} if task.setup.probe is None else {"probe": task.setup.probe}
    cost = {"seconds": round(time.perf_counter() - began, 3)}
    if locus is not None and (work := locus.take_work()).n_full + work.n_partial:
        cost |= {"full": work.n_full, "partial": work.n_partial}
    files = {name: (to_bytes(table, {**note, "table": name}), len(table)) for name, table in tables.items()}
    tracebacks = tuple("".join(traceback.format_exception(error)) for _, error in rows.failures)
    return FinishedShard(stage, examples, files, failures, dict.fromkeys(notices, examples), cost, basis, tracebacks)


def _failure(examples: tuple[str, ...], what: str, error: Exception) -> Failure:
    message = str(error) or type(error).__name__
    if what in examples:
        return Failure(what, "", type(error).__name__, message)
    return Failure(examples[0], what, type(error).__name__, message)
