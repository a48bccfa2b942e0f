"""Convert figures to images of a page: SVG that follows light and dark, with the same bytes every time."""

from __future__ import annotations

import base64
import io
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ..figures import StudyFigure
from ..plots import INK

_DARK_INK = "#e6e6e6"
# The user's own settings of matplotlib must not change the page of a study.
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tangermeme_creme",
    "svg.image_inline": True,
}
_STYLE = (
    f"<style>svg{{color:{INK}}}@media (prefers-color-scheme: dark){{svg{{color:{_DARK_INK}}}}}"
    f"@media print{{svg{{color:{INK}}}}}</style>"
)
# Two or more markers of one kind after each other.
_MARKERS = re.compile(
    r'(<use xlink:href="[^"]*") x="[^"]*" y="[^"]*" (style="[^"]*")/>(?:\1 x="[^"]*" y="[^"]*" \2/>)+'
)


@dataclass(frozen=True)
class Image:
    """A figure of the page, with its size in CSS pixels."""

    name: str
    title: str
    caption: str
    alt: str
    source: str
    width: int
    height: int


def image_of(figure: StudyFigure) -> Image:
    """Convert a figure to an image whose source holds its data."""
    width, height = (round(96 * inches) for inches in figure.figure.get_size_inches())
    data = base64.b64encode(svg_of(figure.figure).encode()).decode()
    source = f"data:image/svg+xml;base64,{data}"
    return Image(figure.name, figure.title, figure.caption, figure.alt, source, width, height)


def svg_of(figure: Figure) -> str:
    """Convert a figure to SVG with a transparent background, and with light ink if the reader's page is dark.

    Examples
    --------
    >>> figure = Figure()
    >>> _ = figure.text(0.5, 0.5, "text", color=INK)
    >>> svg = svg_of(figure)
    >>> svg == svg_of(figure), svg.startswith("<svg "), "fill: currentColor" in svg, svg.count(INK)
    (True, True, True, 2)
    """
    text = _printed(figure)
    svg = _compact(text[text.index("<svg ") :]).replace(INK, "currentColor")
    return re.sub(r"(<svg [^>]*>)", lambda match: match[1] + _STYLE, svg, count=1)


def _printed(figure: Figure) -> str:
    """Draw a figure once; `Figure.savefig` draws twice what has a layout, for the same bytes."""
    buffer = io.StringIO()
    with matplotlib.rc_context(_SETTINGS), ExitStack() as undo:
        undo.callback(figure.set_canvas, figure.canvas)
        undo.callback(figure.set_dpi, figure.dpi)
        for patch in (figure.patch, *(ax.patch for ax in figure.findobj(Axes))):
            undo.callback(patch.set_facecolor, patch.get_facecolor())
            patch.set_facecolor("none")
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _compact(svg: str) -> str:
    """Halve the size of an SVG: paths to a hundredth of a point, no metadata, no indents."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(?<= d=\")[^\"]*(?=\")", lambda match: _rounded(" ".join(match[0].split())), svg)
    svg = re.sub(r"(?<= [xy]=\")[^\"]*(?=\")", lambda match: _rounded(match[0]), svg)
    svg = re.sub(r">\s+<", "><", svg)
    return _MARKERS.sub(_together, svg)


def _together(match: re.Match[str]) -> str:
    """Put markers of one style into a group that has the style."""
    style = f" {match[2]}"
    return f"<g{style}>{match[0].replace(style, '')}</g>"


def _rounded(numbers: str) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", numbers)
