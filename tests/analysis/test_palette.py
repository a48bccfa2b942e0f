"""Everyone tells the colours of categories apart, and exports have the same colours as figures."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tangermeme_creme.analysis import BASE_COLORS, CATEGORY_COLORS
from tangermeme_creme.analysis.export import CRE_COLORS

CONTEXTS = ("enhancing", "silencing", "neutral", "other")
CLASSES = ("superadditive", "subadditive", "additive", "ambiguous")
# Linear RGB as dichromats see it: Machado, Oliveira and Fernandes, 2009, severity 1.
DICHROMATS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def grey(color: str) -> float:
    return float(np.array(to_rgb(color)) @ [0.299, 0.587, 0.114])


def seen(color: str, matrix: list[list[float]]) -> np.ndarray:
    linear = np.array(matrix) @ np.array(to_rgb(color)) ** 2.2
    return linear.clip(0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("names", [CONTEXTS, CLASSES])
def test_colors_of_categories_differ_in_grey(names: tuple[str, ...]) -> None:
    gaps = {
        pair: abs(grey(CATEGORY_COLORS[pair[0]]) - grey(CATEGORY_COLORS[pair[1]])) for pair in combinations(names, 2)
    }
    assert min(gaps.values()) * 255 > 30, gaps


@pytest.mark.parametrize("names", [CONTEXTS, CLASSES])
@pytest.mark.parametrize("kind", DICHROMATS)
def test_the_colour_blind_tell_categories_apart(kind: str, names: tuple[str, ...]) -> None:
    colors = {name: seen(CATEGORY_COLORS[name], DICHROMATS[kind]) for name in names}
    gaps = {pair: np.linalg.norm(colors[pair[0]] - colors[pair[1]]) for pair in combinations(names, 2)}
    assert min(gaps.values()) > 0.15, gaps


def test_one_kind_has_one_color() -> None:
    assert CATEGORY_COLORS["enhancing"] == CATEGORY_COLORS["enhancer"] == CATEGORY_COLORS["positive"]
    assert CATEGORY_COLORS["silencing"] == CATEGORY_COLORS["silencer"] == CATEGORY_COLORS["negative"]


def test_exports_have_the_colors_of_figures() -> None:
    assert {kind: CATEGORY_COLORS[kind] for kind in CRE_COLORS} == CRE_COLORS
    assert set(CRE_COLORS) == {"enhancer", "silencer", "neutral"}


def test_bases_have_a_color_each() -> None:
    assert len(set(BASE_COLORS.values())) == 4 and list(BASE_COLORS) == list("ACGT")
