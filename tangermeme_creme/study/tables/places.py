"""What annotation, reports and files read of a study: its tables, and their places in the genome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ...sequence.genome import chrom_sizes, tiles_to_genome
from ...support import collected
from ..spec import StudyError, StudySpec

PLACES = ["chrom", "tss", "strand"]
_LAST_BASE = 2**32 - 1  # of the formats of UCSC


class ReadableStudy(Protocol):
    """A study as it is read, such as `Study`."""

    @property
    def folder(self) -> Path:
        """Where it is."""

    @property
    def spec(self) -> StudySpec:
        """What was asked."""

    @property
    def tables(self) -> list[str]:
        """Names of the tables with rows."""

    def table(self, name: str) -> pd.DataFrame:
        """A table; one without a row and a column if there is none of that name."""


def placed_loci(loci: pd.DataFrame) -> pd.DataFrame:
    """The loci with a place in the genome, by example; none where the table has no places.

    A TSS that is no whole number is a `StudyError`.

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
    """Lengths of the chromosomes, or None where the genome is not given, or not there any more."""
    if spec.loci is None or not Path(spec.loci.fasta).is_file():
        return None
    return chrom_sizes(spec.loci.fasta)


def in_genome(table: pd.DataFrame, places: pd.DataFrame, length: int, sizes: Mapping[str, int] | None) -> pd.DataFrame:
    """`tiles_to_genome` of the rows of placed loci, cut off at the ends of chromosomes.

    Tiles that lie wholly in padding have no place, and are left out.

    Parameters
    ----------
    table: pandas.DataFrame
        In bp of windows.

    places: pandas.DataFrame
        From `placed_loci`.

    length: int
        Of the windows.

    sizes: mapping of str to int, or None
        From `genome_sizes`. Without, only what lies before a chromosome is cut off.
    """
    if not len(table) or not len(places):
        return pd.DataFrame()
    rows = table[table["example"].isin(places.index)]
    if sizes is None:
        sizes = {str(chrom): _LAST_BASE for chrom in places["chrom"].unique()}
    with collected():  # tiles in padding are no news
        return tiles_to_genome(rows, places, length, sizes=sizes)


def sorted_by(table: pd.DataFrame, **orders: Sequence[Any] | None) -> pd.DataFrame:
    """Rows by the columns that are named, each in the order of its values that is given, or in their own for None.

    Examples
    --------
    >>> table = pd.DataFrame({"example": ["b", "a", "a"], "track": ["K562", "A", "K562"]})
    >>> sorted_by(table, example=None, track=["K562", "A"])
      example track
    0       a  K562
    1       a     A
    2       b  K562
    """
    places = {name: {value: k for k, value in enumerate(values)} for name, values in orders.items() if values}

    def key(column: pd.Series) -> pd.Series:
        return column.map(places[str(column.name)]) if column.name in places else column

    return table.sort_values(list(orders), key=key, kind="stable", ignore_index=True)
