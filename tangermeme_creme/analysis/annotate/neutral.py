"""Draw neutral tiles to compare CREs with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...sequence import check_count
from ...support import check_columns
from ..values import as_float


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
    """Draw tiles of neutral contexts without an effect, one per gene, at random, as a background for CREs.

    Paper: Methods, "Biochemical characterization of CREs": absolute sufficiency below 0.1, one tile per gene, and as
    many tiles as enhancers and silencers on average. The tiles that a seed draws do not depend on the order of the
    rows, and the tile of a gene does not depend on other genes. Costs no forward pass.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per tile, of one track, from `call_cres`: the category of the context, the effect, `cre`, and
        `tile_start` or, without this column, `start`.

    random_state: int
        Seed.

    effect: str, optional
        Column of effects. Default is "over_control".

    max_effect: float, optional
        Tiles with a smaller absolute effect are neutral. Default is 0.1.

    n: int or None, optional
        Largest number of tiles. None is the mean of the numbers of enhancers and of silencers in `cre`, with halves
        rounded to even. Default is None.

    id_column, context: str, optional
        Columns of the gene and of the category of its context. Defaults are "example" and "context".

    Returns
    -------
    neutral: pandas.DataFrame
        The drawn rows, in the order of `table`, with `cre` "neutral".

    Raises
    ------
    ValueError
        If a column is missing, a gene has a tile twice (for example of two tracks), or an option is out of range.

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
            f"each tile must occur once, for one track; got {id_column} {row[id_column]!r}, {place} {row[place]} twice."
        )
    if n is None:
        n = round(float(np.mean([(table["cre"] == kind).sum() for kind in ("enhancer", "silencer")])))
    check_count("n", n, minimum=0)
    small = np.abs(as_float(table[effect], effect)) < max_effect
    rows = np.flatnonzero(small & (table[context] == "neutral").to_numpy(dtype=bool, na_value=False))
    names = table[id_column].astype(str).to_numpy()
    rows = rows[np.lexsort((table[place].to_numpy()[rows], names[rows]))]
    candidates = []
    genes, first = np.unique(names[rows].astype(str), return_index=True)
    for gene, gene_rows in zip(genes, np.split(rows, first[1:])):
        generator = np.random.default_rng([random_state, *gene.encode()])
        candidates.append(gene_rows[generator.integers(len(gene_rows))])
    drawn = np.random.default_rng(random_state).permutation(np.array(candidates, dtype=np.int64))[:n]
    return table.iloc[np.sort(drawn)].assign(cre="neutral")
