"""Tables as Parquet, with the same bytes for the same table, and files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_NOTE = b"tangermeme_creme"
OPTIONS: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}


def to_arrow(table: pd.DataFrame) -> pa.Table:
    """A table of bool, int64, float64 and strings, whatever is in it: shards of one table then have the same types.

    A column of objects is one of strings, None where missing.

    Examples
    --------
    >>> to_arrow(pd.DataFrame({"tile": [1], "cre": [None]})).schema.types
    [DataType(int64), DataType(string)]
    """
    arrays = {}
    for name in table.columns:
        column = table[name]
        kinds = {"b": pa.bool_(), "i": pa.int64(), "u": pa.int64(), "f": pa.float64()}
        kind = kinds.get(getattr(column.dtype, "kind", "O"))
        if kind is not None:
            arrays[str(name)] = pa.array(column.to_numpy()).cast(kind)
        else:
            known = column.notna().to_numpy()
            texts = [str(value) if there else None for value, there in zip(column.tolist(), known)]
            arrays[str(name)] = pa.array(texts, type=pa.string())
    return pa.table(arrays)


def to_bytes(table: pd.DataFrame, note: Mapping[str, Any]) -> bytes:
    """A Parquet file that carries `note`, a JSON object; each of its pages has a checksum."""
    arrow = to_arrow(table).replace_schema_metadata({_NOTE: json.dumps(note, sort_keys=True).encode()})
    sink = BytesIO()
    pq.write_table(arrow, sink, **OPTIONS)
    return sink.getvalue()


def read_arrow(source: Path | bytes) -> pa.Table:
    """Read a file, or what would be in one, and check its pages.

    Raises
    ------
    OSError, pyarrow.ArrowException
        If it is cut short or a page does not fit its checksum.
    """
    return pq.read_table(
        BytesIO(source) if isinstance(source, bytes) else source, page_checksum_verification=True, use_threads=False
    )


def read_note(path: Path) -> dict[str, Any]:
    """The note that a file carries; empty if none."""
    metadata = pq.read_schema(path).metadata or {}
    return dict(json.loads(metadata.get(_NOTE, b"{}")))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name, see to it that it is on the disk, and then give it its name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "new" / "a", b"whole")
    ...     (Path(folder) / "new" / "a").read_bytes()
    b'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """See to it that the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
