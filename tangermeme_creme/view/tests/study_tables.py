"""The tables of a study, and names for its loci."""

from __future__ import annotations

import pandas as pd

from ...study.spec import track_names, window_center
from ...study.tables import ReadableStudy
from ...support import sorted_by


class StudyTables:
    """Tables of a study by name, each read once, with tracks in the order of the spec.

    Parameters
    ----------
    study: Study
    """

    def __init__(self, study: ReadableStudy) -> None:
        self.study = study
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            table = self.study.table(name)
            has_tracks = "track" in table.columns and len(table)
            self._read[name] = sorted_by(table, track=track_names(self.study.spec)) if has_tracks else table
        return self._read[name]

    @property
    def center(self) -> int:
        """The TSS, in bp of the window."""
        return window_center(self.study.spec)

    def with_genes(self, table: pd.DataFrame) -> pd.DataFrame:
        """Replace names of loci by names of genes, except where two loci of the table have the same gene."""
        if not len(table):
            return table
        names = {example: self.gene(example) for example in table["example"].unique()}
        count = pd.Series(list(names.values())).value_counts()
        labels = {example: name if count[name] == 1 else example for example, name in names.items()}
        return table.assign(example=table["example"].map(labels))

    def gene(self, example: str) -> str:
        """Return the gene of a locus, or the name of the locus if it has no gene."""
        loci = self["loci"]
        if "gene_name" in loci.columns:
            names = loci.loc[loci["example"] == example, "gene_name"]
            if len(names) and isinstance(names.iloc[0], str) and names.iloc[0]:
                return str(names.iloc[0])
        return str(example)
