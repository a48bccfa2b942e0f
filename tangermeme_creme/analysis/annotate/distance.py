"""How far from their TSS CREs lie."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...sequence.genome import check_loci, regions
from ...support import check_columns


def distance_to_tss(cres: pd.DataFrame) -> pd.DataFrame:
    """How far from its TSS each CRE lies, in the direction of transcription.

    Paper: Fig. 2d. Costs no forward pass.

    Parameters
    ----------
    cres: pandas.DataFrame
        `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), and `tss` (0-based base) and `strand` of
        the gene, as `tiles_to_genome` gives.

    Returns
    -------
    table: pandas.DataFrame
        A copy with `distance`, from the base of the TSS to the middle of the CRE in bp, downstream positive, in halves
        where the length is even; and `gap`, how many bp lie between the two, 0 for a CRE beside or over its TSS.

    Raises
    ------
    ValueError
        If a column is missing or a row is no region or no locus; the message names it.

    Examples
    --------
    >>> cres = pd.DataFrame({"chrom": "chr1", "start": 90, "end": 95, "tss": [100, 80], "strand": ["+", "-"]})
    >>> distance_to_tss(cres)[["distance", "gap"]].to_numpy().tolist()
    [[-8.0, 5.0], [-12.0, 9.0]]
    """
    check_columns(cres, ["chrom", "start", "end", "tss", "strand"])
    check_loci(cres, "cres")
    start, end = regions(cres)
    tss = cres["tss"].to_numpy(dtype=np.int64)
    forward = np.where(cres["strand"] == "+", 1, -1)
    gap = np.maximum(0, np.maximum(tss - end, start - tss - 1))
    return cres.assign(distance=forward * ((start + end - 1) / 2 - tss), gap=gap)
