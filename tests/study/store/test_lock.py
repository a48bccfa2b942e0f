"""One process, and one thread of it, holds the folder of a study."""

import errno
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fasteners
import pytest
from study_cases import HERE

from tangermeme_creme.study import StudyError
from tangermeme_creme.study.store import folder_lock

HOLD = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(HERE)!r})
if "windows" in sys.argv:
    from windows_cases import pretend_windows
    pretend_windows()
from tangermeme_creme.study import StudyError
from tangermeme_creme.study.store import folder_lock
try:
    with folder_lock(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.readline()
    with folder_lock(Path(sys.argv[1])):
        print("held again", flush=True)
except StudyError as error:
    print(error, flush=True)
"""


def holder(folder: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a process that holds a folder until it reads a line, and then once more; or says why it cannot."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, folder, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@contextmanager
def held_by(folder: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """Let another process hold a folder within this block."""
    with holder(folder, *options) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_lock_of_another_process_is_refused_by_its_name(tmp_path: Path) -> None:
    with held_by(tmp_path) as process:
        message = rf"in use by process {process.pid} on .+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\. Wait for it"
        for _ in range(2):  # a refusal does not free the lock
            with pytest.raises(StudyError, match=message), folder_lock(tmp_path):
                pass


def test_lock_goes_with_its_process(tmp_path: Path) -> None:
    with held_by(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with folder_lock(tmp_path):
            assert f"process {os.getpid()} on" in (tmp_path / "writer.txt").read_text()


@pytest.mark.parametrize("writer", [None, b"", b"\xff"])
def test_process_that_has_not_said_its_name_is_another_process(tmp_path: Path, writer: bytes | None) -> None:
    with held_by(tmp_path):
        (tmp_path / "writer.txt").unlink()
        if writer is not None:
            (tmp_path / "writer.txt").write_bytes(writer)
        name = "another process" if not writer else "�"
        with pytest.raises(StudyError, match=rf"which is in use by {name}\. Wait"), folder_lock(tmp_path):
            pass


def test_lock_of_another_thread_is_refused(tmp_path: Path) -> None:
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with folder_lock(tmp_path):
            held.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(60)
        for _ in range(2):
            with (
                pytest.raises(StudyError, match=rf"got {tmp_path}, which this process runs already"),
                folder_lock(tmp_path),
            ):
                pass
        with holder(tmp_path) as process:  # which the refusals above did not let in
            assert f"in use by process {os.getpid()} on" in process.communicate()[0]
    finally:
        release.set()
        thread.join()
    with folder_lock(tmp_path):
        pass


def test_lock_is_known_by_the_folder_and_not_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with folder_lock(tmp_path), pytest.raises(StudyError, match="runs already"), folder_lock(Path(".")):
        pass


def test_lock_is_freed_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="stop"), folder_lock(tmp_path):
        raise RuntimeError("stop")
    (tmp_path / "writer.txt").unlink()
    with held_by(tmp_path):
        pass


def test_a_holder_that_cannot_be_named_has_the_lock_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "writer.txt").mkdir()  # which cannot be written to
    with folder_lock(tmp_path), pytest.raises(StudyError, match="runs already"), folder_lock(tmp_path):
        pass
    with held_by(tmp_path), pytest.raises(StudyError, match="in use by another process"), folder_lock(tmp_path):
        pass


def test_children_do_not_inherit_the_lock(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        try:
            with folder_lock(tmp_path), subprocess.Popen(["sleep", "60"], close_fds=False) as inner:
                inner.kill()
            with held_by(tmp_path):
                pass
        finally:
            child.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_forked_child_keeps_no_lock(tmp_path: Path) -> None:
    code = f"""
import os, sys, time
from pathlib import Path
from tangermeme_creme.study.store import folder_lock
with folder_lock(Path({str(tmp_path)!r})):
    child = os.fork()
    if not child:
        time.sleep(60)
        os._exit(0)
print(child, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            with folder_lock(tmp_path):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


def test_folder_where_files_cannot_be_locked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(lock: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fasteners.InterProcessLock, "trylock", refuse)
    message = rf"must be where files can be locked; got {tmp_path}: .*{re.escape(os.strerror(errno.ENOLCK))}"
    for _ in range(2):
        with pytest.raises(StudyError, match=message), folder_lock(tmp_path):
            pass


def test_lock_of_windows_holds_until_it_is_released(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(b"of another version")  # fasteners locks the byte behind it
    with held_by(tmp_path, "windows") as process:
        with holder(tmp_path, "windows") as other:
            assert f"in use by process {process.pid} on" in other.communicate()[0]
        assert process.communicate("\n", timeout=60)[0] == "held again\n"
    with held_by(tmp_path, "windows") as process:
        process.kill()
        process.wait()
        with held_by(tmp_path, "windows"):
            pass
    assert (tmp_path / "lock").read_bytes() == b"of another version"


@pytest.mark.parametrize("name", ["lock", "writer.txt", "log.txt", "manifest.jsonl"])
def test_file_that_is_a_link_is_refused_and_what_it_leads_to_is_left_alone(tmp_path: Path, name: str) -> None:
    mine, study = tmp_path / "mine", tmp_path / "study"
    mine.write_text("mine")
    study.mkdir()
    (study / name).symlink_to(mine)
    message = rf"must not be a link; got .*/{name}, which leads to {mine}"
    with pytest.raises(StudyError, match=message), folder_lock(study):
        pass
    assert mine.read_text() == "mine" and os.listdir(study) == [name]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_file_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.txt")
    with pytest.raises(StudyError, match=r"log\.txt, which is a pipe or a device"), folder_lock(tmp_path):
        pass
