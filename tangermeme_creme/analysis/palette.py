"""Colours of categories and bases, the same in figures, pages and exported tracks.

Categories that raise expression are orange, those that lower it blue. Readers who are colour-blind tell the colours
apart, and their greys differ by 30 of 255 or more.
"""

from __future__ import annotations

_UP, _DOWN, _NO_EFFECT, _OTHER = "#E0661C", "#0072B2", "#A6A6A6", "#DCCFE6"
CATEGORY_COLORS = {
    "enhancing": _UP, "enhancer": _UP, "positive": _UP, "min": _UP,
    "silencing": _DOWN, "silencer": _DOWN, "negative": _DOWN, "max": _DOWN,
    "neutral": _NO_EFFECT, "none": _NO_EFFECT, "other": _OTHER,
    "superadditive": "#00664A", "subadditive": "#B8860B", "additive": _NO_EFFECT, "ambiguous": _OTHER,
    "multiplicative": _NO_EFFECT, "nonmultiplicative": "#00664A",
}  # fmt: skip
BASE_COLORS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
