"""Shards: stored, looked up by example, checked, and found again without a manifest."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tangermeme_creme.study.store import Failure, Manifest, Store, shard_note, to_bytes
from tangermeme_creme.study.store.shards import rebuilt_shards, remove_leftovers


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, Manifest.create(tmp_path, {}))


def put(store: Store, *examples: str, stage: str = "context", basis: str = "", **options: Any) -> Path:
    """Store two rows per example, and return the file."""
    failures = [Failure(name, "", "ValueError", "no") for name in options.pop("failed", ())]
    table = pd.DataFrame({"example": [name for name in examples for _ in range(2)]})
    table["row"] = range(len(table))
    note = shard_note("study", stage, examples, basis, options.pop("tables", [stage]), [f.example for f in failures])
    shard = store.put(
        stage, examples, {stage: (to_bytes(table, {**note, "table": stage}), len(table))}, basis, failures, **options
    )
    return store.folder / shard.files[stage].path


def reopened(store: Store) -> Store:
    manifest = Manifest.load(store.folder)
    assert manifest is not None
    return Store(store.folder, manifest)


def test_rows_are_found_by_their_example(store: Store) -> None:
    put(store, "a", "b")
    for opened in (store, reopened(store)):
        rows = opened.rows_of("context", "b", "context")
        assert rows is not None and rows["row"].tolist() == [2, 3]
        assert opened.rows_of("context", "c", "context") is opened.rows_of("context", "a", "other") is None
        assert opened.shard_of("necessity", "a") is None


def test_later_shard_of_an_example_counts(store: Store) -> None:
    put(store, "a", "b", failed=["a", "b"], basis="1")
    put(store, "b", basis="2")
    for opened in (store, reopened(store)):
        assert opened.done("context") == {"b"}
        assert [failure.example for _, failure in opened.failures()] == ["a"]
        assert opened.is_done("context", "b", "2")
        assert not opened.is_done("context", "b", "1") and not opened.is_done("context", "a", "1")


def test_shard_that_was_done_again_is_forgotten_without_a_word(store: Store) -> None:
    first, second = put(store, "a", "b"), put(store, "a")
    assert store.drop_damaged() == [] and len(reopened(store).manifest.shards) == 2  # "b" still needs the first
    third = put(store, "b")
    first.unlink()
    assert store.drop_damaged() == []
    assert [shard.examples for shard in reopened(store).manifest.shards] == [("a",), ("b",)]
    assert second.exists() and third.exists()


@pytest.mark.parametrize("damage", ["missing", "changed", "folder"])
def test_damaged_shard_is_named_and_forgotten(store: Store, damage: str) -> None:
    put(store, "a")
    path = put(store, "b")
    data = path.read_bytes()
    path.unlink()
    if damage == "changed":
        path.write_bytes(data[:-1])
    elif damage == "folder":
        path.mkdir()
    problems = {"missing": "is missing", "changed": "does not fit its checksum", "folder": "cannot be read"}
    ((message, _),) = store.drop_damaged()
    assert message.startswith(f"{path.relative_to(store.folder).as_posix()} {problems[damage]}")
    for opened in (store, reopened(store)):
        assert opened.done("context") == {"a"} and opened.shard_of("context", "b") is None


def test_shards_are_rebuilt_from_their_files(store: Store) -> None:
    put(store, "a", "b", basis="x", failed=["a"])
    put(store, "a", basis="y")
    put(store, "a", stage="necessity")
    shards, useless = rebuilt_shards(store.folder, "study")
    assert useless == []
    rebuilt = Store(store.folder, Manifest.create(store.folder, {}, shards))
    assert {(shard.stage, shard.examples, shard.basis) for shard in shards} == {
        ("context", ("a", "b"), "x"),
        ("context", ("a",), "y"),
        ("necessity", ("a",), ""),
    }
    assert {file.rows for shard in shards for file in shard.files.values()} == {2, 4}
    # "a" failed in the first shard and was computed again.
    assert rebuilt.done("context") == {"a", "b"} and rebuilt.is_done("context", "a", "y")
    assert rebuilt.drop_damaged() == []


def test_files_that_are_of_no_use_are_named_with_the_reason(store: Store) -> None:
    put(store, "a")
    damaged, alone = put(store, "b"), put(store, "c", tables=["context", "raw_context"])
    damaged.write_bytes(damaged.read_bytes()[:-3])
    shards, useless = rebuilt_shards(store.folder, "study")
    assert [shard.examples for shard in shards] == [("a",)]
    names = [path.relative_to(store.folder).as_posix() for path in (damaged, alone)]
    assert sorted(useless) == sorted([f"{names[0]} is damaged", f"{names[1]} lacks the other tables of its shard"])
    shards, useless = rebuilt_shards(store.folder, "other")
    assert shards == [] and sum("is of another study" in reason for reason in useless) == 2


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = ("manifest.jsonl", ".hidden.tmp", "tables/a.tmp", "tables/.a", "shards/.a.tmp", "report/.a.tmp")
    leftovers = (".manifest.jsonl.12.tmp", "tables/.a.parquet.tmp", "shards/context/.a.parquet.12.tmp")
    for name in (*kept, *leftovers):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(kept) == sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())


def test_no_flipped_bit_of_a_file_makes_another_shard(store: Store) -> None:
    path = put(store, "a", "b", basis="x", failed=["a"])
    data, (whole, _) = path.read_bytes(), rebuilt_shards(store.folder, "study")
    assert len(whole) == 1
    program = data.index(b"parquet-cpp")  # whose name and version alone may change
    for k in range(0, len(data), 7):  # names of columns, statistics, the note, pages, lengths
        path.write_bytes(data[:k] + bytes([data[k] ^ 2]) + data[k + 1 :])
        assert rebuilt_shards(store.folder, "study")[0] == [] or program <= k < program + 40, k
