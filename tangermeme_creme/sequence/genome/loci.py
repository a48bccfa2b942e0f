"""Check tables of TSSs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ...support import check_columns, shown
from .table_columns import LAST_BASE


def check_loci(loci: pd.DataFrame, name: str = "loci", row_name: Callable[[int], str] = "row {}".format) -> None:
    """Refuse a table that lacks `chrom`, `tss` or `strand`, or that has a row without a valid TSS.

    Parameters
    ----------
    loci: pandas.DataFrame

    name: str, optional
        Name of the table in errors. Default is "loci".

    row_name: callable, optional
        Function from the number of a row to words for errors. Default is "row 0" and so on.

    Raises
    ------
    ValueError
        The message gives the row and the value.

    Examples
    --------
    >>> check_loci(pd.DataFrame({"chrom": ["chr1"], "tss": [5], "strand": ["+"]}))
    """
    if not isinstance(loci, pd.DataFrame):
        raise ValueError(f"{name} must be a pandas.DataFrame; got {type(loci).__name__}.")
    check_columns(loci, ["chrom", "tss", "strand"], name)
    tss = pd.to_numeric(loci["tss"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    rules = (
        ("tss", "a whole number of bp, 0 or more", ~((tss >= 0) & (tss <= LAST_BASE) & (tss == np.floor(tss)))),
        ("strand", "'+' or '-'", ~loci["strand"].isin(["+", "-"]).to_numpy()),
        ("chrom", "a name", (loci["chrom"].isna() | (loci["chrom"].astype(str).str.strip() == "")).to_numpy()),
    )
    for column, rule, bad in rules:
        if bad.any():
            i = int(bad.argmax())
            raise ValueError(f"{column} of {name} must be {rule}; got {shown(loci[column].iloc[i])} at {row_name(i)}.")


def tss_positions(loci: pd.DataFrame) -> np.ndarray:
    """Return column `tss` of checked loci as int64, whatever its dtype."""
    return pd.to_numeric(loci["tss"]).to_numpy(dtype=np.int64)
