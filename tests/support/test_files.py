"""Files that are written whole or not at all, and files that may be gzipped."""

from __future__ import annotations

import errno
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tangermeme_creme.support import line_at, open_bytes, replace_file, write_durably


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def half(temporary: Path) -> None:
        temporary.write_text("half")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        replace_file(path, half)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_is_not_there_is_named_by_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "a.txt"
    with pytest.raises(FileNotFoundError) as caught:
        replace_file(path, lambda temporary: temporary.write_text("x"))
    assert caught.value.filename == str(path) and not path.parent.exists()


@given(lines=st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b" ")), min_size=1, max_size=9))
def test_lines_are_numbered_by_their_first_byte(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    data = b"\n".join(lines)
    folder = tmp_path_factory.mktemp("files")
    (folder / "plain").write_bytes(b"#" + data)
    (folder / "zipped").write_bytes(gzip.compress(b"#" + data))
    starts = [1 + sum(len(line) + 1 for line in lines[:i]) for i in range(len(lines))]
    for name in ("plain", "zipped"):
        with open_bytes(folder / name) as file:
            assert file.read() == b"#" + data
        assert [line_at(folder / name, start) for start in starts] == list(range(1, len(lines) + 1))


def test_a_killed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = """
import os, sys
from pathlib import Path
from tangermeme_creme.support import replace_file
replace_file(Path(sys.argv[1]), lambda temporary: (temporary.write_text("half"), os._exit(1)))
"""
    assert subprocess.run([sys.executable, "-c", code, path]).returncode == 1
    (leftover,) = set(os.listdir(tmp_path)) - {"a.txt"}
    assert path.read_text() == "old" and leftover.startswith(".a.txt.") and leftover.endswith(".tmp")


@pytest.mark.parametrize("call", [1, 2])
def test_a_durable_write_waits_for_the_file_and_then_for_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    path, opened = tmp_path / "a.txt", []

    def fsync(descriptor: int) -> None:
        opened.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        if len(opened) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the names of open files cannot be read here")
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        write_durably(path, b"new")
    assert opened == [tmp_path / f".a.txt.{os.getpid()}.tmp", tmp_path][:call]
    assert path.read_text() == ["old", "new"][call - 1] and os.listdir(tmp_path) == ["a.txt"]


def test_a_durable_write_does_without_the_flush_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As on Windows, where a folder cannot be opened.
    system_open = os.open

    def refuse_folders(path: str, *arguments: int, **options: int) -> int:
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return system_open(path, *arguments, **options)

    monkeypatch.delattr(os, "O_DIRECTORY")
    monkeypatch.setattr(os, "open", refuse_folders)
    write_durably(tmp_path / "new" / "a.txt", b"whole")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"whole"


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:9] + b"x" * 9 + data[18:]])
def test_a_damaged_gzipped_file_is_named(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(damage(gzip.compress(bytes(range(256)) * 9)))  # type: ignore[operator]
    with pytest.raises(ValueError, match=rf"gzipped file must be whole; got {path}, whose"), open_bytes(path) as file:
        file.read()
