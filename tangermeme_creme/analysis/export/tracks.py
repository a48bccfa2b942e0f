"""Files of regions for genome browsers: called CREs, kept bases, and effects along the genome."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from figwig import BigWigWriter

from ...sequence import check_count
from ...sequence.genome import chromosomes, match_chroms, numbers, regions, strands, texts
from ...support import check_columns, replace_file
from .browser_fields import CRE_COLORS, classes, field, rgb, scores, track, write_rows
from .stretches import Stretches, check_combine, disjoint


def write_cres(
    cres: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    effect: str,
    name: str = "CREs",
    description: str | None = None,
    labels: str | None = None,
) -> Path:
    """Write called enhancers and silencers as BED9, in the colour of their class.

    Format: https://genome.ucsc.edu/FAQ/FAQformat.html#format1. Rows are sorted by chromosome as text, start and end;
    those that tie keep their order. IGV goes by the ending: call the file `.bed`.

    Parameters
    ----------
    cres: pandas.DataFrame
        One row a CRE: `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), `cre` ("enhancer",
        "silencer" or "neutral") and, where there are, `strand` and `gene_name`. `call_cres` leaves `cre` of tiles that
        it does not call at None: leave those out, or fill in "neutral".

    path: str or path
        What is there already is replaced once the whole file is written.

    effect: str
        The column of effects. The score is 1000 times the absolute effect, at most 1000, so that files can be compared.

    name: str, optional
        Of the track. Default is "CREs".

    description: str or None, optional
        Of the track. None is `name`. Default is None.

    labels: str or None, optional
        The column of names. None is "gene_name:cre", or `cre` alone. White space in names becomes "_", for UCSC takes
        it for the end of a field. Default is None.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        If a column is missing, or a chromosome, position, strand, class or effect cannot be written (NaN and infinite
        effects cannot); the message has the row, counted from 0, and the value.

    Examples
    --------
    >>> import tempfile
    >>> cres = pd.DataFrame({"chrom": "chr1", "start": [900, 0], "end": [950, 50], "cre": ["silencer", "enhancer"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_cres(cres.assign(over_wt=[-0.5, 1.2]), Path(folder) / "cres.bed", effect="over_wt")
    ...     print(path.read_text())
    track name="CREs" description="CREs" visibility=pack itemRgb="On"
    chr1  0    50   enhancer  1000  .  0    50   213,94,0
    chr1  900  950  silencer  500   .  900  950  0,114,178
    <BLANKLINE>
    """
    check_columns(cres, ["chrom", "start", "end", "cre", effect, *([labels] if labels is not None else [])])
    chrom, (start, end), cre = chromosomes(cres), regions(cres), classes(cres)
    if labels is not None:
        names = list(texts(cres, labels))
    else:
        names = [kind if gene == "." else f"{gene}:{kind}" for gene, kind in zip(texts(cres, "gene_name"), cre)]
    colors = [rgb(CRE_COLORS[kind]) for kind in cre]
    score = scores(numbers(cres, effect))
    columns = [chrom, start, end, list(map(field, names)), score, strands(cres), start, end, colors]
    # UCSC shades by score (useScore) or colours by item, not both.
    return write_rows(path, f'{track(name, description)} visibility=pack itemRgb="On"', columns)


def write_kept(
    kept: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    name: str = "Kept bases",
    description: str | None = None,
    effect: str | None = None,
) -> Path:
    """Write the bases that a fine-tile search kept as BED6.

    Format: https://genome.ucsc.edu/FAQ/FAQformat.html#format1. Sorted as `write_cres` sorts; call the file `.bed`.

    Parameters
    ----------
    kept: pandas.DataFrame
        One row a span: `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), `example`, the name, and,
        where there is one, `strand`. (`kept_frame` of a result is in bp of the window.)

    path: str or path
        What is there already is replaced once the whole file is written.

    name: str, optional
        Of the track. Default is "Kept bases".

    description: str or None, optional
        Of the track. None is `name`. Default is None.

    effect: str or None, optional
        A column of effects, for the score as in `write_cres`; the browser shades by it. None gives 1000 to all.
        Default is None.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        As `write_cres`.

    Examples
    --------
    >>> import tempfile
    >>> kept = pd.DataFrame({"chrom": ["chrX"], "start": [7], "end": [17], "strand": ["-"], "example": ["GATA1"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_kept(kept, Path(folder) / "kept.bed").read_text())
    track name="Kept bases" description="Kept bases" visibility=pack
    chrX  7  17  GATA1  1000  -
    <BLANKLINE>
    """
    check_columns(kept, ["chrom", "start", "end", "example", *([effect] if effect is not None else [])])
    chrom, (start, end) = chromosomes(kept), regions(kept)
    score = np.full(len(kept), 1000) if effect is None else scores(numbers(kept, effect))
    shade = "" if effect is None else " useScore=1"
    columns = [chrom, start, end, list(map(field, texts(kept, "example"))), score, strands(kept)]
    return write_rows(path, f"{track(name, description)} visibility=pack{shade}", columns)


def write_bedgraph(
    effects: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    value: str,
    combine: str | None = None,
    name: str | None = None,
    description: str | None = None,
) -> Path:
    """Write effects of tiles along the genome as bedGraph.

    Format: https://genome.ucsc.edu/goldenPath/help/bedgraph.html. Values read back equal, those of a float32 column as
    float32. Sorted by chromosome as text and start; call the file `.bedgraph`.

    Parameters
    ----------
    effects: pandas.DataFrame
        One row a tile: `chrom`, `start` and `end` (0-based, half-open, in bp of the genome) and `value`.

    path: str or path
        What is there already is replaced once the whole file is written.

    value: str
        The column of values. Rows where it is NaN are left out.

    combine: "mean", "extreme" or None, optional
        What a base has that several tiles cover, of several genes or tracks: the mean, or the value that is largest in
        absolute terms (of equals the positive one). Tiles are cut where others start and end; stretches of one value
        are not merged. None takes no overlap, which the format cannot hold. Default is None.

    name: str or None, optional
        Of the track. None is `value`. Default is None.

    description: str or None, optional
        Of the track. None is `name`. Default is None.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        If a column is missing, a chromosome or position cannot be written, a value is infinite or no number, `combine`
        is none of those, or it is None and tiles overlap; the message has the row, counted from 0, and the value.

    Examples
    --------
    >>> import tempfile
    >>> tiles = pd.DataFrame({"chrom": "chr1", "start": [0, 30], "end": [50, 80], "necessity": [0.1, -0.3]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_bedgraph(tiles, Path(folder) / "a.bedgraph", value="necessity", combine="extreme")
    ...     print("".join(path.read_text().splitlines(True)[1:]))
    chr1  0   30  0.1
    chr1  30  50  -0.3
    chr1  50  80  -0.3
    <BLANKLINE>
    """
    chrom, start, end, values = _stretches(effects, value, combine)
    kind = getattr(effects[value].dtype, "numpy_dtype", effects[value].dtype)  # that of pandas' own Float32
    written = values.astype(kind) if isinstance(kind, np.dtype) and kind.kind == "f" else values
    up, down = rgb(CRE_COLORS["enhancer"]), rgb(CRE_COLORS["silencer"])
    header = f"{track(value if name is None else name, description, 'bedGraph')} visibility=full"
    return write_rows(path, f"{header} color={up} altColor={down} alwaysZero=on", [chrom, start, end, written])


def write_bigwig(
    effects: pd.DataFrame,
    path: str | os.PathLike[str],
    chrom_sizes: Mapping[str, int] | pd.Series,
    *,
    value: str,
    combine: str | None = None,
) -> Path:
    """Write effects of tiles along the genome as bigWig, through figwig.

    Format: https://genome.ucsc.edu/goldenPath/help/bigWig.html. Values are rounded to float32, and those that are 0 are
    written too. Call the file `.bw`.

    Parameters
    ----------
    effects: pandas.DataFrame
        As in `write_bedgraph`.

    path: str or path
        What is there already is replaced once the whole file is written.

    chrom_sizes: mapping of str to int, or pandas.Series
        The length in bp of every chromosome of the genome. The file has its order and
        its names; "chr1" and "1" are one.

    value: str
        The column of values. Rows where it is NaN are left out.

    combine: "mean", "extreme" or None, optional
        As in `write_bedgraph`. Default is None.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        As `write_bedgraph`, or if a tile leaves its chromosome or lies on one that is not in `chrom_sizes`, a length is
        below 1, a value is beyond float32, or no value is left: readers take no bigWig without one.

    Examples
    --------
    >>> import tempfile
    >>> from figwig import BigWigReader
    >>> tiles = pd.DataFrame({"chrom": "chr1", "start": [0, 50], "end": [50, 80], "necessity": [0.5, 0.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_bigwig(tiles, Path(folder) / "a.bw", {"chr1": 100}, value="necessity")
    ...     BigWigReader(path).read("chr1", [48], 4, missing=-1).tolist()
    [[0.5, 0.5, 0.0, 0.0]]
    """
    chrom, start, end, values = _stretches(effects, value, combine)
    sizes = {str(chromosome): size for chromosome, size in chrom_sizes.items()}
    for chromosome, size in sizes.items():
        check_count(f"chrom_sizes of {chromosome}", size)
    known = match_chroms(chromosomes(effects), sizes)
    for row, (chromosome, stop) in enumerate(zip(chromosomes(effects), regions(effects)[1])):
        if chromosome not in known:
            raise ValueError(f"chrom must be in chrom_sizes; got {chromosome!r} at row {row}.")
        size = sizes[known[chromosome]]
        if stop > size:
            raise ValueError(f"end must be at most {size} on {chromosome}; got {stop} at row {row}.")
    beyond = np.flatnonzero(np.abs(numbers(effects, value, missing=True)) > np.finfo(np.float32).max)
    if len(beyond):
        row = beyond[0]
        raise ValueError(f"{value} must be within float32; got {effects[value].iloc[row]} at row {row}.")
    if not len(values):
        raise ValueError(f"{value} must have a value that is not NaN for a bigWig; got {len(effects)} rows without.")

    def write(temporary: Path) -> None:
        with BigWigWriter(temporary, sizes, n_jobs=1) as writer:
            # Unless told, figwig takes 0 for missing.
            writer.write([known[name] for name in chrom], start, values, ends=end, missing=np.nan)

    return replace_file(Path(path), write)


def _stretches(effects: pd.DataFrame, value: str, combine: str | None) -> Stretches:
    check_combine(combine)
    check_columns(effects, ["chrom", "start", "end", value])
    return disjoint(chromosomes(effects), *regions(effects), numbers(effects, value, missing=True), combine)
