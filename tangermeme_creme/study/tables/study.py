"""Read a study: its tables for pandas or Arrow, and how far it is."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset as ds

from ...analysis import join_tile_effects
from ..spec import StudyError, StudySpec, spec_from_dict
from ..store import Manifest, Store, file_problem
from ..tests import TESTS
from ._checked import CheckedTables, counts


class Study:
    """Reads the folder of a study. Nothing is locked: a study can be read while it runs.

    Every table is checked when it is read. A table that is damaged or missing is read from the shards, with a warning,
    or refused with `StudyError`; the next run writes it again.

    Parameters
    ----------
    folder: path

    Raises
    ------
    StudyError
        If there is no study in the folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._checked = CheckedTables(self.folder)

    @property
    def _manifest(self) -> Manifest:
        return self._checked.manifest

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Study:
        """Open the folder of a study.

        Parameters
        ----------
        folder: path

        Returns
        -------
        study: Study

        Raises
        ------
        StudyError
            If there is no study in the folder.
        """
        return cls(folder)

    @property
    def header(self) -> dict[str, Any]:
        """What the study began with: spec, seed, model and its fingerprint, hashes of the inputs, versions."""
        return self._manifest.header

    @property
    def spec(self) -> StudySpec:
        """The settings of the study."""
        return spec_from_dict(self.header["spec"])

    @property
    def tables(self) -> list[str]:
        """Names of the tables with rows, in alphabetical order."""
        return self._checked.names()

    @property
    def raw_tables(self) -> list[str]:
        """Names of the tables of raw predictions, one row per shuffle; empty unless they were requested."""
        return sorted({name for shard in self._manifest.shards for name in shard.files if name.startswith("raw_")})

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; without rows and columns if nothing was found for it.

        Parameters
        ----------
        name: str

        Returns
        -------
        table: pandas.DataFrame

        Raises
        ------
        StudyError
            If the table is damaged or missing, and cannot be merged again from the shards.
        """
        return self._checked.frame(name)

    def dataset(self, name: str) -> ds.Dataset:
        """Return a table or raw predictions as an Arrow dataset, for data that does not fit into memory.

        Parameters
        ----------
        name: str
            Of `tables` or `raw_tables`.

        Returns
        -------
        dataset: pyarrow.dataset.Dataset

        Raises
        ------
        StudyError
            If the study has no table of that name, or its files are damaged and cannot be merged again.
        """
        dataset = self._checked.dataset(name)
        if dataset is not None:
            return dataset
        store, drawn = Store(self.folder, self._manifest), self._checked.drawn()
        files = {
            shard.files[name].path: shard.files[name].sha256
            for shard in self._manifest.shards
            if name in shard.files
            and any(store.shard_of(shard.stage, e) is shard for e in shard.examples)
            and all(counts(shard, example, drawn) for example in shard.examples)
        }
        if not files:
            raise StudyError(f"a dataset must be one of {', '.join([*self.tables, *self.raw_tables])}; got {name!r}.")
        for file, sha256 in files.items():
            if problem := file_problem(self.folder / file, sha256):
                raise StudyError(f"{self.folder / file} {problem}: run the study again, which computes it again.")
        return ds.dataset([str(self.folder / file) for file in sorted(files)])

    def tile_effects(self) -> pd.DataFrame:
        """Join necessity and sufficiency, tile by tile.

        Returns
        -------
        table: pandas.DataFrame
            `join_tile_effects` of the two tables.
        """
        return join_tile_effects(self.table("necessity"), self.table("sufficiency"))

    def status(self) -> pd.DataFrame:
        """Report how far each stage is.

        Returns
        -------
        table: pandas.DataFrame
            One row per stage: `stage`, `done` and `failed` loci, `of` (missing until it is known), `seconds` of work.
        """
        store = Store(self.folder, self._manifest)
        seconds: Counter[str] = Counter()
        for shard in self._manifest.shards:
            seconds[shard.stage] += shard.cost.get("seconds", 0.0)  # type: ignore[assignment]
        shown = {"context", *self.spec.tests.include} | {shard.stage for shard in self._manifest.shards} - set(TESTS)
        stages = [name for name in ("activity", "context", *TESTS) if name in shown]
        loci, drawn = self.table("loci"), self._checked.drawn()
        tested = len(drawn) if len(self.table("contexts")) else None
        known = {"activity": self.header["n_loci"], "context": len(loci) or None}
        failed = Counter({
            (stage, failure.example): 1
            for stage, failure in store.failures()
            if counts(store.shard_of(stage, failure.example), failure.example, drawn)
        })  # fmt: skip
        done = {
            stage: [name for name in store.done(stage) if counts(store.shard_of(stage, name), name, drawn)]
            for stage in stages
        }
        rows = [
            (
                stage, len(done[stage]), sum(1 for name, _ in failed if name == stage), known.get(stage, tested),
                round(seconds[stage], 1),
            )
            for stage in stages
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["stage", "done", "failed", "of", "seconds"])
