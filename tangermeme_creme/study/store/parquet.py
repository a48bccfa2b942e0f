"""Write tables as Parquet, with the same bytes for the same table, and read them back and check them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_NOTE = b"tangermeme_creme"
_SUM = "content"
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
    """Return a table as the bytes of a Parquet file that carries `note`, a JSON object, and a checksum of the content.

    Each page has a checksum too, but names and types of columns lie outside of the pages.
    """
    arrow = to_arrow(table)
    noted = json.dumps({**note, _SUM: _content_sum(arrow, note)}, sort_keys=True).encode()
    sink = BytesIO()
    pq.write_table(arrow.replace_schema_metadata({_NOTE: noted}), sink, **OPTIONS)
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


def read_noted(data: bytes) -> tuple[dict[str, Any], int]:
    """Read the note that a Parquet file carries, and its number of rows, and check its content.

    Raises
    ------
    ValueError, OSError, pyarrow.ArrowException
        If the file carries no note, note and content do not fit the checksum in it, or the same version of Arrow writes
        the content otherwise: then it is the rest of the file that was changed.
    """
    arrow = read_arrow(data)
    note = dict(json.loads((arrow.schema.metadata or {}).get(_NOTE, b"{}")))
    if note.pop(_SUM, None) != _content_sum(arrow, note):
        raise ValueError("the content of a noted table must fit its checksum.")
    again = to_bytes(arrow.to_pandas(), note)
    if again != data and _writer(again) == _writer(data):
        raise ValueError("a noted table must have the bytes that its content gives.")
    return note, arrow.num_rows


def _writer(data: bytes) -> str:
    return str(pq.read_metadata(BytesIO(data)).created_by)


def _content_sum(table: pa.Table, note: Mapping[str, Any]) -> str:
    """Hash a note, and names, types and values of columns, whatever the encoding of the file."""
    columns = [(field.name, str(field.type)) for field in table.schema]
    digest = hashlib.sha256(json.dumps([columns, note], sort_keys=True).encode())
    digest.update(pd.util.hash_pandas_object(table.to_pandas(), index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]
