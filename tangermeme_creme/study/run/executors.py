"""Where tasks run: in this process, or on anything with the interface of `concurrent.futures`."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from ..spec import StudyError
from .tasks import Outcome, Task, run_task


class InProcess(Executor):
    """Runs each function at once, in the thread that submits it."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function, and return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def run_tasks(
    executor: Executor, tasks: Iterable[Task], width: Callable[[], int]
) -> Iterator[tuple[Task, Outcome | BaseException]]:
    """Run tasks, and yield the outcome or the error of each in the order in which they end.

    At most `width()` tasks run or wait at a time, so that neither tasks nor results pile up. The rest of a task that
    was given back runs before new tasks. On an exception in the caller's loop, tasks that have not begun are cancelled.
    """
    new = iter(tasks)
    given_back: deque[Task] = deque()
    running: dict[Future[Outcome], Task] = {}
    try:
        while True:
            while len(running) < max(1, width()):
                task = given_back.popleft() if given_back else next(new, None)
                if task is None:
                    break
                running[executor.submit(run_task, task)] = task
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task, error = running.pop(future), _error_of(future)
                if error is not None:
                    yield task, error
                    continue
                outcome = future.result()
                if outcome.rest is not None:
                    given_back.append(outcome.rest)
                yield task, outcome
    finally:
        for future in running:
            future.cancel()


def _error_of(future: Future[Any]) -> BaseException | None:
    """Return the error of a future that is done; if a cluster was lost, its futures were cancelled."""
    try:
        return future.exception()
    except CancelledError as error:
        return error


def _local_cluster(**options: Any) -> Any:
    """Start a cluster of processes on this machine.

    The processes, and those that take the place of dead ones, do not get Ctrl-C, which a terminal sends to all of them:
    this process handles it, also while they start, which may take a minute. They inherit what the thread blocks that
    starts them.
    """
    from distributed import LocalCluster

    cluster: Future[Any] = Future()

    def start() -> None:
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            started = LocalCluster(**options)
        except BaseException as error:
            cluster.set_exception(error)
            return
        if not cluster.set_running_or_notify_cancel():
            started.close()  # it was stopped meanwhile
            return
        cluster.set_result(started)

    if os.name == "posix":
        resource_tracker.ensure_running()  # it would unblock the signal in the thread that starts it
    threading.Thread(target=start, daemon=True, name="start of workers").start()
    try:
        return cluster.result()
    except BaseException:
        if not cluster.cancel() and cluster.exception() is None:  # it started just now
            cluster.result().close()
        raise


@contextmanager
def dask_executor(where: str, *, threads: int | None = None) -> Iterator[tuple[Executor, Callable[[], int], int]]:
    """Open an executor on a Dask cluster.

    Parameters
    ----------
    where: str
        "local:N" starts N processes on this machine for the block; else the address of a scheduler, "tcp://...".

    threads: int or None, optional
        Threads of PyTorch per local process. None shares the cores out. Default is None.

    Yields
    ------
    executor: concurrent.futures.Executor
        If a worker dies, its task is tried again on another worker, up to three times.

    width: callable
        Two tasks per worker, for as many workers as there are at the time.

    threads: int or None
        Threads of PyTorch per worker; None leaves that to the workers of a cluster.

    Raises
    ------
    StudyError
        If dask.distributed is not installed, or `where` is neither.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise StudyError(
            f"--dask needs dask.distributed: pip install 'tangermeme-creme[study]'; got {error}."
        ) from error
    kind, _, number = where.partition(":")
    if kind == "local" and number.isdecimal() and int(number) > 0:
        n = int(number)
        threads = threads or max(1, (os.cpu_count() or 1) // n)
        cluster = _local_cluster(
            n_workers=n, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=logging.ERROR
        )
    elif "://" in where:
        cluster = None
    else:
        raise StudyError(f"--dask must be 'local:N' or the address of a scheduler, 'tcp://host:port'; got {where!r}.")
    try:
        with Client(cluster or where) as client:

            def width() -> int:
                return 2 * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))

            yield client.get_executor(retries=3, pure=False), width, threads  # type: ignore[misc]
    finally:
        if cluster is not None:
            cluster.close()
