"""What a study found, in the numbers that figures and text of a paper state."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ...support import replace_file
from .places import ReadableStudy
from .summary_functions import SUMMARIES
from .summary_text import text_of


def summary_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Counts, quartiles, means and tests of the tables of a study.

    Quartiles (`q25`, `median`, `q75`) and means (`mean`, `sem`) have one row a group and `value`, the column that they
    are of; `n` counts the values that are known. Rows without a context, of loci that were not selected in a track,
    count nowhere.

    Parameters
    ----------
    tables: mapping of str to pandas.DataFrame
        As a study gives them, in bp of windows. Any may be missing or empty.

    Returns
    -------
    summaries: dict of str to pandas.DataFrame
        Those that have rows, of:

        - `contexts`: `track`, `context`, `n` (of the loci that were ranked in the track), `n_selected`,
          `median_effect`;
        - `swap`: `track`, `source_context`, `target_context`, and quartiles, without loci in their own context;
        - `necessity`, `sufficiency`: `track`, `context`, and quartiles;
        - `calls`: `track`, `context`, `n_loci`, `n_tiles`, `enhancers`, `silencers`;
        - `cres`: `track`, `cre`, `n`, `n_loci`, `median_distance` (from the TSS to the middle of the tile, in bp);
        - `distance`: `track`, `cre`, `offset`, and means;
        - `multiplicity`: `track`, `cre`, `copies`, and means;
        - `saturation`: `track`, `cre`, `n`, `yes`, `no`, `flat`, `undefined`, `median_half_copies`;
        - `higher_order`, `set_sufficiency`: `track`, `context`, `direction`, `n_tiles`, and means;
        - `interaction_classes`: `track`, `context`, `direction`, `scale` (additive, multiplicative), `class`, `n`;
        - `interactions`: `track`, `context`, `scale` (epistasis, log_epistasis), `class`, `n`;
        - `fine_tile`: `track`, `cre`, and quartiles of the bp that are kept at the end;
        - `fine_mapping`: `track`, `cre`, `method`, and quartiles of `fewest_bp`;
        - `tests`: what `compare_groups` gives of sufficiency between contexts, and of the distances of enhancers and
          silencers;
        - `failures`: `stage`, `error`, `n`, `n_loci`, `first_message`.

    Examples
    --------
    >>> steps = pd.DataFrame({"example": "GATA2", "cre_tile": 4, "track": "K562", "cre": "enhancer", "step": [0, 1]})
    >>> summary_tables({"fine_tile": steps.assign(bp_kept=[5000, 150])})["fine_tile"]
      track       cre    value  n    q25  median    q75
    0  K562  enhancer  bp_kept  1  150.0   150.0  150.0
    """
    given = {name: table for name, table in tables.items() if len(table)}
    found = {name: make(given) for name, (make, needed) in SUMMARIES.items() if needed is None or needed in given}
    return {name: table for name, table in found.items() if len(table)}


def summary_text(tables: Mapping[str, pd.DataFrame]) -> str:
    """`summary_tables` in short, for a terminal: at most 100 columns wide.

    Parameters
    ----------
    tables: mapping of str to pandas.DataFrame
        As in `summary_tables`.

    Returns
    -------
    text: str
    """
    return text_of(summary_tables(tables))


def write_report(study: ReadableStudy, out: str | os.PathLike[str] | None = None) -> Path:
    """Write each of `summary_tables` as CSV, and `summary_text` as summary.txt.

    Parameters
    ----------
    study: Study

    out: path or None, optional
        Made if needed. None is the folder `report` in that of the study, from which summaries are taken away that have
        no rows any more. Default is None.

    Returns
    -------
    folder: Path
    """
    tables = {name: study.table(name) for name in study.tables}
    summaries = summary_tables(tables)
    folder = study.folder / "report" if out is None else Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for name in SUMMARIES:
        path = folder / f"{name}.csv"
        if name in summaries:
            write_csv(summaries[name], path)
        elif out is None:
            path.unlink(missing_ok=True)
    text = text_of(summaries) + "\n"
    replace_file(folder / "summary.txt", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return folder


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Write a table as CSV, whole or not at all, with the same bytes on every system."""
    return replace_file(path, lambda temporary: table.to_csv(temporary, index=False, lineterminator="\n"))
