"""A study that is killed again and again ends with the tables of one that was not.

Three processes are killed. For more, set CREME_KILLS:

    CREME_KILLS=20 python -m pytest tests/study/test_kill.py -s
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from study_cases import HERE, file_bytes, logged_shards, small_spec, table_bytes, write_toml

from tangermeme_creme.study import run_study
from tangermeme_creme.study.spec import spec_to_dict

KILLS = int(os.environ.get("CREME_KILLS", "3"))
# A batch takes so long that every kill finds the study running: it goes on by a shard and 0.6 s at most in between.
SECONDS = max(0.006, 0.002 * KILLS)
# Imports once, which takes seconds, and then runs the command line in a new process for each line that it reads.
DRIVER = f"""
import os, sys
sys.path.insert(0, {str(HERE)!r})
import study_cases, tangermeme_creme.study
from tangermeme_creme.cli import main
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os._exit(main(line.split()))
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Killed(NamedTuple):
    """A study that was killed and went on until it was done, beside one of the same tables that was left alone."""

    folder: Path
    reference: Path
    kills: int
    at_kills: list[int]


def _lines(folder: Path) -> int:
    manifest = folder / "manifest.jsonl"
    return manifest.read_bytes().count(b"\n") if manifest.exists() else 0


class Driver:
    """Runs a study in a process of its own, again and again."""

    def __init__(self, process: subprocess.Popen[str], file: Path, folder: Path) -> None:
        self.process, self.file, self.folder = process, file, folder

    def run(self, kill_after: float | None = None) -> int:
        """Run it, to be killed some seconds after it stored a shard or to its end; gives the exit code."""
        assert self.process.stdin is not None and self.process.stdout is not None
        before = max(_lines(self.folder), 1)
        self.process.stdin.write(f"run {self.file} --quiet\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        if kill_after is not None:
            deadline = time.monotonic() + 60
            while _lines(self.folder) <= before and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(kill_after)
            with suppress(ProcessLookupError):  # it is done
                os.kill(pid, signal.SIGKILL)
        return int(self.process.stdout.readline())


@contextmanager
def _driver(file: Path, folder: Path) -> Iterator[Driver]:
    command = [sys.executable, "-c", DRIVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Driver(process, file, folder)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    base, rng = tmp_path_factory.mktemp("kill"), random.Random(0)
    reference = run_study(small_spec(base, n_loci=3, out=str(base / "reference")), folder=HERE, verbose=False).folder
    model = {"function": "study_cases:slow_toy", "arguments": {"seconds": SECONDS}, "module_folder": str(HERE)}
    spec = small_spec(base, n_loci=3, model=model, run={"loci_per_shard": 2, "threads": 1})
    file, folder, at_kills = write_toml(spec_to_dict(spec), base / "study.toml"), Path(spec.out), []
    with _driver(file, folder) as driver:
        while len(at_kills) < KILLS and driver.run(kill_after=rng.uniform(0, 0.6)) == -signal.SIGKILL:
            at_kills.append(_lines(folder) - 1)
        assert driver.run() == 0
    print(f"{len(at_kills)} kills, with {at_kills} shards stored, of {_lines(folder) - 1}")
    return Killed(folder, reference, len(at_kills), at_kills)


def test_kills_each_found_the_study_running(killed: Killed) -> None:
    assert killed.kills == KILLS
    assert sorted(set(killed.at_kills)) == killed.at_kills  # and each run went on from the one before


def test_kills_change_no_byte_of_the_tables(killed: Killed) -> None:
    tables = table_bytes(killed.reference)
    assert len(tables) >= 17
    assert table_bytes(killed.folder) == tables


def test_kills_cost_only_the_shards_in_flight(killed: Killed) -> None:
    # A shard is logged after it is stored: none is logged twice, and a kill can leave one without its line.
    logged = Counter(logged_shards(killed.folder))
    lines = (killed.folder / "manifest.jsonl").read_text().splitlines()[1:]
    stored = sum(1 for line in lines if json.loads(line))
    assert set(logged.values()) == {1}
    assert stored - killed.kills <= len(logged) <= stored


def test_kills_leave_each_locus_stored_once_a_stage(killed: Killed) -> None:
    lines = (killed.folder / "manifest.jsonl").read_text().splitlines()[1:]
    shards = [json.loads(line) for line in lines]
    stored = Counter((shard["stage"], example) for shard in shards for example in shard["examples"])
    assert len(stored) == 3 * 11
    assert set(stored.values()) == {1}


def test_kills_leave_no_half_written_file(killed: Killed) -> None:
    assert not [name for name in file_bytes(killed.folder) if name.endswith(".tmp")]
