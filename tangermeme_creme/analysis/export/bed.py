"""Write called CREs and kept bases as BED."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ...sequence.genome import chrom_column, number_column, region_columns, strand_column, text_column
from ...support import check_columns
from .browser_fields import CRE_COLORS, bed_scores, cre_classes, one_field, rgb, track_line, write_rows


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
    rows that tie keep their order. IGV recognizes the format by the extension `.bed`.

    Parameters
    ----------
    cres: pandas.DataFrame
        One row per CRE: `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), `cre` ("enhancer",
        "silencer" or "neutral") and optionally `strand` and `gene_name`. In tables from `call_cres`, `cre` is None for
        tiles that are not called: leave these rows out, or fill in "neutral".

    path: str or path
        An existing file is replaced after the new file is complete.

    effect: str
        Column of effects. The score is 1000 times the absolute effect, at most 1000, so that files can be compared.

    name: str, optional
        Name of the track. Default is "CREs".

    description: str or None, optional
        Description of the track. None is `name`. Default is None.

    labels: str or None, optional
        Column of names. None is "gene_name:cre", or `cre` without a gene. White space in names becomes "_", because
        UCSC reads it as the end of a field. Default is None.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        If a column is missing, or a chromosome, position, strand, class or effect cannot be written (NaN and infinite
        effects cannot be written); the message gives the row, counted from 0, and the value.

    Examples
    --------
    >>> import tempfile
    >>> cres = pd.DataFrame({"chrom": "chr1", "start": [900, 0], "end": [950, 50], "cre": ["silencer", "enhancer"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_cres(cres.assign(over_wt=[-0.5, 1.2]), Path(folder) / "cres.bed", effect="over_wt")
    ...     print(path.read_text())
    track name="CREs" description="CREs" visibility=pack itemRgb="On"
    chr1  0    50   enhancer  1000  .  0    50   224,102,28
    chr1  900  950  silencer  500   .  900  950  0,114,178
    <BLANKLINE>
    """
    check_columns(cres, ["chrom", "start", "end", "cre", effect, *([labels] if labels is not None else [])])
    chrom, (start, end), cre = chrom_column(cres), region_columns(cres), cre_classes(cres)
    if labels is not None:
        names = list(text_column(cres, labels))
    else:
        names = [kind if gene == "." else f"{gene}:{kind}" for gene, kind in zip(text_column(cres, "gene_name"), cre)]
    colors = [rgb(CRE_COLORS[kind]) for kind in cre]
    score = bed_scores(number_column(cres, effect))
    columns = [chrom, start, end, list(map(one_field, names)), score, strand_column(cres), start, end, colors]
    # UCSC can shade by score (useScore) or colour by item, but not both.
    return write_rows(path, f'{track_line(name, description)} visibility=pack itemRgb="On"', columns)


def write_kept(
    kept: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    name: str = "Kept bases",
    description: str | None = None,
    effect: str | None = None,
) -> Path:
    """Write the bases that a fine-tile search kept as BED6.

    Format: https://genome.ucsc.edu/FAQ/FAQformat.html#format1. Rows are sorted as in `write_cres`. The extension should
    be `.bed`.

    Parameters
    ----------
    kept: pandas.DataFrame
        One row per span: `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), `example` (the name of
        the span) and optionally `strand`. (`kept_frame` of a result is in bp of the window.)

    path: str or path
        An existing file is replaced after the new file is complete.

    name: str, optional
        Name of the track. Default is "Kept bases".

    description: str or None, optional
        Description of the track. None is `name`. Default is None.

    effect: str or None, optional
        Column of effects, for the score as in `write_cres`; browsers shade by the score. None gives all spans a score
        of 1000. Default is None.

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
    chrom, (start, end) = chrom_column(kept), region_columns(kept)
    score = np.full(len(kept), 1000) if effect is None else bed_scores(number_column(kept, effect))
    shade = "" if effect is None else " useScore=1"
    columns = [chrom, start, end, list(map(one_field, text_column(kept, "example"))), score, strand_column(kept)]
    return write_rows(path, f"{track_line(name, description)} visibility=pack{shade}", columns)
