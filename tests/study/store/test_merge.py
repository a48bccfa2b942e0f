"""Tables that are merged from shards: their bytes depend on their rows alone."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tangermeme_creme.study.store import (
    Manifest,
    Store,
    merge as merge_module,
    merge_table,
    read_arrow,
    shard_note,
    stage_table,
    to_bytes,
    write_table,
)

EXAMPLES = list("dacb")
PATH = Path("tables") / "context.parquet"


def table_of(examples: list[str], rows: int = 5) -> pd.DataFrame:
    table = pd.DataFrame({"example": [name for name in examples for _ in range(rows)]})
    return table.assign(value=[f"{name}{k % rows}" for k, name in enumerate(table["example"])])


def store_of(folder: Path, shards: list[str]) -> Store:
    """A store with a shard for each string, whose letters are the examples."""
    folder.mkdir()
    store = Store(folder, Manifest.create(folder, {}))
    for examples in map(list, shards):
        table = table_of(examples)
        note = shard_note("study", "context", examples, "", ["context"], [])
        store.put("context", examples, {"context": (to_bytes(table, note), len(table))})
    return store


@pytest.mark.parametrize("shards", [["a", "b", "c", "d"], ["ca", "db"], ["ba", "adc"]])
@pytest.mark.parametrize("rows_per_group", [1, 3, 5, 7, 10, 20, 2**16])
def test_bytes_depend_on_rows_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: list[str], rows_per_group: int
) -> None:
    monkeypatch.setattr(merge_module, "_ROWS_PER_GROUP", rows_per_group)
    content = []
    for name, parts in (("one", ["dacb"]), ("other", shards)):
        store = store_of(tmp_path / name, parts)
        assert merge_table(store, "context", "context", EXAMPLES)
        content.append((store.folder / PATH).read_bytes())
    assert content[0] == content[1]
    pd.testing.assert_frame_equal(read_arrow(content[0]).to_pandas(), table_of(EXAMPLES), check_dtype=False)
    groups = pq.ParquetFile(tmp_path / "one" / PATH).metadata
    sizes = [groups.row_group(k).num_rows for k in range(groups.num_row_groups)]
    assert sum(sizes) == 20 and set(sizes[:-1]) <= {rows_per_group} and sizes[-1] <= rows_per_group


def test_table_in_memory_is_the_table_of_the_file(tmp_path: Path) -> None:
    store = store_of(tmp_path / "study", ["ab", "c"])
    merge_table(store, "context", "context", ["c", "b", "lacking"])
    table = stage_table(store, "context", "context", ["c", "b", "lacking"])
    pd.testing.assert_frame_equal(table, read_arrow(store.folder / PATH).to_pandas())
    assert table["example"].unique().tolist() == ["c", "b"]
    assert stage_table(store, "context", "context", ["lacking"]).columns.tolist() == []


def test_table_without_rows_has_no_file(tmp_path: Path) -> None:
    store = store_of(tmp_path / "study", ["a"])
    for _ in range(2):
        assert merge_table(store, "context", "context", ["a"]) and (store.folder / PATH).exists()
        assert not merge_table(store, "context", "context", ["b"]) and not (store.folder / PATH).exists()
    write_table(store, "context", table_of(["a"]))
    assert (store.folder / PATH).exists()
    write_table(store, "context", table_of([]))
    assert not (store.folder / PATH).exists()


def test_merge_that_fails_leaves_the_table_that_was_there(tmp_path: Path) -> None:
    store = store_of(tmp_path / "study", ["a", "b"])
    merge_table(store, "context", "context", ["a"])
    before = (store.folder / PATH).read_bytes()
    shard = store.shard_of("context", "b")
    assert shard is not None
    (store.folder / shard.files["context"].path).unlink()
    with pytest.raises(FileNotFoundError):
        merge_table(store, "context", "context", ["a", "b"])
    assert [path.name for path in (store.folder / "tables").iterdir()] == ["context.parquet"]
    assert (store.folder / PATH).read_bytes() == before
