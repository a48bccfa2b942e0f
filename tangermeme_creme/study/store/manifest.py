"""Keep the manifest of a study: the header of the study in the first line, and a shard or a table in each other."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...support import write_durably
from ..spec import StudyError
from .names import MANIFEST_FILE

FORMAT = 2
_READABLE = (1, FORMAT)  # 1 has no lines of tables


@dataclass(frozen=True)
class ShardFile:
    """Describe a file of a shard: its path from the folder of the study, its SHA-256 and its number of rows."""

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class TableFile:
    """Describe a merged table: its SHA-256 and its number of rows."""

    sha256: str
    rows: int


@dataclass(frozen=True)
class Failure:
    """Describe a failure: the locus, the part of the locus if there is one (such as a tile), and the error."""

    example: str
    what: str
    error: str
    message: str


@dataclass(frozen=True)
class Shard:
    """Describe what one stage stored of its loci: one file per table, the failures and the cost.

    `basis` is a hash of what the stage used of other loci, such as the draw. `cost` is for people to read.
    """

    stage: str
    examples: tuple[str, ...]
    basis: str = ""
    files: dict[str, ShardFile] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    cost: dict[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> set[str]:
        """Examples with a failure."""
        return {failure.example for failure in self.failures}


class Manifest:
    """Read and write a manifest. Lines are only added, each with its checksum, so that a kill costs one line at most.

    `tables` has the merged tables by name, each as its last line has it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manifest = Manifest.create(Path(folder), {"seed": 0})
    ...     manifest.add(Shard("context", ("GATA2",)))
    ...     again = Manifest.load(Path(folder))
    >>> again.header, again.shards[0].examples
    ({'seed': 0}, ('GATA2',))
    """

    def __init__(self, path: Path, header: dict[str, Any], shards: list[Shard], damaged: int = 0) -> None:
        self.path, self.header, self.shards, self.damaged = path, header, shards, damaged
        self.format = FORMAT
        self.tables: dict[str, TableFile] = {}

    @classmethod
    def create(cls, folder: Path, header: dict[str, Any], shards: Sequence[Shard] = ()) -> Manifest:
        """Write the manifest of a folder that has none."""
        manifest = cls(folder / MANIFEST_FILE, header, list(shards))
        manifest.rewrite()
        return manifest

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """Read the manifest of a folder. Return None if there is no manifest or its first line is damaged.

        `damaged` counts the damaged lines, without a last line that was cut short: its shard was never confirmed.
        """
        path = folder / MANIFEST_FILE
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return None
        first = _parsed(lines[0])
        if first is None or "header" not in first:
            return None
        if first.get("format") not in _READABLE:
            raise StudyError(
                f"a manifest must be of format {FORMAT}; got {first.get('format')} in {path}: another version of "
                "tangermeme_creme wrote it."
            )
        contents = [_parsed(line) for line in lines[1:]]
        damaged = sum(content is None and bool(line) for content, line in zip(contents[:-1], lines[1:-1]))
        shards = [_shard(content) for content in contents if content and "stage" in content]
        manifest = cls(path, first["header"], shards, damaged)
        manifest.format = first["format"]
        for content in contents:
            if content and "table" in content:
                manifest._note_table(**content)
        return manifest

    def add(self, shard: Shard) -> None:
        """Add a line for a shard whose files are on the disk. When this returns, the line is on the disk too."""
        self._append(asdict(shard))
        self.shards.append(shard)

    def set_table(self, name: str, file: TableFile | None) -> None:
        """Add a line for a table that is about to be written, or that has no rows any more, if this is new."""
        if self.tables.get(name) != file:
            content: dict[str, Any] = {"table": name, "sha256": file and file.sha256, "rows": file.rows if file else 0}
            self._append(content)
            self._note_table(**content)

    def _note_table(self, table: str, sha256: str | None, rows: int) -> None:
        if sha256 is None:
            self.tables.pop(table, None)
        else:
            self.tables[table] = TableFile(sha256, rows)

    def _append(self, content: dict[str, Any]) -> None:
        with open(self.path, "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            cut = file.read(1) != b"\n"  # a process was killed while it wrote the last line
            file.seek(end)
            file.write((b"\n" if cut else b"") + _line(content))
            file.flush()
            os.fsync(file.fileno())

    def rewrite(self) -> None:
        """Write the file anew from the header, the shards and the tables, without superseded and damaged lines."""
        lines = [_line({"header": self.header, "format": FORMAT}), *(_line(asdict(shard)) for shard in self.shards)]
        lines += [_line({"table": name, **asdict(file)}) for name, file in sorted(self.tables.items())]
        write_durably(self.path, b"".join(lines))
        self.damaged, self.format = 0, FORMAT


def _line(content: dict[str, Any]) -> bytes:
    """Write a line: the content as JSON, with a checksum of it."""
    text = json.dumps(content, sort_keys=True)
    return json.dumps({"sum": _checksum(text), **json.loads(text)}, sort_keys=True).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Read a line. Return None if it is damaged."""
    try:
        content = json.loads(line)
        stated = content.pop("sum")
    except (ValueError, AttributeError, KeyError, TypeError):  # TypeError: an array
        return None
    return content if stated == _checksum(json.dumps(content, sort_keys=True)) else None


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _shard(content: dict[str, Any]) -> Shard:
    return Shard(
        content["stage"],
        tuple(content["examples"]),
        content["basis"],
        {table: ShardFile(**file) for table, file in content["files"].items()},
        tuple(Failure(**failure) for failure in content["failures"]),
        content["cost"],
    )
