"""Compute distances from CREs to their TSS."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...sequence.genome import check_loci, region_columns
from ...support import check_columns


def distance_to_tss(cres: pd.DataFrame) -> pd.DataFrame:
    """Compute the distance of each CRE from its TSS, in the direction of transcription.

    Paper: Fig. 2d. Costs no forward pass.

    Parameters
    ----------
    cres: pandas.DataFrame
        `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), and `tss` (0-based base) and `strand` of
        the gene, as `tiles_to_genome` gives.

    Returns
    -------
    table: pandas.DataFrame
        A copy of `cres` with `distance`, from the TSS base to the middle of the CRE in bp (positive downstream, half
        bp if the length of the CRE is even), and `gap`, the number of bp between the TSS base and the CRE, 0 for a CRE
        that touches or holds its TSS.

    Raises
    ------
    ValueError
        If a column is missing or a row has no valid region or TSS; the message names the row.

    Examples
    --------
    >>> cres = pd.DataFrame({"chrom": "chr1", "start": 90, "end": 95, "tss": [100, 80], "strand": ["+", "-"]})
    >>> distance_to_tss(cres)[["distance", "gap"]].to_numpy().tolist()
    [[-8.0, 5.0], [-12.0, 9.0]]
    """
    check_columns(cres, ["chrom", "start", "end", "tss", "strand"])
    check_loci(cres, "cres")
    start, end = region_columns(cres)
    tss = cres["tss"].to_numpy(dtype=np.int64)
    forward = np.where(cres["strand"] == "+", 1, -1)
    gap = np.maximum(0, np.maximum(tss - end, start - tss - 1))
    return cres.assign(distance=forward * ((start + end - 1) / 2 - tss), gap=gap)
