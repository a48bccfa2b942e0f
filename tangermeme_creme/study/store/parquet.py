"""Write tables as Parquet, with the same bytes for the same table, and read them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_NOTE = b"tangermeme_creme"
_TYPES = {"b": pa.bool_(), "i": pa.int64(), "u": pa.int64(), "f": pa.float64()}
OPTIONS: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}


def to_arrow(table: pd.DataFrame) -> pa.Table:
    """Convert a table to bool, int64, float64 and string columns, so that all shards of a table have the same types.

    Columns of objects become strings, with None where a value is missing.

    Examples
    --------
    >>> to_arrow(pd.DataFrame({"tile": [1], "cre": [None]})).schema.types
    [DataType(int64), DataType(string)]
    """
    arrays = {}
    for name in table.columns:
        column = table[name]
        arrow_type = _TYPES.get(getattr(column.dtype, "kind", "O"))
        if arrow_type is not None:
            arrays[str(name)] = pa.array(column.to_numpy()).cast(arrow_type)
        else:
            known = column.notna().to_numpy()
            texts = [str(value) if is_known else None for value, is_known in zip(column.tolist(), known)]
            arrays[str(name)] = pa.array(texts, type=pa.string())
    return pa.table(arrays)


def to_bytes(table: pd.DataFrame, note: Mapping[str, Any]) -> bytes:
    """Return a table as the bytes of a Parquet file that carries `note`, a JSON object. Each page has a checksum."""
    arrow = to_arrow(table).replace_schema_metadata({_NOTE: json.dumps(note, sort_keys=True).encode()})
    sink = BytesIO()
    pq.write_table(arrow, sink, **OPTIONS)
    return sink.getvalue()


def read_arrow(source: Path | bytes) -> pa.Table:
    """Read a Parquet file, or its bytes, and check its pages.

    Raises
    ------
    OSError, pyarrow.ArrowException
        If the file is cut short or a page does not fit its checksum.
    """
    return pq.read_table(
        BytesIO(source) if isinstance(source, bytes) else source, page_checksum_verification=True, use_threads=False
    )


def read_note(path: Path) -> dict[str, Any]:
    """Read the note that a Parquet file carries; it is empty if the file carries none."""
    metadata = pq.read_schema(path).metadata or {}
    return dict(json.loads(metadata.get(_NOTE, b"{}")))
