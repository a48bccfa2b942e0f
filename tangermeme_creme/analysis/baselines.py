"""What the fine-tile search is compared with: attributions, motif hits and random bases."""

from __future__ import annotations

from ._attribution import captum_attribution

__all__ = ["captum_attribution"]
