"""What happens to a study whose files are damaged, deleted, or cannot be written."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from study_cases import HERE, QUICK, file_bytes, logged_shards, small_spec, table_bytes

from tangermeme_creme.study import Study, StudyError, StudySpec, run_study
from tangermeme_creme.study.store import Manifest, Store

SIM2 = "SIM2:sim2:5095-"
# Shards of no row have no file, by which they could be found again.
EMPTY = ["distance SIM1:sim1:5096+", "distance SIM4:sim4:5095-"]


@pytest.fixture(scope="module")
def base(study_base: Path) -> Path:
    return study_base


def spec_at(base: Path, out: Path, **tests: Any) -> StudySpec:
    return small_spec(base, out=str(out), tests={"include": list(QUICK), **tests})


@pytest.fixture(scope="module")
def finished(quick_study: Path) -> Path:
    return quick_study


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "study"))


def resumed(base: Path, folder: Path) -> tuple[list[str], str]:
    """Go on with a study: the shards that were computed, and what is new in the log."""
    before, log = len(logged_shards(folder)), len((folder / "log.txt").read_text())
    run_study(spec_at(base, folder), folder=HERE, verbose=False)
    return logged_shards(folder)[before:], (folder / "log.txt").read_text()[log:]


def shard_file(folder: Path) -> Path:
    (path,) = (folder / "shards" / "necessity").glob("SIM2_*.necessity.parquet")
    return path


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [(_truncate, "does not fit its checksum"), (_flip, "does not fit its checksum"), (Path.unlink, "is missing")],
)
def test_damaged_shard_alone_is_computed_again(
    base: Path, finished: Path, copy: Path, damage: Any, problem: str
) -> None:
    path = shard_file(copy)
    damage(path)
    computed, log = resumed(base, copy)
    assert computed == [f"necessity {SIM2}"]
    assert f"{path.relative_to(copy)} {problem}; it is computed again." in log
    assert table_bytes(copy) == table_bytes(finished)


def _spoil(line: bytes) -> bytes:
    """Change a line so that it does not fit its checksum."""
    return line.replace(b'"rows": ', b'"rows": 1')


def test_damaged_line_of_the_manifest_costs_nothing(base: Path, finished: Path, copy: Path) -> None:
    path = copy / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    (k,) = (i for i, line in enumerate(lines) if b'"stage": "necessity"' in line and SIM2.encode() in line)
    lines[k] = _spoil(lines[k])
    path.write_bytes(b"".join(lines))
    computed, log = resumed(base, copy)
    assert computed == []
    assert "1 lines of the manifest were damaged." in log
    assert "1 shards that the manifest lacked were in the folder, whole: they are not computed again." in log
    assert table_bytes(copy) == table_bytes(finished)
    assert resumed(base, copy)[0] == []


@pytest.mark.parametrize("kept", [1, 3, 12, -1], ids=lambda kept: f"{kept} lines")
def test_manifest_that_was_cut_short_costs_shards_without_rows_at_most(
    base: Path, finished: Path, copy: Path, kept: int
) -> None:
    path = copy / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]) + lines[kept][:50])
    assert set(resumed(base, copy)[0]) <= set(EMPTY)
    assert table_bytes(copy) == table_bytes(finished)
    assert resumed(base, copy)[0] == []


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x" + path.read_bytes())])
def test_lost_manifest_is_made_again_from_the_shards(base: Path, finished: Path, copy: Path, damage: Any) -> None:
    damage(copy / "manifest.jsonl")
    computed, log = resumed(base, copy)
    assert computed == EMPTY
    assert f"the manifest of {copy} was missing: made again from the 12 shards that are there." in log
    assert table_bytes(copy) == table_bytes(finished)
    assert Study.open(copy).header["spec_hash"] == Study.open(finished).header["spec_hash"]


def test_lost_manifest_beside_a_damaged_shard_costs_that_shard(base: Path, finished: Path, copy: Path) -> None:
    (copy / "manifest.jsonl").unlink()
    _flip(shard_file(copy))
    computed, log = resumed(base, copy)
    assert sorted(computed) == sorted([*EMPTY, f"necessity {SIM2}"])
    assert f"{shard_file(copy).relative_to(copy)} is damaged; it is computed again." in log
    assert table_bytes(copy) == table_bytes(finished)


def _swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@pytest.mark.parametrize("lost", [True, False], ids=["without manifest", "with manifest"])
def test_swapped_tables_of_a_shard_are_known_by_their_notes(base: Path, finished: Path, copy: Path, lost: bool) -> None:
    (cres,) = (copy / "shards" / "sufficiency").glob("SIM2_*.cres.parquet")
    _swap(cres, cres.with_name(cres.name.replace(".cres.", ".sufficiency.")))
    if lost:
        (copy / "manifest.jsonl").unlink()
    computed, log = resumed(base, copy)
    assert computed == (EMPTY if lost else [])
    assert lost or f"{cres.relative_to(copy)} does not fit its checksum; its table lies in another file." in log
    assert table_bytes(copy) == table_bytes(finished)
    assert resumed(base, copy)[0] == []


def test_lost_manifest_beside_a_shard_with_a_renamed_column_costs_that_shard(
    base: Path, finished: Path, copy: Path
) -> None:
    path = shard_file(copy)
    path.write_bytes(_renamed(path.read_bytes()))
    (copy / "manifest.jsonl").unlink()
    computed, log = resumed(base, copy)
    assert sorted(computed) == sorted([*EMPTY, f"necessity {SIM2}"])
    assert f"{path.relative_to(copy)} is damaged; it is computed again." in log
    assert table_bytes(copy) == table_bytes(finished)


def _renamed(data: bytes) -> bytes:
    """Flip a bit of a name of a column: `start` becomes `stapt`, and no page changes."""
    for place in (k for k in range(len(data) - 5) if data[k : k + 5] == b"start"):
        data = data[: place + 3] + bytes([data[place + 3] ^ 2]) + data[place + 4 :]
    return data


def test_lost_manifest_of_another_study_is_refused(base: Path, copy: Path) -> None:
    (copy / "manifest.jsonl").unlink()
    before = file_bytes(copy / "shards")
    with pytest.raises(StudyError, match=r"must have a manifest, or be of this study; got .* is of another study"):
        run_study(spec_at(base, copy, necessity={"n": 7}), folder=HERE, verbose=False)
    assert file_bytes(copy / "shards") == before
    assert not (copy / "manifest.jsonl").exists()


def test_temporary_files_of_a_killed_process_are_removed(base: Path, copy: Path) -> None:
    for name in (".manifest.jsonl.tmp", "shards/necessity/.x.parquet.tmp", "tables/.necessity.parquet.tmp"):
        (copy / name).write_bytes(b"half")
    assert resumed(base, copy)[0] == []
    assert not [name for name in file_bytes(copy) if name.endswith(".tmp")]


def _valid_shards(folder: Path) -> int:
    manifest = Manifest.load(folder)
    assert manifest is not None
    assert Store(folder, manifest).drop_damaged() == []
    return len(manifest.shards)


@pytest.mark.parametrize("call", [30, 31, 32])
def test_full_disk_keeps_what_was_finished(
    base: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    # Three in a row: the file of a shard, its folder, and the manifest.
    fsync, calls = os.fsync, iter(range(1, 10_000))

    def full(descriptor: int) -> None:
        if next(calls) >= call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StudyError, match=rf"the disk of {tmp_path} is full\. What was finished is stored"):
            run_study(spec_at(base, tmp_path), folder=HERE, verbose=False)
    stored = _valid_shards(tmp_path)
    assert 4 <= stored < 14
    assert not [name for name in file_bytes(tmp_path) if name.endswith(".tmp")]
    assert len(resumed(base, tmp_path)[0]) == 14 - stored
    assert table_bytes(tmp_path) == table_bytes(finished)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 100 KiB, of which this process may change the size."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def _remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


def test_study_goes_on_when_a_full_disk_has_space_again(base: Path, finished: Path, small_disk: Path) -> None:
    folder = small_disk / "study"
    with pytest.raises(StudyError, match=rf"the disk of {folder} is full.*run the same command again"):
        run_study(spec_at(base, folder), folder=HERE, verbose=False)
    stored = _valid_shards(folder)
    assert 0 < stored < 14
    assert not [name for name in file_bytes(folder) if name.endswith(".tmp")]
    _remount(small_disk, "size=10m")
    run_study(spec_at(base, folder), folder=HERE, verbose=False)
    assert table_bytes(folder) == table_bytes(finished)
    # The log may lack lines from when the disk was full, and none is there twice.
    assert len(set(logged_shards(folder))) == len(logged_shards(folder))


def test_disk_that_cannot_be_written_to_is_named(base: Path, small_disk: Path) -> None:
    _remount(small_disk, "ro")
    with pytest.raises(StudyError, match=rf"must be writable; got {small_disk}/study: Read-only file system"):
        run_study(spec_at(base, small_disk / "study"), folder=HERE, verbose=False)


@pytest.mark.parametrize("what", ["pathlib.Path.mkdir", "fasteners.process_lock.open"])
def test_folder_that_cannot_be_written_to_is_named(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def refuse(path: Any, *arguments: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    spec = spec_at(base, tmp_path / "study")
    monkeypatch.setattr(what, refuse, raising=False)
    with pytest.raises(StudyError, match=rf"must be writable; got {tmp_path}/study: Permission denied \({tmp_path}"):
        run_study(spec, folder=HERE, verbose=False)
