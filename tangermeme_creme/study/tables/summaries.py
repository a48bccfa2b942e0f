"""The results of a study in the numbers that a paper states."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ...support import printable, replace_file, spreadsheet_text
from ..spec import window_center, window_length
from ..tests import ResultTables
from ._summary_list import SUMMARIES
from ._summary_text import text_of
from .places import ReadableStudy
from .selection_text import few_contexts


def summary_tables(
    tables: Mapping[str, pd.DataFrame], *, length: int, center: int | None = None
) -> dict[str, pd.DataFrame]:
    """Summarize the tables of a study by counts, quartiles, means and tests.

    Quartiles (`q25`, `median`, `q75`) and means (`mean`, `sem`) have one row per group and `value`, the column that
    they describe; `n` counts the known values. Rows without a context, of loci that were not selected in a track, do
    not count.

    Parameters
    ----------
    tables: mapping of str to pandas.DataFrame
        As a study gives them, in bp of windows. Any may be missing or empty.

    length: int
        Length of the windows in bp.

    center: int or None, optional
        The TSS in bp of the windows. None is ``length // 2``. Default is None.

    Returns
    -------
    summaries: dict of str to pandas.DataFrame
        The summaries that have rows, of:

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
        - `fine_tile`: `track`, `cre`, and quartiles of the bp kept at the end;
        - `fine_mapping`: `track`, `cre`, `method`, and quartiles of `fewest_bp`;
        - `tests`: `compare_groups` of sufficiency between contexts, and of the distances of enhancers and silencers;
        - `failures`: `stage`, `error`, `n`, `n_loci`, `first_message`.

    Examples
    --------
    >>> steps = pd.DataFrame({"example": "GATA2", "cre_tile": 4, "track": "K562", "cre": "enhancer", "step": [0, 1]})
    >>> summary_tables({"fine_tile": steps.assign(bp_kept=[5000, 150])}, length=196_608)["fine_tile"]
      track       cre    value  n    q25  median    q75
    0  K562  enhancer  bp_kept  1  150.0   150.0  150.0
    """
    study = _with_rows(tables, length, center)
    made = {one.name: one.make(study) for one in SUMMARIES if one.needs is None or one.needs in study}
    return {name: table for name, table in made.items() if len(table)}


def summary_text(tables: Mapping[str, pd.DataFrame], *, length: int, center: int | None = None) -> str:
    """Write `summary_tables` for a terminal, at most 100 columns wide, after `few_contexts`.

    Parameters
    ----------
    tables, length, center
        As in `summary_tables`.

    Returns
    -------
    text: str
    """
    return _text(summary_tables(tables, length=length, center=center), _with_rows(tables, length, center))


def _text(summaries: Mapping[str, pd.DataFrame], study: ResultTables) -> str:
    return text_of(summaries, study.scale, few_contexts(study["contexts"]) if "contexts" in study else [])


def _with_rows(tables: Mapping[str, pd.DataFrame], length: int, center: int | None) -> ResultTables:
    tss = length // 2 if center is None else center
    return ResultTables({name: table for name, table in tables.items() if len(table)}, tss)


def write_report(study: ReadableStudy, out: str | os.PathLike[str] | None = None) -> Path:
    """Write each of `summary_tables` as CSV, and `summary_text` as summary.txt.

    Parameters
    ----------
    study: Study

    out: path or None, optional
        Made if needed. None is the folder `report` in the folder of the study, where summaries that have no rows any
        more are deleted. Default is None.

    Returns
    -------
    folder: Path
    """
    tables = {name: study.table(name) for name in study.tables}
    summaries = summary_tables(tables, length=window_length(study.spec), center=window_center(study.spec))
    folder = study.folder / "report" if out is None else Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (one.name for one in SUMMARIES):
        path = folder / f"{name}.csv"
        if name in summaries:
            write_csv(summaries[name], path)
        elif out is None:
            path.unlink(missing_ok=True)
    text = _text(summaries, _with_rows(tables, window_length(study.spec), window_center(study.spec))) + "\n"
    replace_file(folder / "summary.txt", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return folder


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Write a table as CSV, whole or not at all, with the same bytes on every system.

    Texts are written so that neither a spreadsheet nor a terminal obeys them: see `spreadsheet_text`, `printable`.
    """
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name].dtype)]
    shown = table.assign(**{name: table[name].map(_cell, na_action="ignore") for name in texts})
    return replace_file(path, lambda temporary: shown.to_csv(temporary, index=False, lineterminator="\n"))


def _cell(value: object) -> object:
    return spreadsheet_text(printable(value)) if isinstance(value, str) else value
