"""Make tables of links from CREs to genes and between tiles, and write links to files for genome browsers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ...sequence.genome import chrom_column, number_column, position_column, region_columns, strand_column, text_column
from ...support import check_columns
from .browser_fields import bed_scores, cre_classes, one_field, sign_colors, track_line, write_rows

_END_COLUMNS = ("chrom", "start", "end", "name", "strand")
LINK_COLUMNS = (*(f"{name}_1" for name in _END_COLUMNS), *(f"{name}_2" for name in _END_COLUMNS), "effect", "kind")


def cre_gene_links(cres: pd.DataFrame, *, effect: str) -> pd.DataFrame:
    """Make links from CREs to the TSS of their gene, for `write_interact` and `write_bedpe`.

    Parameters
    ----------
    cres: pandas.DataFrame
        One row per CRE and gene: `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), `tss` (0-based
        base), `strand` and `gene_name` of the gene, and optionally `cre` ("enhancer", "silencer", "neutral").

    effect: str
        Column of effects.

    Returns
    -------
    links: pandas.DataFrame
        One row per row of `cres`, in its order, with `LINK_COLUMNS`. End 1 is the CRE, with its class or "CRE" as the
        name and without strand; end 2 is the TSS base, with the gene as the name; `kind` is "cre_gene".

    Raises
    ------
    ValueError
        If a column is missing, or a chromosome, position, strand, class or effect cannot be written (NaN and infinite
        effects cannot be written); the message gives the row, counted from 0, and the value.

    Examples
    --------
    >>> cres = pd.DataFrame({"chrom": ["chr1"], "start": [100], "end": [150], "tss": [900], "strand": ["-"]})
    >>> links = cre_gene_links(cres.assign(gene_name="MYC", over_wt=0.4), effect="over_wt")
    >>> list(links.drop(columns=["chrom_1", "chrom_2", "kind"]).itertuples(index=False, name=None))
    [(100, 150, 'CRE', '.', 900, 901, 'MYC', '-', 0.4)]
    """
    check_columns(cres, ["chrom", "start", "end", "tss", "strand", "gene_name", effect])
    chrom, (start, end), tss = chrom_column(cres), region_columns(cres), position_column(cres, "tss")
    names = cre_classes(cres) if "cre" in cres.columns else "CRE"
    cre_end = [chrom, start, end, names, "."]
    gene_end = [chrom, tss, tss + 1, text_column(cres, "gene_name"), strand_column(cres)]
    columns = dict(zip(LINK_COLUMNS, [*cre_end, *gene_end, number_column(cres, effect), "cre_gene"]))
    return pd.DataFrame(columns, index=pd.RangeIndex(len(cres)))


def tile_pair_links(pairs: pd.DataFrame, *, effect: str) -> pd.DataFrame:
    """Make links between tiles that were perturbed together, for `write_interact` and `write_bedpe`.

    Parameters
    ----------
    pairs: pandas.DataFrame
        One row per pair: `chrom`, `start_1`, `end_1`, `start_2` and `end_2` (0-based, half-open, in bp of the genome),
        and optionally `gene_name` and `strand` of the gene in whose window the tiles lie.

    effect: str
        Column of effects, for example "epistasis".

    Returns
    -------
    links: pandas.DataFrame
        One row per row of `pairs`, in its order, with `LINK_COLUMNS`; both ends have the name and strand of the gene,
        or ".", and `kind` is "tile_pair". These links have no direction.

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
    chrom, named = chrom_column(pairs), [text_column(pairs, "gene_name"), strand_column(pairs)]
    ends = [column for suffix in ("_1", "_2") for column in (chrom, *region_columns(pairs, suffix), *named)]
    columns = dict(zip(LINK_COLUMNS, [*ends, number_column(pairs, effect), "tile_pair"]))
    return pd.DataFrame(columns, index=pd.RangeIndex(len(pairs)))


def write_interact(
    links: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    name: str = "Links",
    description: str | None = None,
    directional: bool = True,
) -> Path:
    """Write links as arcs, in the `interact` format of UCSC, which IGV also reads.

    Format: https://genome.ucsc.edu/goldenPath/help/interact.html. Effects above 0 are drawn in the colour of
    enhancers, effects below 0 in the colour of silencers. The score is as in `write_cres`, `value` is the effect and
    `exp` the kind. Rows are sorted by chromosome as text, lowest start and highest end; links that tie keep their
    order. IGV recognizes the format by the extension `.interact`.

    Parameters
    ----------
    links: pandas.DataFrame
        Links from `cre_gene_links` or `tile_pair_links`: `chrom`, `start`, `end`, `name` and `strand` of both ends,
        with "_1" and "_2", `effect` and `kind`.

    path: str or path
        An existing file is replaced after the new file is complete.

    name: str, optional
        Name of the track. Default is "Links".

    description: str or None, optional
        Description of the track. None is `name`. Default is None.

    directional: bool, optional
        Whether end 1 acts on end 2, as a CRE on its gene; UCSC draws arcs that point backwards with dashes. With False,
        the lower end comes first, and the track line does not mention direction, because UCSC reads
        `interactDirectional=false` as true. Default is True.

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
    source, target, effect = _link_ends(links)
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
            [np.where(turned, b, a) for a, b in zip(first, second)]
            for first, second in ((source, target), (target, source))
        )
    low, high = np.minimum(source[1], target[1]), np.maximum(source[2], target[2])
    kind = list(map(one_field, text_column(links, "kind")))
    about = [_link_names(source[3], target[3]), bed_scores(effect), effect, kind, sign_colors(effect)]
    direction = " interactDirectional=true" if directional else ""
    header = f"{track_line(name, description, 'interact')} visibility=full{direction}"
    return write_rows(path, header, [source[0], low, high, *about, *source, *target])


def write_bedpe(links: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write links as BEDPE, for bedtools and IGV, with an eleventh column `effect`.

    Format: https://bedtools.readthedocs.io/en/latest/content/general-usage.html#bedpe-format. The first line names
    the columns, as a comment. Ends are in the order of the table. Rows are sorted by both ends; rows that tie keep
    their order. The score is as in `write_cres`. The extension should be `.bedpe`.

    Parameters
    ----------
    links: pandas.DataFrame
        As in `write_interact`, but the ends may lie on two chromosomes.

    path: str or path
        An existing file is replaced after the new file is complete.

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
    first, second, effect = _link_ends(links)
    header = "#chrom1 start1 end1 chrom2 start2 end2 name score strand1 strand2 effect".replace(" ", "\t")
    about = [_link_names(first[3], second[3]), bed_scores(effect), first[4], second[4], effect]
    return write_rows(path, header, [*first[:3], *second[:3], *about], keys=6)


def _link_ends(links: pd.DataFrame) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Check links, and return the columns of end 1, the columns of end 2 and the effect."""
    check_columns(links, LINK_COLUMNS)
    first, second = (
        [
            chrom_column(links, f"chrom{suffix}"),
            *region_columns(links, suffix),
            np.array([one_field(text) for text in text_column(links, f"name{suffix}")], dtype=object),
            strand_column(links, f"strand{suffix}"),
        ]
        for suffix in ("_1", "_2")
    )
    return first, second, number_column(links, "effect")


def _link_names(first: np.ndarray, second: np.ndarray) -> list[str]:
    """Name links by their ends. The slash also prevents IGV from reading names that are numbers as scores."""
    return ["." if a == b == "." else f"{a}/{b}" for a, b in zip(first, second)]
