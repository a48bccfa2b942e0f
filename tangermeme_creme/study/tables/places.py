"""Read the tables of a study, and their places in the genome."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from ...sequence.genome import LAST_BASE, chrom_sizes, tiles_to_genome
from ...support import collected
from ..spec import StudyError, StudySpec

PLACES = ["chrom", "tss", "strand"]


class ReadableStudy(Protocol):
    """A study that can be read, such as `Study`."""

    @property
    def folder(self) -> Path:
        """Where the study lies."""

    @property
    def spec(self) -> StudySpec:
        """The settings of the study."""

    @property
    def tables(self) -> list[str]:
        """Names of the tables with rows."""

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; without rows and columns if the study has no table of that name."""


def placed_loci(loci: pd.DataFrame) -> pd.DataFrame:
    """Return the loci that have a place in the genome, by example; none if the table has no places.

    A TSS that is not a whole number raises `StudyError`.

    Examples
    --------
    >>> placed_loci(pd.DataFrame({"example": ["a", "b"], "chrom": ["chr1", ""], "tss": ["7", ""], "strand": "+"}))
            chrom  tss strand
    example
    a        chr1    7      +
    >>> len(placed_loci(pd.DataFrame({"example": ["a"]})))
    0
    """
    if not {"example", *PLACES} <= set(loci.columns):
        return pd.DataFrame()
    known = (loci[PLACES].notna() & (loci[PLACES].astype(str) != "")).all(axis=1)
    try:
        return loci[known].astype({"tss": np.int64}).set_index("example")
    except (ValueError, OverflowError) as error:
        raise StudyError(f"places of loci must be whole; got {error}.") from error


def genome_sizes(spec: StudySpec) -> dict[str, int] | None:
    """Return the lengths of the chromosomes, or None if the study has no genome or its file is gone."""
    if spec.loci is None or not Path(spec.loci.fasta).is_file():
        return None
    return chrom_sizes(spec.loci.fasta)


def in_genome(
    table: pd.DataFrame,
    places: pd.DataFrame,
    length: int,
    sizes: Mapping[str, int] | None,
    *,
    center: int | None = None,
) -> pd.DataFrame:
    """Place the rows of placed loci in the genome, as `tiles_to_genome`, cut off at the ends of chromosomes.

    Tiles that lie wholly in padding have no place and are left out.

    Parameters
    ----------
    table: pandas.DataFrame
        In bp of windows.

    places: pandas.DataFrame
        From `placed_loci`.

    length: int
        Of the windows.

    sizes: mapping of str to int, or None
        From `genome_sizes`. With None, tiles are cut off only at the start of a chromosome.

    center: int or None, optional
        The TSS in bp of the windows. None is ``length // 2``. Default is None.
    """
    if not len(table) or not len(places):
        return pd.DataFrame()
    rows = table[table["example"].isin(places.index)]
    if sizes is None:
        sizes = {str(chrom): LAST_BASE for chrom in places["chrom"].unique()}
    with collected():  # no warning of tiles in padding
        return tiles_to_genome(rows, places, length, center=center, sizes=sizes)
