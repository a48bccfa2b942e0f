"""The progress of a run: one bar per stage, and one line per shard in a log."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from tqdm import tqdm

from ...support import printable
from ..store import LOG_FILE, Shard
from .tasks import FinishedShard


class Progress:
    """The log of a folder, and a bar on the terminal. Neither gets control characters.

    Parameters
    ----------
    folder: Path

    verbose: bool
        Whether to show bars and messages on the terminal.
    """

    def __init__(self, folder: Path, verbose: bool) -> None:
        self._path, self._verbose = folder / LOG_FILE, verbose
        self.bar: Any = None

    def __enter__(self) -> Progress:
        self._file = open(self._path, "a", encoding="utf-8", errors="backslashreplace")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def say(self, text: str) -> None:
        """Write a line to the log and to the terminal."""
        self.log(text)
        if self._verbose:
            tqdm.write(printable(text))

    def log(self, text: str) -> None:
        """Write a line to the log."""
        line = printable(" ".join(text.split()))
        self._file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
        self._file.flush()

    def log_error(self, error: BaseException) -> None:
        """Write an error to the log, with its traceback."""
        self._file.write(printable("".join(traceback.format_exception(error))))
        self._file.flush()

    @contextmanager
    def stage(self, name: str, total: float, unit: str = "seq") -> Iterator[None]:
        """Show a bar for a stage of `total` units."""
        with tqdm(
            total=round(total), desc=name, unit=unit, unit_scale=True, disable=not (self._verbose and total)
        ) as self.bar:
            yield
            self.bar.n = self.bar.total  # the plan was an upper bound

    def more(self, units: float) -> None:
        """Add units to the running stage."""
        if self.bar is not None:
            self.bar.total += round(units)
            self.bar.refresh()

    def stored(self, shard: Shard, made: FinishedShard, units: float) -> None:
        """Write a line about a stored shard, and move the bar."""
        rows = sum(file.rows for file in shard.files.values())
        work = [f"{int(shard.cost[kind])} {kind}" for kind in ("full", "partial") if kind in shard.cost]
        seconds = shard.cost.get("seconds", 0.0)
        self.log(f"{shard.stage} {_named(shard.examples)}: {rows} rows, {', '.join([*work, f'{seconds:.2f} s'])}")
        for failure in made.failures:
            what = f", {failure.what}" if failure.what else ""
            self.say(f"FAILED {shard.stage} {failure.example}{what}: {failure.error}: {failure.message}")
        for text in made.tracebacks:
            self._file.write(printable(text))
        for notice, examples in made.notices.items():
            self.log(f"notice of {shard.stage} {_named(examples)}: {notice}")
        if self.bar is not None:
            self.bar.set_postfix_str(printable(f"{shard.stage} {shard.examples[-1][:24]}"), refresh=False)
            self.bar.update(round(units))


def _named(examples: Sequence[str]) -> str:
    return examples[0] if len(examples) == 1 else f"{examples[0]} and {len(examples) - 1} more"
