"""Everyone can read a page: its structure, its labels and its contrast."""

from __future__ import annotations

import re
from itertools import pairwise

from tangermeme_creme.view.plots import CATEGORY_COLORS


def test_it_can_be_read_by_all(page):
    assert page.one("html").attrs["lang"] == "en" and "<title>study: a CREME study</title>" in page.html
    assert len(page.all("main")) == len(page.all("nav")) == len(page.all("header")) == len(page.all("h1")) == 1
    ids = [e.attrs["id"] for e in page.elements if "id" in e.attrs]
    assert len(ids) == len(set(ids))
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", page.html)]
    assert levels[0] == 1 and all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert all(e.attrs["aria-labelledby"] in ids for e in page.all("section"))
    assert all(e.attrs.get("tabindex") == "0" and e.attrs["aria-label"] for e in page.all("div", role="region"))
    named = {e.attrs["for"] for e in page.all("label")}
    assert all(e.attrs["id"] in named for e in page.all("input"))
    assert all("scope" in e.attrs for e in page.all("th"))
    assert page.html.count("<caption>") == page.html.count("<table>")


def luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_are_far_enough_apart_in_light_and_dark(page):
    css = page.one("style").text
    for block in re.findall(r":root \{([^}]*--page[^}]*)\}", css):
        colors = dict(re.findall(r"--(\w+): (#\w{6})", block))
        for behind in ("page", "panel"):
            assert all(contrast(colors[name], colors[behind]) >= 4.5 for name in ("ink", "muted", "link"))
            assert all(contrast(colors[name], colors[behind]) >= 3 for name in ("edge", "bar"))
        assert all(contrast(CATEGORY_COLORS[kind], colors["page"]) >= 3 for kind in ("enhancer", "silencer"))
    assert len(re.findall(r":root \{[^}]*--page", css)) == 3  # light, dark and print
