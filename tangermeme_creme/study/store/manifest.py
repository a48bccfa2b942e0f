"""The manifest of a study: a file of lines, of which the first says what is studied and each other one shard."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..spec import StudyError
from .parquet import sync_folder, write_whole

NAME = "manifest.jsonl"
FORMAT = 1


@dataclass(frozen=True)
class File:
    """A file of a shard, from the folder of the study on: its SHA-256, and how many rows of a table it has."""

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Failure:
    """What went wrong, at which locus, and within it at what (a tile, say)."""

    example: str
    what: str
    error: str
    message: str


@dataclass(frozen=True)
class Shard:
    """What one stage found of some loci: a file for each table, and what failed.

    `basis` is a hash of what the stage was given of other loci, the draw and the like. `cost` is for people to read.
    """

    stage: str
    examples: tuple[str, ...]
    basis: str = ""
    files: dict[str, File] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    cost: dict[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> set[str]:
        return {failure.example for failure in self.failures}


class Manifest:
    """Lines of a file that are only ever added, each with a checksum of its own, so that a kill costs no other line.

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
    def create(cls, folder: Path, header: dict[str, Any]) -> Manifest:
        """Begin a manifest, whole or not at all."""
        write_whole(folder / NAME, _line({"header": header, "format": FORMAT}))
        return cls(folder / NAME, header, [])

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """Read a manifest; None if there is none, or its first line is damaged.

        Of a last line that was cut short nothing is lost but a shard that was in flight; `damaged` counts others.
        """
        path = folder / NAME
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
        whole = [_parsed(line) for line in lines[1:]]
        damaged = sum(content is None and bool(line) for content, line in zip(whole[:-1], lines[1:-1]))
        return cls(path, first["header"], [_shard(content) for content in whole if content], damaged)

    def add(self, shard: Shard) -> None:
        """Add a shard whose files are on the disk; once this returns, so is the line."""
        with open(self.path, "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            cut = file.read(1) != b"\n"  # the process that wrote here was killed within a line
            file.seek(end)
            file.write((b"\n" if cut else b"") + _line(asdict(shard)))
            file.flush()
            os.fsync(file.fileno())
        self.shards.append(shard)

    def rewrite(self) -> None:
        """Write all lines anew, without what was superseded or damaged."""
        lines = [_line({"header": self.header, "format": FORMAT}), *(_line(asdict(shard)) for shard in self.shards)]
        write_whole(self.path, b"".join(lines))
        sync_folder(self.path.parent)
        self.damaged = 0


def _line(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, sort_keys=True)
    return json.dumps({"sum": _sum(text), **json.loads(text)}, sort_keys=True).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
        stated = content.pop("sum")
    except (ValueError, AttributeError, KeyError):
        return None
    return content if stated == _sum(json.dumps(content, sort_keys=True)) else None


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _shard(content: dict[str, Any]) -> Shard:
    return Shard(
        content["stage"],
        tuple(content["examples"]),
        content["basis"],
        {table: File(**file) for table, file in content["files"].items()},
        tuple(Failure(**failure) for failure in content["failures"]),
        content["cost"],
    )
