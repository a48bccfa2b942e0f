"""Keep the manifest of a study: a file whose first line is the header of the study, and each other line a shard."""

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

FORMAT = 1


@dataclass(frozen=True)
class ShardFile:
    """Describe a file of a shard: its path from the folder of the study, its SHA-256 and its number of rows."""

    path: str
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
        if first.get("format") != FORMAT:
            raise StudyError(
                f"a manifest must be of format {FORMAT}; got {first.get('format')} in {path}: another version of "
                "tangermeme_creme wrote it."
            )
        contents = [_parsed(line) for line in lines[1:]]
        damaged = sum(content is None and bool(line) for content, line in zip(contents[:-1], lines[1:-1]))
        return cls(path, first["header"], [_shard(content) for content in contents if content], damaged)

    def add(self, shard: Shard) -> None:
        """Add a line for a shard whose files are on the disk. When this returns, the line is on the disk too."""
        with open(self.path, "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            cut = file.read(1) != b"\n"  # a process was killed while it wrote the last line
            file.seek(end)
            file.write((b"\n" if cut else b"") + _line(asdict(shard)))
            file.flush()
            os.fsync(file.fileno())
        self.shards.append(shard)

    def rewrite(self) -> None:
        """Write the file anew from the header and the shards, without superseded and damaged lines."""
        lines = [_line({"header": self.header, "format": FORMAT}), *(_line(asdict(shard)) for shard in self.shards)]
        write_durably(self.path, b"".join(lines))
        self.damaged = 0


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
