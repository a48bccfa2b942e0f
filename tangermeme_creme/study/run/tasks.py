"""What a worker does: load the model once, and turn tasks into the files of shards."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import pandas as pd

from ...analysis import classify_context
from ...operators import context_dependence_test, predict_activity
from ...support import collected
from ..spec import context_thresholds
from ..store import Failure, locus_seed, shard_note, to_bytes
from ..tests import EXPERIMENTS, GIVEN_BY, NEEDS, LocusState, Tables, summarized
from .loaded_study import PROCESS, Laboratory, Setup, laboratory


@dataclass(frozen=True)
class Task:
    """Some loci, and what to do with them: "activity", "context", or tests of one locus in their order.

    Parameters
    ----------
    setup: Setup

    stages: tuple of str

    loci: pandas.DataFrame

    context, given: dict
        As in `LocusState`, for tests.

    basis: dict of str to str
        By stage, the hash of `context` and `given` that its shard is to carry.

    seconds: float
        A worker gives back what it has after a test that ends later than this.
    """

    setup: Setup
    stages: tuple[str, ...]
    loci: pd.DataFrame
    context: dict[str, str] = field(default_factory=dict)
    given: dict[str, pd.DataFrame] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Part:
    """A finished shard, as bytes of Parquet, on its way to the store."""

    stage: str
    examples: tuple[str, ...]
    tables: dict[str, tuple[bytes, int]]
    failures: tuple[Failure, ...]
    notices: tuple[str, ...]
    cost: dict[str, float]
    basis: str = ""
    tracebacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a task came to: finished shards, and the task that is left of it."""

    parts: tuple[Part, ...]
    rest: Task | None = None


def run_task(task: Task) -> Outcome:
    """Do a task, or as much of it as fits its time. What fails is noted, and the rest goes on."""
    lab = laboratory(task.setup)
    if task.stages[0] not in EXPERIMENTS:
        return Outcome((_many(lab, task),))
    began, left = time.monotonic(), list(task.stages)
    parts: list[Part] = []
    state = _state(lab, task)
    while left and (not parts or time.monotonic() - began < task.seconds):
        stage = left.pop(0)
        # Without a row to start from, say of CREs, there is nothing to do, which is an answer too.
        ready = all(need in state.given for need in NEEDS[stage])
        part = _measured(lab, task, stage, partial(EXPERIMENTS[stage], state) if ready else _nothing, state)
        parts.append(part)
        if part.failures:  # what starts from the tables of this test is for a later run
            left = [name for name in left if all(GIVEN_BY.get(need) != stage for need in NEEDS[name])]
    needed = {need for name in left for need in NEEDS[name]}
    given = {name: table for name, table in state.given.items() if name in needed}
    rest = replace(task, stages=tuple(left), given=given) if left else None
    if rest is None:
        PROCESS.state = None
    return Outcome(tuple(parts), rest)


def _nothing(tables: Tables) -> None:
    pass


def _state(lab: Laboratory, task: Task) -> LocusState:
    """That of the locus that was worked on last, if it is this one, so that its activations are not run again.

    What it starts from is what the task says: another worker may have found more since this one had the locus.
    """
    state = getattr(PROCESS, "state", None)
    if state is None or state.lab is not lab or state.example != task.loci["example"].iloc[0]:
        state = LocusState(lab, task.loci, task.context, dict(task.given))
        PROCESS.state = state
    state.context, state.given = task.context, dict(task.given)
    return state


def _many(lab: Laboratory, task: Task) -> Part:
    """A stage in which each locus is on its own: one shard for all of them."""
    stage = task.stages[0]

    def run(tables: Tables) -> None:
        if stage == "activity":
            _activity(lab, task.loci, tables)
        else:
            for i in range(len(task.loci)):
                tables.attempt(str(task.loci["example"].iloc[i]), _context, lab, task.loci.iloc[[i]])

    return _measured(lab, task, stage, run, None)


def _activity(lab: Laboratory, loci: pd.DataFrame, tables: Tables) -> None:
    """All together, so that batches are full; and one by one, if one of them fails."""

    def predicted(tables: Tables, some: pd.DataFrame) -> None:
        options = {name: lab.engine[name] for name in ("batch_size", "dtype", "device")}
        fasta = lab.windows.fasta
        tables.add(
            activity=predict_activity(
                lab.activity_model, fasta, some, length=lab.length, tracks=lab.tracks,
                need_offset=lab.spec.model.activity is not None, **options,
            )[["example", "track", "activity", *(["offset"] if lab.spec.model.activity is not None else [])]]
        )  # fmt: skip

    try:
        predicted(tables, loci)
    except Exception:
        for i in range(len(loci)):
            tables.attempt(str(loci["example"].iloc[i]), predicted, loci.iloc[[i]])


def _context(tables: Tables, lab: Laboratory, locus: pd.DataFrame) -> None:
    example, settings = str(locus["example"].iloc[0]), lab.spec.context
    result = context_dependence_test(
        lab.model, lab.windows.read(locus), lab.tss_tile, n=settings.n,
        random_state=[locus_seed(lab.spec.seed, example)], **lab.engine,
    )  # fmt: skip
    frame = result.to_frame(ids=[example], tracks=lab.tracks)
    summary = summarized(frame, ["context_effect"])
    summary["context"] = classify_context(summary["context_effect"], **context_thresholds(settings))
    tables.add(context=summary, raw_context=frame)


def _measured(lab: Laboratory, task: Task, stage: str, run: Callable[[Tables], None], state: LocusState | None) -> Part:
    """Run a stage of a task, and make a shard of what it gives."""
    tables, began = Tables(), time.perf_counter()
    examples = tuple(str(name) for name in task.loci["example"])
    with collected() as notices:
        try:
            run(tables)
        except Exception as error:
            tables.failures.append((examples[0] if state is None else "", error))
    whole = {name: table for name, table in tables.whole().items() if lab.spec.output.raw or name[:4] != "raw_"}
    if state is not None:
        state.given.update({name: table for name, table in whole.items() if name in GIVEN_BY})
    failures = tuple(_failure(examples, what, error) for what, error in tables.failures)
    basis, failed = task.basis.get(stage, ""), (failure.example for failure in failures)
    note = shard_note(task.setup.study, stage, examples, basis, whole, failed)
    cost = {"seconds": round(time.perf_counter() - began, 3)}
    if state is not None and (work := state.take_work()).n_full + work.n_partial:
        cost |= {"full": work.n_full, "partial": work.n_partial}
    made = {name: (to_bytes(table, {**note, "table": name}), len(table)) for name, table in whole.items()}
    traced = tuple("".join(traceback.format_exception(error)) for _, error in tables.failures)
    return Part(stage, examples, made, failures, tuple(dict.fromkeys(notices)), cost, basis, traced)


def _failure(examples: tuple[str, ...], what: str, error: Exception) -> Failure:
    message = str(error) or type(error).__name__
    if what in examples:
        return Failure(what, "", type(error).__name__, message)
    return Failure(examples[0], what, type(error).__name__, message)
