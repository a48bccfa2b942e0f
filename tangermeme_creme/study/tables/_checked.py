"""Read the merged tables of a study, each checked against the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from ...support import warn
from ..spec import StudyError
from ..store import (
    MANIFEST_FILE,
    TABLES_FOLDER,
    Manifest,
    Shard,
    Store,
    TableFile,
    basis_of,
    contexts_of,
    file_problem,
    merged_bytes,
    read_arrow,
    table_path,
)
from ..tests import TESTS

_STAGES = {"activity": "activity"} | {table: test.name for test in TESTS.values() for table in test.gives}


class CheckedTables:
    """Reads the tables in a folder. A table that is damaged or missing is merged again, in memory, from the shards.

    Parameters
    ----------
    folder: Path

    Raises
    ------
    StudyError
        If the folder has no whole manifest.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._merged: dict[TableFile, bytes] = {}
        self._state: tuple[int, int] | None = None
        self._read_manifest()
        present = {path.stem for path in (folder / TABLES_FOLDER).glob("*.parquet") if path.name[0] != "."}
        if unknown := sorted(present - set(self.manifest.tables)):
            warn(
                f"{len(unknown)} files in {folder / TABLES_FOLDER} are left out, {unknown[0]}.parquet first: the "
                "manifest does not name them. If they are tables of this study, run the study again."
            )

    @property
    def manifest(self) -> Manifest:
        """The manifest as it is on the disk: a study can be read while it runs."""
        self._read_manifest()
        return self._manifest

    def names(self) -> list[str]:
        """Return the names of the tables with rows, in alphabetical order."""
        return sorted(self.manifest.tables)

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table; without rows and columns if the study has none of that name."""
        file = self.manifest.tables.get(name)
        if file is None:
            return pd.DataFrame()
        try:
            data = table_path(self.folder, name).read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != file.sha256:
            if self.manifest.tables.get(name) != file:  # a run has just written it
                return self.frame(name)
            data = self._merged_again(name)
        return read_arrow(data).to_pandas()

    def dataset(self, name: str) -> ds.Dataset | None:
        """Return a table as an Arrow dataset; None if the study has none of that name."""
        file, path = self.manifest.tables.get(name), table_path(self.folder, name)
        if file is None:
            return None
        if file_problem(path, file.sha256):
            return ds.dataset(read_arrow(self._merged_again(name)))
        return ds.dataset(path)

    def drawn(self) -> dict[str, str]:
        """Return the loci that are drawn for the tests now, with the basis of each."""
        contexts = self.frame("contexts")
        drawn = contexts_of(contexts) if len(contexts) else {}
        return {name: basis_of(context) for name, context in drawn.items()}

    def _read_manifest(self) -> None:
        path = self.folder / MANIFEST_FILE
        try:
            state = path.stat().st_mtime_ns, path.stat().st_size
        except OSError:
            state = None
        if state is None or state != self._state:
            manifest = Manifest.load(self.folder)
            if manifest is None:
                raise StudyError(f"the folder of a study must have a whole {MANIFEST_FILE}; got {str(self.folder)!r}.")
            self._manifest, self._state = manifest, state

    def _merged_again(self, name: str) -> bytes:
        """Merge a table from its shards, with one warning; refuse if that does not give the bytes that it had."""
        file = self.manifest.tables[name]
        if file in self._merged:
            return self._merged[file]
        problem = f"{table_path(self.folder, name)} {file_problem(table_path(self.folder, name), file.sha256)}"
        stage = _STAGES.get(name)
        data = b"" if stage is None else self._from_shards(stage, name)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise StudyError(f"{problem}, and its shards do not give it: run the study again, which makes it again.")
        warn(f"{problem}: it was read from the shards. Run the study again to write it again.")
        self._merged[file] = data
        return data

    def _from_shards(self, stage: str, name: str) -> bytes:
        store = Store(self.folder, self.manifest)
        if stage in TESTS:
            drawn = self.drawn()
            examples = [e for e in self.frame("loci")["example"] if counts(store.shard_of(stage, e), e, drawn)]
        else:
            examples = sorted(e for shard in self.manifest.shards if shard.stage == stage for e in shard.examples)
        try:
            return merged_bytes(store, stage, name, examples)
        except (OSError, StudyError, pa.ArrowException):
            return b""


def counts(shard: Shard | None, example: str, drawn: Mapping[str, str]) -> bool:
    """Say whether the rows of a locus in a shard belong to the present draw.

    The basis of a test with sources has a hash of these too, which is not known here: of such a test the locus counts.
    """
    if shard is None or shard.stage not in TESTS:
        return shard is not None
    return example in drawn and ("sources" in TESTS[shard.stage].needs or shard.basis == drawn[example])
