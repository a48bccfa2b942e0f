"""A study has one writer, and signals stop it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from study_cases import (
    HERE,
    command,
    file_bytes,
    logged_shards,
    quick_spec,
    refused,
    table_bytes,
    write_toml,
)

from tangermeme_creme.study import StudyError, run_study
from tangermeme_creme.study.spec import spec_to_dict
from tangermeme_creme.study.store import folder_lock


@pytest.fixture(scope="module")
def base(study_base: Path) -> Path:
    return study_base


@pytest.fixture(scope="module")
def finished(quick_study: Path) -> Path:
    return quick_study


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "study"))


HOLD = """
import sys, time
from pathlib import Path
from tangermeme_creme.study.store import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other_process(copy: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder."""
    with subprocess.Popen([sys.executable, "-c", HOLD, copy], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_folder_of_a_running_process_is_refused_until_that_is_killed(
    base: Path, finished: Path, copy: Path, other_process: subprocess.Popen[str]
) -> None:
    refused(
        quick_spec(base, copy), rf"one writer at a time; got {copy}, which is in use by process {other_process.pid} on"
    )
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert f"process {other_process.pid} on" in (copy / "writer.txt").read_text()  # it is left, and does not block
    run_study(quick_spec(base, copy), folder=HERE, verbose=False)
    assert table_bytes(copy) == table_bytes(finished)


def test_folder_of_another_thread_is_refused(base: Path, copy: Path) -> None:
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with folder_lock(copy):
            held.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(60)
        with pytest.raises(StudyError, match=rf"one writer at a time; got {copy}, which this process runs already"):
            run_study(quick_spec(base, copy), folder=HERE, verbose=False)
    finally:
        release.set()
        thread.join()
    with folder_lock(copy):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_the_command_with_what_was_finished(
    base: Path, finished: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "study"
    flag = folder / "hold"
    flag.parent.mkdir()
    flag.touch()
    model = {"function": "study_cases:held_toy", "arguments": {"flag": str(flag), "shards": 5}}
    spec = quick_spec(base, folder, model=model, run={"threads": 1})
    file = write_toml(spec_to_dict(spec), tmp_path / "study.toml")
    process = subprocess.Popen(command("run", file, "--quiet"), stderr=subprocess.PIPE, text=True)
    # The model waits once five shards are stored, so that the signal never comes after the end.
    while len(logged_shards(folder)) < 5:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(number)
    errors = process.communicate()[1]
    assert process.returncode == 130
    assert errors == "tangermeme-creme: stopped; what was finished is stored: run the same command again to go on.\n"
    stored = logged_shards(folder)
    assert 5 <= len(stored) < 14
    flag.unlink()
    assert re.search(r"stopped; what was finished is stored: run the same command", (folder / "log.txt").read_text())
    run_study(spec, folder=HERE, verbose=False)
    assert logged_shards(folder)[: len(stored)] == stored and len(set(logged_shards(folder))) == 14
    assert table_bytes(folder) == table_bytes(finished)
    assert os.listdir(folder / "tables") and not [name for name in file_bytes(folder) if name.endswith(".tmp")]
