"""Merge the shards of a stage into one file per table, in an order that does not depend on the shards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...support import replace_file, write_durably
from .manifest import TableFile
from .names import table_path
from .parquet import OPTIONS, to_bytes
from .shards import Store

_ROWS_PER_GROUP = 2**16


def merge_table(store: Store, stage: str, table: str, examples: Sequence[str]) -> bool:
    """Write a table of a stage, sorted by `examples`, and return whether it has rows. A table without rows has no file.

    At most a row group and a shard of the table are in memory. The manifest has the checksum of the table before the
    table has its name: a reader that comes in between, or a kill, finds a table that can be merged again.
    """
    path = table_path(store.folder, table)
    path.parent.mkdir(exist_ok=True)
    parts = _rows_by_example(store, stage, table, examples)
    first = next(parts, None)
    if first is None:
        store.manifest.set_table(table, None)
        path.unlink(missing_ok=True)
        return False

    def write(temporary: Path) -> None:
        with open(temporary, "w+b") as file:
            rows = _write_groups(file, first.schema, chain([first], parts))
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        store.manifest.set_table(table, TableFile(digest, rows))

    replace_file(path, write, durable=True)
    return True


def merged_bytes(store: Store, stage: str, table: str, examples: Sequence[str]) -> bytes:
    """Return the bytes that `merge_table` would write; none if the table has no rows."""
    parts = _rows_by_example(store, stage, table, examples)
    first, sink = next(parts, None), BytesIO()
    if first is not None:
        _write_groups(sink, first.schema, chain([first], parts))
    return sink.getvalue()


def stage_table(store: Store, stage: str, table: str, examples: Sequence[str]) -> pd.DataFrame:
    """Read a table of a stage, sorted by `examples`. A table without rows has no columns either."""
    parts = list(_rows_by_example(store, stage, table, examples))
    return pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()


def write_table(store: Store, name: str, table: pd.DataFrame) -> None:
    """Write a table that was made from other tables. A table without rows has no file."""
    path = table_path(store.folder, name)
    if len(table):
        data = to_bytes(table, {})
        store.manifest.set_table(name, TableFile(hashlib.sha256(data).hexdigest(), len(table)))
        write_durably(path, data)
    else:
        store.manifest.set_table(name, None)
        path.unlink(missing_ok=True)


def _rows_by_example(store: Store, stage: str, table: str, examples: Sequence[str]) -> Iterator[pa.Table]:
    """Read the rows of each example that has rows. Neighbours are mostly of one shard, which is then read once."""
    path, shard_table = "", None
    for example in examples:
        shard = store.shard_of(stage, example)
        if shard is None or table not in shard.files:
            continue
        if shard_table is None or shard.files[table].path != path:
            path, shard_table = shard.files[table].path, store.read(shard, table).replace_schema_metadata(None)
        rows = shard_table.filter(pc.equal(shard_table["example"], example))
        if len(rows):
            yield rows


def _write_groups(file: IO[bytes], schema: pa.Schema, parts: Iterator[pa.Table]) -> int:
    """Write tables one after the other, in row groups of one size, so that the bytes do not depend on the parts.

    Return the number of rows.
    """
    waiting: list[pa.Table] = []
    rows = written = 0
    with pq.ParquetWriter(file, schema, **OPTIONS) as writer:
        for part in parts:
            waiting.append(part)
            rows += len(part)
            while rows >= _ROWS_PER_GROUP:
                joined = pa.concat_tables(waiting)
                writer.write_table(joined.slice(0, _ROWS_PER_GROUP).combine_chunks(), row_group_size=_ROWS_PER_GROUP)
                waiting, rows = [joined.slice(_ROWS_PER_GROUP)], rows - _ROWS_PER_GROUP
                written += _ROWS_PER_GROUP
        if rows:
            writer.write_table(pa.concat_tables(waiting).combine_chunks(), row_group_size=_ROWS_PER_GROUP)
    return written + rows
