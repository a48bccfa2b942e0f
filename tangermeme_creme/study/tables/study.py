"""Read a study: its tables for pandas or Arrow, and how far it is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset as ds

from ...analysis import join_tile_effects
from ..spec import StudyError, StudySpec, spec_from_dict
from ..store import MANIFEST_FILE, TABLES_FOLDER, Manifest, Shard, Store, basis_of, contexts_of, read_arrow
from ..tests import TESTS


class Study:
    """Reads the folder of a study. Nothing is locked: a study can be read while it runs.

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
        manifest = Manifest.load(self.folder)
        if manifest is None:
            raise StudyError(f"the folder of a study must have a whole {MANIFEST_FILE}; got {os.fspath(folder)!r}.")
        self._manifest = manifest

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
        return sorted(path.stem for path in (self.folder / TABLES_FOLDER).glob("*.parquet") if path.name[0] != ".")

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
        """
        path = self.folder / TABLES_FOLDER / f"{name}.parquet"
        return read_arrow(path).to_pandas() if path.exists() else pd.DataFrame()

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
            If the study has no table of that name.
        """
        path = self.folder / TABLES_FOLDER / f"{name}.parquet"
        if path.exists():
            return ds.dataset(path)
        store, drawn = Store(self.folder, self._manifest), self._drawn()
        files = {
            shard.files[name].path: None
            for shard in self._manifest.shards
            if name in shard.files
            and any(store.shard_of(shard.stage, e) is shard for e in shard.examples)
            and all(_counts(shard, example, drawn) for example in shard.examples)
        }
        if not files:
            raise StudyError(f"a dataset must be one of {', '.join([*self.tables, *self.raw_tables])}; got {name!r}.")
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
        stages = [name for name in ("activity", "context") if name == "context" or seconds[name]]
        stages += [name for name in TESTS if name in self.spec.tests.include]
        loci, drawn = self.table("loci"), self._drawn()
        tested = len(drawn) if len(self.table("contexts")) else None
        known = {"activity": self.header["n_loci"], "context": len(loci) or None}
        failed = Counter({
            (stage, failure.example): 1
            for stage, failure in store.failures()
            if _counts(store.shard_of(stage, failure.example), failure.example, drawn)
        })  # fmt: skip
        done = {
            stage: [name for name in store.done(stage) if _counts(store.shard_of(stage, name), name, drawn)]
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

    def _drawn(self) -> dict[str, str]:
        """Return the loci that are drawn for the tests now, with the basis of each."""
        contexts = self.table("contexts")
        drawn = contexts_of(contexts) if len(contexts) else {}
        return {name: basis_of(context) for name, context in drawn.items()}


def _counts(shard: Shard | None, example: str, drawn: Mapping[str, str]) -> bool:
    """Say whether the rows of a locus in a shard belong to the present draw.

    The basis of a test with sources has a hash of these too, which is not known here: of such a test the locus counts.
    """
    if shard is None or shard.stage not in TESTS:
        return shard is not None
    return example in drawn and ("sources" in TESTS[shard.stage].needs or shard.basis == drawn[example])
