"""From shards to one file a table, in an order that does not depend on them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .parquet import OPTIONS, sync_folder, to_bytes, write_whole
from .shards import Store

TABLES = "tables"
_ROWS = 2**16  # of a row group, and what is in memory of a table


def merge_table(store: Store, stage: str, table: str, examples: Sequence[str]) -> bool:
    """Write a table of a stage, by example in the given order, and say whether it has rows.

    No more of it than a row group and a shard is in memory. Without rows there is no file.
    """
    path = store.folder / TABLES / f"{table}.parquet"
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    writer, waiting, rows = None, [], 0
    try:
        for part in _parts(store, stage, table, examples):
            if writer is None:
                writer = pq.ParquetWriter(temporary, part.schema, **OPTIONS)
            waiting.append(part)
            rows += len(part)
            while rows >= _ROWS:
                gathered = pa.concat_tables(waiting)
                writer.write_table(gathered.slice(0, _ROWS).combine_chunks(), row_group_size=_ROWS)
                waiting, rows = [gathered.slice(_ROWS)], rows - _ROWS
        if writer is None:
            path.unlink(missing_ok=True)
            return False
        if rows:
            writer.write_table(pa.concat_tables(waiting).combine_chunks(), row_group_size=_ROWS)
        writer.close()
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if writer is not None:
            writer.close()
        with suppress(OSError):
            temporary.unlink()
    sync_folder(path.parent)
    return True


def gather(store: Store, stage: str, table: str, examples: Sequence[str]) -> pd.DataFrame:
    """A table of a stage, by example in the given order; an empty one without columns if it has no rows."""
    parts = list(_parts(store, stage, table, examples))
    return pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()


def write_table(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write a table that is made of others; one without rows has no file."""
    path = folder / TABLES / f"{name}.parquet"
    if len(table):
        write_whole(path, to_bytes(table, {}))
    else:
        path.unlink(missing_ok=True)


def _parts(store: Store, stage: str, table: str, examples: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of each example that has some. Neighbours are mostly of one shard, which is then read once."""
    name, whole = "", None
    for example in examples:
        shard = store.shard_of(stage, example)
        if shard is None or table not in shard.files:
            continue
        if shard.files[table].path != name:
            name, whole = shard.files[table].path, store.read(shard, table).replace_schema_metadata(None)
        assert whole is not None
        rows = whole.filter(pc.equal(whole["example"], example))
        if len(rows):
            yield rows
