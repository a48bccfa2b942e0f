"""Neutral tiles to compare CREs with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...sequence import check_count
from ...support import check_columns
from ..effects import as_float


def sample_neutral_tiles(
    table: pd.DataFrame,
    *,
    random_state: int,
    effect: str = "over_control",
    max_effect: float = 0.1,
    n: int | None = None,
    id_column: str = "example",
    context: str = "context",
) -> pd.DataFrame:
    """Tiles of neutral contexts without an effect, one a gene, drawn at random: the background for CREs.

    Paper: Methods, "Biochemical characterization of CREs": absolute sufficiency below 0.1, one tile a gene, and as many
    as there are enhancers and silencers on average. Which tiles a seed draws does not depend on the order of the rows,
    and what it draws of a gene not on other genes. Costs no forward pass.

    Parameters
    ----------
    table: pandas.DataFrame
        One row a tile, of one track, as `call_cres` gives it: the category of its context, its effect, `cre`, and
        `start` (or `tile_start`, which goes first).

    random_state: int
        Seed.

    effect: str, optional
        The column of effects. Default is "over_control".

    max_effect: float, optional
        An absolute effect below is neutral. Default is 0.1.

    n: int or None, optional
        The most tiles. None is the mean of the numbers of enhancers and of silencers in `cre`, rounded to even. Default
        is None.

    id_column, context: str, optional
        Where the gene and its category are. Defaults are "example" and "context".

    Returns
    -------
    neutral: pandas.DataFrame
        Those rows of `table`, in its order, with `cre` "neutral".

    Raises
    ------
    ValueError
        If a column is missing, a gene has a tile twice (say of two tracks), or an option is out of its range.

    Examples
    --------
    >>> table = pd.DataFrame({"example": list("aabb"), "start": [0, 5, 0, 5], "over_control": [0.0, 0.5, 0.05, -0.02]})
    >>> table = table.assign(context="neutral", cre=[None, "enhancer", None, None])
    >>> sample_neutral_tiles(table, n=5, random_state=0)[["example", "over_control", "cre"]]
      example  over_control      cre
    0       a          0.00  neutral
    3       b         -0.02  neutral
    """
    place = "tile_start" if "tile_start" in table.columns else "start"
    check_columns(table, [id_column, context, effect, place, *(["cre"] if n is None else [])])
    check_count("random_state", random_state, minimum=0)
    if not max_effect > 0:
        raise ValueError(f"max_effect must be above 0; got {max_effect}.")
    twice = table.duplicated([id_column, place])
    if twice.any():
        row = table[twice].iloc[0]
        raise ValueError(
            f"each tile must be there once, of one track; got {id_column} {row[id_column]!r}, {place} {row[place]} "
            "twice."
        )
    if n is None:
        n = round(float(np.mean([(table["cre"] == kind).sum() for kind in ("enhancer", "silencer")])))
    check_count("n", n, minimum=0)
    small = np.abs(as_float(table[effect], effect)) < max_effect
    rows = np.flatnonzero(small & (table[context] == "neutral").to_numpy(dtype=bool, na_value=False))
    names = table[id_column].astype(str).to_numpy()
    rows = rows[np.lexsort((table[place].to_numpy()[rows], names[rows]))]
    one_each = []
    genes, first = np.unique(names[rows].astype(str), return_index=True)
    for gene, of_gene in zip(genes, np.split(rows, first[1:])):
        generator = np.random.default_rng([random_state, *gene.encode()])
        one_each.append(of_gene[generator.integers(len(of_gene))])
    drawn = np.random.default_rng(random_state).permutation(np.array(one_each, dtype=np.int64))[:n]
    kept = np.zeros(len(table), dtype=bool)
    kept[drawn] = True
    return table[kept].assign(cre="neutral")
