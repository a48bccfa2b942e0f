"""Lines of a manifest: each is there whole or not at all, and damage to one costs no other."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given, strategies as st

from tangermeme_creme.study import StudyError
from tangermeme_creme.study.store import Failure, Manifest, Shard
from tangermeme_creme.study.store.manifest import ShardFile

SHARDS = [
    Shard("context", ("GATA2", "β"), "b", {"context": ShardFile("shards/context/a.parquet", "0" * 64, 3)}),
    Shard("context", ("HBG1",), failures=(Failure("HBG1", "tile 3", "ValueError", "line\nbreak"),), cost={"full": 2.0}),
    Shard("necessity", ("GATA2",)),
]


def written(folder: Path) -> Manifest:
    manifest = Manifest.create(folder, {"seed": 0})
    for shard in SHARDS:
        manifest.add(shard)
    return manifest


def read(folder: Path) -> Manifest:
    manifest = Manifest.load(folder)
    assert manifest is not None
    return manifest


def test_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    written(tmp_path)
    assert (read(tmp_path).header, read(tmp_path).shards, read(tmp_path).damaged) == ({"seed": 0}, SHARDS, 0)
    assert read(tmp_path).shards[1].failed == {"HBG1"}


def test_folder_without_a_manifest_has_none(tmp_path: Path) -> None:
    assert Manifest.load(tmp_path) is None


def says_the_same(line: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(line) == json.loads(other))
    except ValueError:
        return False


def test_a_flip_that_leaves_what_a_line_says_costs_nothing(tmp_path: Path) -> None:
    path = written(tmp_path).path
    before = path.read_bytes()
    path.write_bytes(before.replace(b"\\u03b2", b"\\u03B2"))
    assert path.read_bytes() != before
    assert (read(tmp_path).shards, read(tmp_path).damaged) == (SHARDS, 0)


@given(data=st.data())
def test_flipped_bit_costs_its_line_alone(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("manifest")
    path = written(folder).path
    lines = path.read_bytes().splitlines(keepends=True)
    k = data.draw(st.integers(1, len(SHARDS)))
    line = bytearray(lines[k])
    line[data.draw(st.integers(0, len(line) - 2))] ^= 1 << data.draw(st.integers(0, 7))
    assume(not says_the_same(bytes(line), lines[k]))  # of the letters of an escape, only one bit is their case
    lines[k] = bytes(line)
    path.write_bytes(b"".join(lines))
    assert read(folder).shards == SHARDS[: k - 1] + SHARDS[k:]
    assert read(folder).damaged >= 1
    read(folder).rewrite()
    assert read(folder).shards == SHARDS[: k - 1] + SHARDS[k:] and read(folder).damaged == 0


@given(data=st.data())
def test_cut_end_costs_the_last_shard_at_most(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("manifest")
    path = written(folder).path
    content = path.read_bytes()
    last = len(content.splitlines(keepends=True)[-1])
    cut = data.draw(st.integers(1, last))
    path.write_bytes(content[:-cut])
    left = SHARDS[:2] if cut > 1 else SHARDS  # the line end alone costs nothing
    assert (read(folder).shards, read(folder).damaged) == (left, 0)
    read(folder).add(SHARDS[2])
    assert read(folder).shards == [*left, SHARDS[2]]


@pytest.mark.parametrize("first", [b"", b"{", b"[]", b"1", b'{"header": {}}'])
def test_damaged_first_line_is_no_manifest(tmp_path: Path, first: bytes) -> None:
    path = written(tmp_path).path
    path.write_bytes(b"\n".join([first, *path.read_bytes().split(b"\n")[1:]]))
    assert Manifest.load(tmp_path) is None


def test_manifest_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tangermeme_creme.study.store.manifest.FORMAT", 99)
        written(tmp_path)
    with pytest.raises(StudyError, match=rf"must be of format 2; got 99 in {tmp_path}"):
        Manifest.load(tmp_path)


def test_every_line_is_json_with_its_checksum(tmp_path: Path) -> None:
    lines = written(tmp_path).path.read_text().splitlines()
    assert [sorted(set(json.loads(line)) & {"header", "stage", "sum"}) for line in lines] == [
        ["header", "sum"],
        *([["stage", "sum"]] * len(SHARDS)),
    ]
