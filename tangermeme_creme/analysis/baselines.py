"""What the fine-tile search is compared with: attributions, motif hits and random bases."""

from __future__ import annotations

from ._attribution import captum_attribution
from ._motifs import motif_hits, motif_mask

__all__ = ["captum_attribution", "motif_hits", "motif_mask"]
