"""The process of the command line: stopped at any moment with one line, and not by a reader that leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tangermeme_creme import _process
from tangermeme_creme._signals import stop_signals

STOPPED = (130, "tangermeme-creme: stopped.\n")
# Says where the process is, and stays there until a signal comes.
WAIT = 'print("here", flush=True); import time; time.sleep(600)'


@contextmanager
def process_of(code: str, *arguments: str, path: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run code, and wait until it says that it is there."""
    folders = [str(path)] if path else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*folders, *filter(None, sys.path)])}
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None and process.stdout.readline() == "here\n"
            yield process
        finally:
            process.kill()


def stopped(process: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[int, str]:
    process.send_signal(number)
    errors = process.communicate()[1]
    return process.returncode, errors


RUN = "from tangermeme_creme._process import entry; entry()"


@pytest.mark.parametrize("command", ["init", "run s.toml", "status .", "report .", "export .", "demo"])
def test_signal_during_imports_ends_with_one_line(tmp_path: Path, command: str) -> None:
    for module in ("numpy", "pandas", "torch", "pydantic"):
        (tmp_path / f"{module}.py").write_text(WAIT)
    with process_of(RUN, *command.split(), path=tmp_path) as process:
        assert stopped(process) == STOPPED


# A command whose work is a given code, without the imports of the real one.
WORK = """
import threading, time
from tangermeme_creme import cli
cli.import_module = lambda *names: None
def work(arguments):
    {work}
    return 0
cli._status = work
from tangermeme_creme._process import entry
entry()
"""
FINALIZED = """class Kept:
        def __del__(self):
            print("here", flush=True)
            time.sleep(600)
    del (kept := [Kept()])[0]
    time.sleep(600)"""
CONVERTED = """print("here", flush=True)
    try:
        time.sleep(600)
    except KeyboardInterrupt as error:
        raise RuntimeError("an extension lost the interrupt") from error"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "work", [WAIT, FINALIZED, CONVERTED], ids=["work", "finalizer that drops it", "code that converts it"]
)
def test_signal_during_work_ends_with_one_line(work: str, number: int) -> None:
    with process_of(WORK.format(work=work), "status", ".") as process:
        assert stopped(process, number) == STOPPED


def test_second_signal_ends_a_process_that_cleans_up() -> None:
    work = f"try:\n        {WAIT}\n    finally:\n        {WAIT}"
    with process_of(WORK.format(work=work), "status", ".") as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None and process.stdout.readline() == "here\n"  # it cleans up
        assert stopped(process) == STOPPED


def test_signal_after_the_work_changes_nothing() -> None:
    at_exit = 'import atexit; atexit.register(lambda: (print("here", flush=True), input()))'
    with process_of(at_exit + WORK.format(work="pass"), "status", ".") as process:
        process.send_signal(signal.SIGINT)
        assert (process.communicate("go on\n")[1], process.returncode) == ("", 0)


def test_ignored_signal_stays_ignored() -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" + WORK.format(
        work='print("here", flush=True); input()'
    )
    with process_of(code, "status", ".") as process:
        process.send_signal(signal.SIGINT)
        assert (process.communicate("go on\n")[1], process.returncode) == ("", 0)


def test_signals_are_as_before_after_a_command() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)], sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), stop_signals() as came:
        signal.raise_signal(signal.SIGTERM)
    assert came == [signal.SIGTERM]
    assert before == ([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)], sys.unraisablehook)


@pytest.fixture
def unread() -> Iterator[Any]:
    """A stream whose reader has left."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "w", encoding="ascii") as stream:
        yield stream


def test_output_that_nobody_reads_is_dropped(unread: Any) -> None:
    with pytest.raises(BrokenPipeError):
        os.write(unread.fileno(), b"lost")
    lasting = _process._lasting(unread)
    for _ in range(2):
        assert print("x" * 100_000, file=lasting, flush=True) is None


def test_output_keeps_its_file_and_what_it_cannot_encode_is_escaped(tmp_path: Path) -> None:
    with open(tmp_path / "a", "w", encoding="ascii") as file:
        stream = _process._lasting(file)
        print("β", file=stream)  # each line is written at once
        assert stream.fileno() == file.fileno() and not stream.isatty()
        assert (tmp_path / "a").read_text() == "\\u03b2\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_output_to_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "w") as file, pytest.raises(OSError, match="No space left"):
        _process._Lasting(file.fileno(), "w", closefd=False).write(b"lost")


def test_stream_that_is_no_file_is_left_as_it_is() -> None:
    assert _process._lasting(None) is None
