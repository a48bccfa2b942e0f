"""Links between regions, CRE to gene and tile to tile, as tables and as files for genome browsers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ...sequence.genome import chromosomes, numbers, positions, regions, strands, texts
from ...support import check_columns
from .browser_fields import classes, field, scores, sign_colors, track, write_rows

ENDS = ("chrom", "start", "end", "name", "strand")
LINK_COLUMNS = (*(f"{name}_1" for name in ENDS), *(f"{name}_2" for name in ENDS), "effect", "kind")


def cre_gene_links(cres: pd.DataFrame, *, effect: str) -> pd.DataFrame:
    """Links from CREs to the TSS that they act on, for `write_interact` and `write_bedpe`.

    Parameters
    ----------
    cres: pandas.DataFrame
        One row a CRE and gene: `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), `tss` (the 0-based
        base), `strand` and `gene_name` of the gene, and, where there is one, `cre` ("enhancer", "silencer", "neutral").

    effect: str
        The column of effects.

    Returns
    -------
    links: pandas.DataFrame
        One row a row of `cres`, in its order, with `LINK_COLUMNS`: 1 is the CRE, named by its class or "CRE", without
        strand; 2 is the base of the TSS, named by its gene; `kind` is "cre_gene".

    Raises
    ------
    ValueError
        If a column is missing, or a chromosome, position, strand, class or effect cannot be written (NaN and infinite
        effects cannot); the message has the row, counted from 0, and the value.

    Examples
    --------
    >>> cres = pd.DataFrame({"chrom": ["chr1"], "start": [100], "end": [150], "tss": [900], "strand": ["-"]})
    >>> links = cre_gene_links(cres.assign(gene_name="MYC", over_wt=0.4), effect="over_wt")
    >>> list(links.drop(columns=["chrom_1", "chrom_2", "kind"]).itertuples(index=False, name=None))
    [(100, 150, 'CRE', '.', 900, 901, 'MYC', '-', 0.4)]
    """
    check_columns(cres, ["chrom", "start", "end", "tss", "strand", "gene_name", effect])
    chrom, (start, end), tss = chromosomes(cres), regions(cres), positions(cres, "tss")
    names = classes(cres) if "cre" in cres.columns else "CRE"
    one = [chrom, start, end, names, "."]
    other = [chrom, tss, tss + 1, texts(cres, "gene_name"), strands(cres)]
    columns = dict(zip(LINK_COLUMNS, [*one, *other, numbers(cres, effect), "cre_gene"]))
    return pd.DataFrame(columns, index=pd.RangeIndex(len(cres)))


def tile_pair_links(pairs: pd.DataFrame, *, effect: str) -> pd.DataFrame:
    """Links between tiles that were perturbed together, for `write_interact` and `write_bedpe`.

    Parameters
    ----------
    pairs: pandas.DataFrame
        One row a pair: `chrom`, `start_1`, `end_1`, `start_2` and `end_2` (0-based, half-open, in bp of the genome),
        and, where there are, `gene_name` and `strand` of the gene in whose window they lie.

    effect: str
        The column of effects, such as "epistasis".

    Returns
    -------
    links: pandas.DataFrame
        One row a row of `pairs`, in its order, with `LINK_COLUMNS`; both ends have the name and strand of the gene, or
        ".", and `kind` is "tile_pair". They have no direction.

    Raises
    ------
    ValueError
        As `cre_gene_links`.

    Examples
    --------
    >>> pairs = pd.DataFrame({"chrom": ["chr1"], "start_1": [0], "end_1": [50], "start_2": [70], "end_2": [120]})
    >>> links = tile_pair_links(pairs.assign(epistasis=-0.2), effect="epistasis")
    >>> list(links.itertuples(index=False, name=None))
    [('chr1', 0, 50, '.', '.', 'chr1', 70, 120, '.', '.', -0.2, 'tile_pair')]
    """
    check_columns(pairs, ["chrom", "start_1", "end_1", "start_2", "end_2", effect])
    chrom, named = chromosomes(pairs), [texts(pairs, "gene_name"), strands(pairs)]
    ends = [column for suffix in ("_1", "_2") for column in (chrom, *regions(pairs, suffix), *named)]
    columns = dict(zip(LINK_COLUMNS, [*ends, numbers(pairs, effect), "tile_pair"]))
    return pd.DataFrame(columns, index=pd.RangeIndex(len(pairs)))


def write_interact(
    links: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    name: str = "Links",
    description: str | None = None,
    directional: bool = True,
) -> Path:
    """Write links as arcs, in the `interact` format of UCSC, which IGV reads too.

    Format: https://genome.ucsc.edu/goldenPath/help/interact.html. Effects above 0 are drawn in the colour of
    enhancers and those below in that of silencers; the score is as in `write_cres`, `value` the effect itself and
    `exp` the kind. Sorted by chromosome as text, lowest start and highest end; links that tie keep their order. IGV
    goes by the ending: call the file `.interact`.

    Parameters
    ----------
    links: pandas.DataFrame
        As `cre_gene_links` and `tile_pair_links` give: `chrom`, `start`, `end`, `name` and `strand` of each end, with
        "_1" and "_2", `effect` and `kind`.

    path: str or path
        What is there already is replaced once the whole file is written.

    name: str, optional
        Of the track. Default is "Links".

    description: str or None, optional
        Of the track. None is `name`. Default is None.

    directional: bool, optional
        Whether 1 acts on 2, as a CRE on its gene; UCSC dashes arcs that go backwards. Otherwise the lower end comes
        first, and the track line says nothing of direction: UCSC takes `interactDirectional=false` for a yes. Default
        is True.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        As `cre_gene_links`, or if the ends of a link lie on two chromosomes.

    Examples
    --------
    >>> import tempfile
    >>> pairs = pd.DataFrame({"chrom": ["chr1"], "start_1": [70], "end_1": [120], "start_2": [0], "end_2": [50]})
    >>> links = tile_pair_links(pairs.assign(epistasis=-0.25, gene_name="MYC"), effect="epistasis")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_interact(links, Path(folder) / "pairs.interact", name="Pairs", directional=False).read_text())
    track type=interact name="Pairs" description="Pairs" visibility=full
    chr1 0 120 MYC/MYC 250 -0.25 tile_pair #0072B2 chr1 0 50 MYC . chr1 70 120 MYC .
    <BLANKLINE>
    """
    source, target, effect = _ends(links)
    apart = np.flatnonzero(source[0] != target[0])
    if len(apart):
        row = apart[0]
        raise ValueError(
            "links of this format must lie on one chromosome (write_bedpe takes others); got "
            f"{source[0][row]} and {target[0][row]} at row {row}."
        )
    if not directional:
        turned = (target[1] < source[1]) | ((target[1] == source[1]) & (target[2] < source[2]))
        source, target = (
            [np.where(turned, b, a) for a, b in zip(one, other)] for one, other in ((source, target), (target, source))
        )
    low, high = np.minimum(source[1], target[1]), np.maximum(source[2], target[2])
    kind = list(map(field, texts(links, "kind")))
    about = [_names(source[3], target[3]), scores(effect), effect, kind, sign_colors(effect)]
    direction = " interactDirectional=true" if directional else ""
    header = f"{track(name, description, 'interact')} visibility=full{direction}"
    return write_rows(path, header, [source[0], low, high, *about, *source, *target])


def write_bedpe(links: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write links as BEDPE, for bedtools and IGV, with an eleventh column `effect`.

    Format: https://bedtools.readthedocs.io/en/latest/content/general-usage.html#bedpe-format. The first line names the
    columns, as a comment. Ends are in the order of the table. Rows are sorted by both, and those that tie keep their
    order. The score is as in `write_cres`. Call the file `.bedpe`.

    Parameters
    ----------
    links: pandas.DataFrame
        As in `write_interact`, but the ends may lie on two chromosomes.

    path: str or path
        What is there already is replaced once the whole file is written.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        As `cre_gene_links`.

    Examples
    --------
    >>> import tempfile
    >>> pairs = pd.DataFrame({"chrom": ["chr1"], "start_1": [0], "end_1": [50], "start_2": [70], "end_2": [120]})
    >>> links = tile_pair_links(pairs.assign(epistasis=-0.25, gene_name="MYC", strand="+"), effect="epistasis")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_bedpe(links, Path(folder) / "pairs.bedpe").read_text())
    #chrom1 start1 end1 chrom2 start2 end2 name score strand1 strand2 effect
    chr1 0 50 chr1 70 120 MYC/MYC 250 + + -0.25
    <BLANKLINE>
    """
    one, other, effect = _ends(links)
    header = "#chrom1 start1 end1 chrom2 start2 end2 name score strand1 strand2 effect".replace(" ", "\t")
    about = [_names(one[3], other[3]), scores(effect), one[4], other[4], effect]
    return write_rows(path, header, [*one[:3], *other[:3], *about], keys=6)


def _ends(links: pd.DataFrame) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """`ENDS` of 1 and of 2, checked, and the effect."""
    check_columns(links, LINK_COLUMNS)
    one, other = (
        [
            chromosomes(links, f"chrom{suffix}"),
            *regions(links, suffix),
            np.array([field(text) for text in texts(links, f"name{suffix}")], dtype=object),
            strands(links, f"strand{suffix}"),
        ]
        for suffix in ("_1", "_2")
    )
    return one, other, numbers(links, "effect")


def _names(one: np.ndarray, other: np.ndarray) -> list[str]:
    """Names of links. The slash also keeps IGV from taking names that are all numbers for scores."""
    return ["." if a == b == "." else f"{a}/{b}" for a, b in zip(one, other)]
