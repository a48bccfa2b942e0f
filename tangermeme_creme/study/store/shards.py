"""Store the shards of a study, check them, and find them again if the manifest is lost."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ...support import write_durably
from ..spec import StudyError
from .manifest import Failure, Manifest, Shard, ShardFile
from .names import MANIFEST_FILE, SHARDS_FOLDER, TABLES_FOLDER, file_name
from .parquet import read_arrow, read_noted


class Store:
    """Read and write the shards in the folder of a study.

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
        """Return the shard that has an example in a stage; None if the stage has not run there."""
        return self._by_stage[stage].get(example)

    def done(self, stage: str) -> set[str]:
        """Return the examples that a stage has finished without a failure."""
        return {example for example, shard in self._by_stage[stage].items() if example not in shard.failed}

    def is_done(self, stage: str, example: str, basis: str) -> bool:
        """Return whether a stage finished an example, without a failure and on the same `basis`."""
        shard = self.shard_of(stage, example)
        return shard is not None and example not in shard.failed and shard.basis == basis

    def failures(self) -> list[tuple[str, Failure]]:
        """Return failures whose example was not computed again since, with their stages, sorted."""
        current = [
            (stage, failure)
            for stage, shards in self._by_stage.items()
            for example, shard in shards.items()
            for failure in shard.failures
            if failure.example == example
        ]
        return sorted(current, key=lambda item: (item[0], item[1].example, item[1].what))

    def put(
        self,
        stage: str,
        examples: Sequence[str],
        tables: Mapping[str, tuple[bytes, int]],
        basis: str = "",
        failures: Sequence[Failure] = (),
        cost: Mapping[str, float] | None = None,
    ) -> Shard:
        """Store a shard: first its tables, each as Parquet and a number of rows, then its line in the manifest."""
        files = {}
        name = file_name(examples)
        for table, (data, rows) in tables.items():
            path = Path(SHARDS_FOLDER) / stage / f"{name}.{table}.parquet"
            write_durably(self.folder / path, data)
            files[table] = ShardFile(path.as_posix(), hashlib.sha256(data).hexdigest(), rows)
        shard = Shard(stage, tuple(examples), basis, files, tuple(failures), dict(cost or {}))
        self.manifest.add(shard)
        self._index(shard)
        return shard

    def read(self, shard: Shard, table: str) -> pa.Table:
        """Read a table of a shard, and check it.

        Raises
        ------
        StudyError
            If the file does not fit its checksum.
        """
        file = shard.files[table]
        data = (self.folder / file.path).read_bytes()
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise StudyError(f"a shard must fit its checksum; got {file.path}, which does not: run the study again.")
        return read_arrow(data)

    def rows_of(self, stage: str, example: str, table: str) -> pd.DataFrame | None:
        """Read the rows of an example in a table of a stage. Return None if its shard has no such table."""
        shard = self.shard_of(stage, example)
        if shard is None or table not in shard.files:
            return None
        frame = self.read(shard, table).to_pandas()
        return frame[frame["example"] == example].reset_index(drop=True)

    def drop_damaged(self) -> list[tuple[str, Shard]]:
        """Forget shards that have a damaged or missing file. Return a message per such file, with its shard."""
        problems: list[tuple[str, Shard]] = []
        bad = set()
        for shard in self.manifest.shards:
            if any(self._by_stage[shard.stage].get(example) is shard for example in shard.examples):
                for file in shard.files.values():
                    problem = file_problem(self.folder / file.path, file.sha256)
                    if problem:
                        problems.append((f"{file.path} {problem}", shard))
                        bad.add(id(shard))
            else:
                bad.add(id(shard))  # all of its examples were computed again since
        if bad or self.manifest.damaged:
            self._replace([shard for shard in self.manifest.shards if id(shard) not in bad])
        return problems

    def recover(self, study: str) -> list[Shard]:
        """Enter the shards of a study that are in the folder and not in the manifest, and return them.

        They come before those that the manifest has, which count where both have an example.
        """
        entered = {file.path for shard in self.manifest.shards for file in shard.files.values()}
        found = [
            shard
            for shard in rebuilt_shards(self.folder, study, entered)[0]
            if any(self.shard_of(shard.stage, example) is None for example in shard.examples)
        ]
        if found:
            self._replace([*found, *self.manifest.shards])
        return found

    def _replace(self, shards: list[Shard]) -> None:
        self.manifest.shards = shards
        self.manifest.rewrite()
        self._by_stage.clear()
        for shard in shards:
            self._index(shard)

    def _index(self, shard: Shard) -> None:
        self._by_stage[shard.stage].update(dict.fromkeys(shard.examples, shard))


def shard_note(
    study: str, stage: str, examples: Sequence[str], basis: str, tables: Iterable[str], failed: Iterable[str]
) -> dict[str, Any]:
    """Return the note that each file of a shard carries, from which the shard can be rebuilt without the manifest."""
    return {
        "study": study, "stage": stage, "examples": list(examples), "basis": basis, "tables": sorted(tables),
        "failed": sorted(set(failed)),
    }  # fmt: skip


def rebuilt_shards(folder: Path, study: str, entered: Collection[str] = ()) -> tuple[list[Shard], list[str]]:
    """Rebuild the shards of a study from their files alone, without the manifest; files that it has are left out.

    A file is of use if it can be read, its pages and its content fit their checksums, it is of this study, and the
    other tables of its shard are there too. Its note says which table it is, whatever its name.

    Returns
    -------
    shards: list of Shard
    useless: list of str
        One message per file that is of no use.
    """
    files_by_shard: dict[str, dict[str, ShardFile]] = defaultdict(dict)
    notes: dict[str, dict[str, Any]] = {}
    useless = []
    for path in sorted((folder / SHARDS_FOLDER).glob("*/*.parquet")):
        name = path.relative_to(folder).as_posix()
        if name in entered:
            continue
        try:
            data = path.read_bytes()
            note, rows = read_noted(data)
        except (OSError, ValueError, pa.ArrowException):
            useless.append(f"{name} is damaged")
            continue
        if note.get("study") != study:
            useless.append(f"{name} is of another study")
            continue
        table = note.pop("table")
        key = json.dumps(note, sort_keys=True)  # the same for all tables of a shard
        files_by_shard[key].setdefault(table, ShardFile(name, hashlib.sha256(data).hexdigest(), rows))
        notes[key] = note
    shards = []
    for key, files in files_by_shard.items():
        note = notes[key]
        if set(files) == set(note["tables"]):
            failed = [Failure(example, "", "unknown", "the manifest was lost") for example in note["failed"]]
            shards.append(Shard(note["stage"], tuple(note["examples"]), note["basis"], files, tuple(failed)))
        else:
            useless.append(f"{next(iter(files.values())).path} lacks the other tables of its shard")
    # An example that failed in one shard may have been computed again in another one, which must come later to count.
    return sorted(shards, key=lambda shard: -len(shard.failures)), useless


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that a killed run left in a folder, and no others."""
    for pattern in (f"{SHARDS_FOLDER}/*/.*.tmp", f"{TABLES_FOLDER}/.*.tmp", f".{MANIFEST_FILE}*.tmp"):
        for path in folder.glob(pattern):
            with suppress(OSError):
                path.unlink()


def file_problem(path: Path, sha256: str) -> str:
    """Say what is wrong with a file; "" if it fits its checksum."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if digest == sha256 else "does not fit its checksum"
