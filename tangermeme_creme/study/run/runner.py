"""Run a study to its tables, from the beginning or from where it stopped."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ...sequence import tile_grid
from ...support import collected
from ..spec import StudyError, StudySpec, check_spec, window_center, window_length
from ..store import (
    Failure,
    Store,
    disk_error,
    folder_lock,
    free_folder,
    how_to_resume,
    make_header,
    merge_table,
    open_store,
    rounding_changes,
    stage_table,
    study_id,
    write_table,
)
from ..tables import ANNOTATION_TABLES, Study, annotate, few_contexts
from ..tests import GIVEN_BY, TESTS, Extent
from .costs import cost_of
from .executors import InProcess, run_tasks
from .inputs import input_files, read_loci
from .interrupts import remembered_interrupts
from .loaded_study import Setup, first_prediction, unload_study
from .progress import Progress
from .remaining import RemainingTests
from .selection import chosen_loci, needs_activity, select_categories, select_loci
from .tasks import FinishedShard, Outcome, Task

_ACTIVITY_LOCI = 16  # times more loci per shard than contexts: activity takes one sequence per locus, not a hundred
_REMOTE_SECONDS = 60.0


def run_study(
    spec: StudySpec,
    *,
    folder: str | Path | None = None,
    executor: Executor | None = None,
    width: int | Callable[[], int] | None = None,
    threads: int | None = None,
    new_folder: bool = False,
    verbose: bool = True,
) -> Study:
    """Run a study, or go on with a study that was stopped.

    A finished shard, one test of one locus, is not computed again. The tables depend on the spec, the model and the
    input files alone, not on the executor, the order of loci, kills or the size of shards. Batch size, threads and
    device change the last bits of predictions if the model's rounding depends on them: the log says whether it depends
    on the batch, and what has changed since the study began.

    Parameters
    ----------
    spec: StudySpec
        From `read_spec`. `spec.out` is the folder.

    folder: path, optional
        Where modules that the spec names are found, beside those that are installed: usually the folder of the TOML
        file. The working folder is not searched, unless it is this one. Default is None.

    executor: concurrent.futures.Executor or None, optional
        Where tasks run. Each thread of each process loads the model once. None is this process. Default is None.

    width: int, callable or None, optional
        The most tasks that run or wait at a time. None is two per worker of the executor. Default is None.

    threads: int or None, optional
        Threads of PyTorch per worker. None is `spec.run.threads`; if that is None too, the worker's own setting.
        Default is None.

    new_folder: bool, optional
        Whether to begin in a folder with a new name if `spec.out` has a study already. Default is False.

    verbose: bool, optional
        Whether to show progress. Default is True.

    Returns
    -------
    study: Study

    Raises
    ------
    StudyError
        If the folder is in use, belongs to another study, or cannot be written to, or nothing can be computed.

    SpecError
        If keys of the spec do not go together.

    KeyboardInterrupt
        On Ctrl-C, after the running batch. Finished shards are stored.
    """
    check_spec(spec)
    if threads is not None:
        spec = spec.model_copy(update={"run": spec.run.model_copy(update={"threads": threads})})
    out = Path(spec.out)
    try:
        if new_folder:
            out = free_folder(out)
            spec = spec.model_copy(update={"out": str(out)})
        out.mkdir(parents=True, exist_ok=True)
        with folder_lock(out), Progress(out, verbose) as progress, remembered_interrupts() as check:
            try:
                return _Run(spec, out, None if folder is None else str(folder), executor, width, progress, check).run()
            except KeyboardInterrupt:
                stopped = f"stopped; what was finished is stored: {how_to_resume(out, new_folder)}"
                progress.log(stopped)
                raise KeyboardInterrupt(stopped) from None
            finally:
                if executor is None:
                    unload_study()
    except OSError as error:
        raise StudyError(disk_error(out, error, new_folder)) from error


class _Run:
    """One run, from the lock to the tables."""

    def __init__(
        self,
        spec: StudySpec,
        out: Path,
        folder: str | None,
        executor: Executor | None,
        width: int | Callable[[], int] | None,
        progress: Progress,
        check_interrupts: Callable[[], None],
    ) -> None:
        self.spec, self.out, self.progress = spec, out, progress
        self.check_interrupts = check_interrupts
        self.setup = Setup(spec, folder, run=uuid.uuid4().hex)
        self.remote = executor is not None
        self.executor = executor or InProcess()
        workers = getattr(executor, "_max_workers", None) or 1
        fixed = (2 * workers if self.remote else 1) if width is None else width
        self.width: Callable[[], int] = fixed if callable(fixed) else lambda: fixed
        self.tiles = len(tile_grid(window_length(spec), spec.tiles.size, window_center(spec)).context)
        self.in_part = spec.run.incremental is not False
        self.store: Store

    def run(self) -> Study:
        spec, progress = self.spec, self.progress
        loci = read_loci(spec)
        inputs = input_files(spec)
        model = self._try_model(loci)
        header = make_header(spec, model, inputs, len(loci))
        self.store = open_store(self.out, header, progress.say)
        self.setup = replace(
            self.setup, study=study_id(header), fingerprint=model["fingerprint"], probe=model["probe"],
            locus=loci[loci["example"] == model["example"]],
        )  # fmt: skip
        for change in rounding_changes(self.store.manifest.header, header):
            progress.say(f"not what the study began with: {change}; the last bits of predictions may differ.")
        if spec.model.allow_stochastic:
            progress.say("model.allow_stochastic: the model is not compared with that of earlier runs and of workers.")
        if model["rounding"]:
            progress.say(
                f"predictions of this model depend on the batch that they are made in, by {model['rounding']:.1g} of "
                "the largest: with another batch size the tables are the same to that."
            )
        chosen, selection = self._choose(loci)
        contexts = self._contexts(chosen, selection)
        tested = self._tests(chosen, contexts)
        failures = self._failures(tested, self._annotate())
        write_table(self.store, "failures", failures)
        study = Study(self.out)
        failed = f"; {len(failures)} failures, in table failures" if len(failures) else ""
        progress.say(f"done: {len(study.tables)} tables in {self.out}{failed}")
        return study

    def _try_model(self, loci: pd.DataFrame) -> dict[str, Any]:
        """Make a first prediction, at one of three loci, so that one broken locus does not stop the study."""
        for i in sorted({0, len(loci) // 2, len(loci) - 1}):
            try:
                return dict(self.executor.submit(first_prediction, self.setup, loci.iloc[[i]]).result())
            except StudyError as error:
                self.progress.log_error(error)  # with the traceback of the function that loads the model
                raise
            except Exception as error:
                self.progress.log_error(error)
                last = f"{loci['example'].iloc[i]}: {type(error).__name__}: {error}"
        raise StudyError(f"the model must predict one of three windows; it failed on all of them; the last, {last}")

    def _choose(self, loci: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Predict TSS activity, and select loci by it."""
        activity = None
        if needs_activity(self.spec):
            self._by_locus("activity", loci, self.spec.run.loci_per_shard * _ACTIVITY_LOCI)
            merge_table(self.store, "activity", "activity", loci["example"].tolist())
            activity = stage_table(self.store, "activity", "activity", loci["example"].tolist())
            self._stop_if_empty("activity", activity)
        selection = select_loci(self.spec, loci, activity)
        chosen = chosen_loci(self.spec, loci, selection)
        self._stop_if_empty("selection", chosen)
        write_table(self.store, "selection", selection)
        write_table(self.store, "loci", chosen)
        return chosen, selection

    def _contexts(self, chosen: pd.DataFrame, selection: pd.DataFrame) -> pd.DataFrame:
        """Test context dependence, name the categories, and draw the loci of all further tests."""
        self._by_locus("context", chosen, self.spec.run.loci_per_shard)
        effects = stage_table(self.store, "context", "context", chosen["example"].tolist())
        self._stop_if_empty("context", effects)
        contexts = select_categories(self.spec, effects, selection)
        write_table(self.store, "contexts", contexts)
        for sentence in few_contexts(contexts):
            self.progress.say(sentence)
        return contexts

    def _by_locus(self, stage: str, loci: pd.DataFrame, size: int) -> None:
        """Run a stage in which each locus is on its own, with up to `size` loci per shard."""
        remaining = loci[~loci["example"].isin(self.store.done(stage))]
        tasks = (Task(self.setup, (stage,), remaining.iloc[i : i + size]) for i in range(0, len(remaining), size))
        per_locus = cost_of(self.spec, stage, Extent(self.tiles, self.spec.tiles.size), in_part=self.in_part).total
        with self.progress.stage(stage, per_locus * len(remaining)):
            for shard in self._shards(tasks):
                self._put(shard, per_locus * len(shard.examples))

    def _tests(self, chosen: pd.DataFrame, contexts: pd.DataFrame) -> list[str]:
        """Run all tests of the drawn loci, and return the loci."""
        tests = RemainingTests(self.setup, self.store, chosen, contexts, tiles=self.tiles, in_part=self.in_part)
        with self.progress.stage("tests", tests.known_cost()):
            for shard in self._shards(tests.tasks(_REMOTE_SECONDS if self.remote else 0.0)):
                name = shard.examples[0]
                self._put(shard, tests.cost(shard.stage, name))
                if shard.stage == GIVEN_BY["cres"]:
                    self.progress.more(tests.cres_cost(name))
        for test in tests.included:
            for table in TESTS[test].gives:
                merge_table(self.store, test, table, tests.current(test))
        return tests.names

    def _annotate(self) -> pd.DataFrame:
        """Annotate the places of CREs anew, and return what failed."""
        with collected():  # a manifest that was lost does not name the tables that are made below
            study = Study(self.out)
        tables = {name: study.table(name) for name in ("loci", "contexts", "cres", "sufficiency", "kept")}
        with collected() as notices:
            made = annotate(self.spec, tables)
        for notice in notices:
            self.progress.say(f"annotation: {notice}")
        failures = made.pop("annotation_failures", pd.DataFrame())
        for name in ANNOTATION_TABLES:
            write_table(self.store, name, made.get(name, pd.DataFrame()))
        return failures

    def _failures(self, tested: list[str], of_annotation: pd.DataFrame) -> pd.DataFrame:
        """List what failed, without loci that are not drawn any more; failures of the annotation have no locus."""
        columns = ["example", "stage", "what", "error", "message"]
        rows = [
            (f.example, stage, f.what, f.error, f.message)
            for stage, f in self.store.failures()
            if stage in ("activity", "context") or f.example in tested
        ]
        return pd.concat([pd.DataFrame(rows, columns=columns), of_annotation.assign(example="")], ignore_index=True)

    def _shards(self, tasks: Iterator[Task]) -> Iterator[FinishedShard]:
        """Run tasks and yield their shards. A task whose workers died yields one shard, which failed."""
        for task, outcome in run_tasks(self.executor, tasks, self.width):
            if isinstance(outcome, Outcome):
                yield from outcome.shards
            elif type(outcome).__name__ == "KilledWorker":
                examples, why = tuple(task.loci["example"]), "its worker died, and so did others that tried again"
                failures = tuple(Failure(name, "", "KilledWorker", why) for name in examples)
                yield FinishedShard(task.stages[0], examples, {}, failures, {}, {})
            elif isinstance(outcome, StudyError):
                raise outcome
            else:
                raise StudyError(
                    f"a worker failed outside of any test, at {task.loci['example'].iloc[0]!r}: "
                    f"{type(outcome).__name__}: {outcome}"
                ) from outcome

    def _put(self, made: FinishedShard, units: float) -> None:
        shard = self.store.put(made.stage, made.examples, made.tables, made.basis, made.failures, made.cost)
        self.progress.stored(shard, made, units)
        self.check_interrupts()

    def _stop_if_empty(self, stage: str, table: pd.DataFrame) -> None:
        if len(table):
            return
        failures = [failure for name, failure in self.store.failures() if name == stage]
        why = f": {failures[0].error}: {failures[0].message}" if failures else ""
        raise StudyError(f"there must be a locus to go on with; got none after stage {stage}{why}")
