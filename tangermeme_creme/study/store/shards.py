"""The shards of a study on the disk: written whole, found again by their checksums, rebuilt without a manifest."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from .manifest import Failure, File, Manifest, Shard
from .names import file_name
from .parquet import read_arrow, read_note, write_whole

SHARDS = "shards"


class Store:
    """What is in the folder of a study.

    Parameters
    ----------
    folder: Path

    manifest: Manifest
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self._by_stage: dict[str, dict[str, Shard]] = defaultdict(dict)
        for shard in manifest.shards:
            self._index(shard)

    def shard_of(self, stage: str, example: str) -> Shard | None:
        """The shard that has an example in a stage, if it was done."""
        return self._by_stage[stage].get(example)

    def done(self, stage: str) -> set[str]:
        """Examples that a stage has done: those that are there and did not fail."""
        return {example for example, shard in self._by_stage[stage].items() if example not in shard.failed}

    def is_done(self, stage: str, example: str, basis: str) -> bool:
        """Whether a stage need not do an example again: it has, and what it was given of other loci is the same."""
        shard = self.shard_of(stage, example)
        return shard is not None and example not in shard.failed and shard.basis == basis

    def failures(self) -> list[tuple[str, Failure]]:
        """What failed and was not done since, by stage and example."""
        found = [
            (stage, failure)
            for stage, shards in self._by_stage.items()
            for example, shard in shards.items()
            for failure in shard.failures
            if failure.example == example
        ]
        return sorted(found, key=lambda item: (item[0], item[1].example, item[1].what))

    def put(
        self,
        stage: str,
        examples: Sequence[str],
        tables: Mapping[str, tuple[bytes, int]],
        basis: str = "",
        failures: Sequence[Failure] = (),
        cost: Mapping[str, float] | None = None,
    ) -> Shard:
        """Store a shard: its tables, as Parquet and with how many rows, and then its line in the manifest."""
        files = {}
        name = file_name(examples)
        for table, (data, rows) in tables.items():
            path = Path(SHARDS) / stage / f"{name}.{table}.parquet"
            write_whole(self.folder / path, data)
            files[table] = File(path.as_posix(), hashlib.sha256(data).hexdigest(), rows)
        shard = Shard(stage, tuple(examples), basis, files, tuple(failures), dict(cost or {}))
        self.manifest.add(shard)
        self._index(shard)
        return shard

    def read(self, shard: Shard, table: str) -> pa.Table:
        """A table of a shard."""
        return read_arrow(self.folder / shard.files[table].path)

    def rows_of(self, stage: str, example: str, table: str) -> pd.DataFrame | None:
        """The rows of an example in a table, if there are any."""
        shard = self.shard_of(stage, example)
        if shard is None or table not in shard.files:
            return None
        frame = self.read(shard, table).to_pandas()
        return frame[frame["example"] == example].reset_index(drop=True)

    def drop_damaged(self) -> list[str]:
        """Forget shards of which a file is missing or does not fit its checksum, and say which."""
        named, bad = [], set()
        for shard in self.manifest.shards:
            if any(self._by_stage[shard.stage].get(example) is shard for example in shard.examples):
                for file in shard.files.values():
                    problem = _problem(self.folder / file.path, file.sha256)
                    if problem:
                        named.append(f"{file.path} {problem}")
                        bad.add(id(shard))
            else:
                bad.add(id(shard))  # done again since
        if bad or self.manifest.damaged:
            self.manifest.shards = [shard for shard in self.manifest.shards if id(shard) not in bad]
            self.manifest.rewrite()
            self._by_stage.clear()
            for shard in self.manifest.shards:
                self._index(shard)
        return named

    def _index(self, shard: Shard) -> None:
        self._by_stage[shard.stage].update(dict.fromkeys(shard.examples, shard))


def shard_note(
    study: str, stage: str, examples: Sequence[str], basis: str, tables: Iterable[str], failed: Iterable[str]
) -> dict[str, Any]:
    """What a file of a shard says of itself, so that it can be found again without the manifest."""
    return {
        "study": study, "stage": stage, "examples": list(examples), "basis": basis, "tables": sorted(tables),
        "failed": sorted(set(failed)),
    }  # fmt: skip


def rebuilt_shards(folder: Path, study: str) -> tuple[list[Shard], list[str]]:
    """Shards of a study that lost its manifest, from their files alone; and files that are of no use, with the reason.

    A file counts if it can be read, all of its pages fit their checksums, it is of this study, and the other tables
    of its shard are there.
    """
    found: dict[tuple[str, tuple[str, ...]], dict[str, File]] = defaultdict(dict)
    notes: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    useless = []
    for path in sorted((folder / SHARDS).glob("*/*.parquet")):
        place = path.relative_to(folder).as_posix()
        try:
            note, rows = read_note(path), read_arrow(path).num_rows
        except (OSError, ValueError, pa.ArrowException):
            useless.append(f"{place} is damaged")
            continue
        if note.get("study") != study:
            useless.append(f"{place} is of another study")
            continue
        key = note["stage"], tuple(note["examples"])
        table = path.name.split(".")[-2]
        found[key][table] = File(place, hashlib.sha256(path.read_bytes()).hexdigest(), rows)
        notes[key] = note
    shards = []
    for key, files in found.items():
        if set(files) == set(notes[key]["tables"]):
            failed = [Failure(name, "", "unknown", "the manifest was lost") for name in notes[key]["failed"]]
            shards.append(Shard(*key, notes[key]["basis"], files, tuple(failed)))
        else:
            useless.append(f"{next(iter(files.values())).path} lacks the other tables of its shard")
    # A locus that failed among others was done again on its own, and that is to count.
    return sorted(shards, key=lambda shard: -len(shard.failures)), useless


def remove_leftovers(folder: Path) -> None:
    """Remove files that a killed run was writing, and no others."""
    ours = ((folder / SHARDS, "*/.*.tmp"), (folder / "tables", ".*.tmp"), (folder, ".manifest.jsonl*.tmp"))
    for path in (path for place, pattern in ours for path in place.glob(pattern)):
        with suppress(OSError):
            path.unlink()


def _problem(path: Path, sha256: str) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if hashlib.sha256(data).hexdigest() == sha256 else "does not fit its checksum"
