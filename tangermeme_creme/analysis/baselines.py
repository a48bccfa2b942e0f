"""What the fine-tile search is compared with: attributions, motif hits and random bases."""

from __future__ import annotations

from ._attribution import captum_attribution
from ._motifs import motif_hits, motif_mask
from ._retention import RetentionResult, random_ranking, retention_curve

__all__ = [
    "RetentionResult",
    "captum_attribution",
    "motif_hits",
    "motif_mask",
    "random_ranking",
    "retention_curve",
]
