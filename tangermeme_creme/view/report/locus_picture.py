"""Draw every test of one locus on one axis of tiles: arrays in, SVG text out.

Classes in the style sheet of the page set colours and fonts, so that a picture follows light and dark. Each series is
one path, in units of one tile across and a tenth of a pixel down: a page may have a thousand pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from .row_types import BarRow, CurveRow, HeadingRow, MarkRow, OrderRow, Row, SpanRow

WIDTH, LEFT, RIGHT = 1000.0, 196.0, 986.0  # width of the picture, and where the axis begins and ends
_TICKS = 9  # about the largest number of ticks


@dataclass(frozen=True)
class Axis:
    """Places bp from the TSS along the width of the picture."""

    low: float
    high: float

    def x(self, position: float | np.ndarray) -> np.ndarray:
        return LEFT + (np.asarray(position, dtype=float) - self.low) / (self.high - self.low) * (RIGHT - LEFT)


@dataclass(frozen=True)
class Heights:
    """Places values along the height of a row that begins at `top`."""

    low: float
    high: float
    top: float
    height: float

    def y(self, value: float | np.ndarray) -> np.ndarray:
        return self.top + (self.high - np.asarray(value, dtype=float)) / (self.high - self.low) * self.height

    def tenths(self, value: np.ndarray, base: float) -> np.ndarray:
        """Write how many tenths of a pixel each value lies below the base. NaN and infinity give any number."""
        down = 10 * (self.y(value) - float(self.y(base)))
        return np.array([str(y) for y in np.nan_to_num(down).round().astype(int)], dtype=object)


def locus_svg(
    title: str, description: str, rows: Sequence[Row], *, window: tuple[int, int], tss_tile: tuple[int, int]
) -> str:
    """Draw rows below each other, over the distance to the TSS.

    Parameters
    ----------
    title, description: str
        For readers who cannot see the picture.

    rows: sequence of Row

    window, tss_tile: (int, int)
        In bp from the TSS.

    Returns
    -------
    svg: str
        One element without styles.

    Examples
    --------
    >>> tile = {"start": np.array([-50]), "end": np.array([0]), "kind": np.array(["enhancer"], dtype=object)}
    >>> rows = [BarRow("necessity", **tile, value=np.array([0.5]), low=np.array([0.4]), high=np.array([0.5]))]
    >>> svg = locus_svg("AAA", "one tile", rows, window=(-100, 100), tss_tile=(-25, 25))
    >>> svg[svg.index("<g ") : svg.index("</g>")]
    '<g transform="translate(393.5 54)scale(197.5 .1)"><path class="b enhancer" d="M0 0V-440h1V0"/>'
    """
    axis, top, drawn = Axis(*window), 10.0, []
    for row in rows:
        draw, height = _DRAWN[type(row)]
        drawn += draw(row, axis, top, height)
        top += height + _GAP
    left, right = axis.x(np.array(tss_tile)).tolist()
    parts = [
        f'<svg class="locus-svg" role="img" viewBox="0 0 {_n(WIDTH)} {_n(top + 34)}" width="{_n(WIDTH)}" '
        f'height="{_n(top + 34)}"><title>{escape(title)}</title><desc>{escape(description)}</desc>',
        f'<path class="tss" d="M{_n(left)} 4H{_n(right)}V{_n(top)}H{_n(left)}z"/>',
        *drawn,
        *_ticks(axis, top),
        "</svg>",
    ]
    return "".join(parts)


def _draw_heading(row: HeadingRow, axis: Axis, top: float, height: float) -> list[str]:
    return [f'<text class="h" y="{_n(top + height - 4)}">{escape(row.label)}</text>']


def _draw_bars(row: BarRow, axis: Axis, top: float, height: float) -> list[str]:
    heights = _heights([row.value, row.low, row.high], 0.0, top, height)
    known = np.isfinite(row.value)
    ends = known & np.isfinite(row.low) & np.isfinite(row.high)
    left, steps = _tile_units(row, axis, float(heights.y(0)), 0.5)
    place, _ = _tile_units(row, axis, float(heights.y(0)))
    value, low, high = (heights.tenths(values, 0.0) for values in (row.value, row.low, row.high))
    parts = [_label(row.label, top, height), *_scale_labels(heights, 0.0), left]
    for kind in dict.fromkeys(_kinds(row).tolist()):
        of_kind = known & (_kinds(row) == kind)
        path = "".join(f"M{x} 0V{y}h1V0" for x, y in zip(steps[of_kind], value[of_kind]))
        if path:
            parts.append(f'<path class="{_class("b", kind)}" d="{path}"/>')
    path = "".join(f"M{_joined(x, a)}V{b}" for x, a, b in zip(steps[ends], low[ends], high[ends]))
    parts += ["</g>", f'{place}<path class="i" d="{path}"/></g>' if path else ""]
    return [*parts, _line_across(float(heights.y(0)))]


def _tile_units(row: Row, axis: Axis, base: float, back: float = 0.0) -> tuple[str, np.ndarray]:
    """Open a group whose units are one tile across and a tenth of a pixel down, and return the places of spans in it.

    The group begins at `base`, in the middle of the first span or `back` tiles before. For spans without a width, the
    smallest distance between two of them is the unit.
    """
    middle = (row.start + row.end) / 2
    between = np.diff(np.unique(middle))
    step = float(row.end[0] - row.start[0]) or float(min(between, default=1.0))
    scale = step * (RIGHT - LEFT) / (axis.high - axis.low)
    place = f"translate({_n(float(axis.x(middle[0] - back * step)))} {_n(base)})scale({scale:.4g} .1)"
    steps = np.array([f"{number:.4g}" for number in (middle - middle[0]) / step], dtype=object)
    return f'<g transform="{place}">', steps


def _joined(x: str, y: str) -> str:
    """Join two numbers of a path. A minus sign separates them as well as a space."""
    return f"{x}{y}" if y.startswith("-") else f"{x} {y}"


def _draw_marks(row: MarkRow, axis: Axis, top: float, height: float) -> list[str]:
    parts, middle = [_label(row.label, top, height)], axis.x((row.start + row.end) / 2)
    for kind in dict.fromkeys(_kinds(row).tolist()):
        down = kind == "silencer"
        base, tip = (top + 1, top + height - 1) if down else (top + height - 1, top + 1)
        path = "".join(
            f"M{_n(x - 5)} {_n(base)}H{_n(x + 5)}L{_n(x)} {_n(tip)}z" for x in middle[_kinds(row) == kind].tolist()
        )
        parts.append(f'<path class="{_class("f", kind)}" d="{path}"/>')
    return parts


def _draw_order(row: OrderRow, axis: Axis, top: float, height: float) -> list[str]:
    middle = axis.x((row.start + row.end) / 2)[:9].tolist()
    digits = "".join(str(k + 1) for k in range(len(middle)))  # one x per digit
    places = " ".join(map(_n, middle))
    return [_label(row.label, top, height), f'<text class="o" x="{places}" y="{_n(top + height - 3)}">{digits}</text>']


def _draw_spans(row: SpanRow, axis: Axis, top: float, height: float) -> list[str]:
    parts, left = [_label(row.label, top, height)], axis.x(row.start)
    width = np.maximum(axis.x(row.end) - left, 1.0)
    for kind in dict.fromkeys(_kinds(row).tolist()):
        of_kind = _kinds(row) == kind
        path = "".join(
            f"M{_n(x)} {_n(top + 1)}h{_n(w)}v{_n(height - 2)}h-{_n(w)}z" for x, w in zip(left[of_kind], width[of_kind])
        )
        parts.append(f'<path class="{_class("f", kind)}" d="{path}"/>')
    return parts


def _draw_curves(row: CurveRow, axis: Axis, top: float, height: float) -> list[str]:
    heights = _heights([row.value], row.base, top, height)
    parts = [_label(row.label, top, height), *_scale_labels(heights, row.base)]
    place, steps = _tile_units(row, axis, float(heights.y(row.base)))
    value = heights.tenths(row.value, row.base)
    parts.append(place)
    for line in dict.fromkeys(row.line.tolist()):
        points = np.flatnonzero((row.line == line) & np.isfinite(row.value))
        points = points[np.argsort(row.start[points], kind="stable")]
        if len(points):
            path = "L".join(_joined(x, y) for x, y in zip(steps[points], value[points]))
            parts.append(f'<path class="{_class("c", _kinds(row)[points[0]])}" d="M{path}"/>')
    return [*parts, "</g>", _line_across(float(heights.y(row.base)))]


def _ticks(axis: Axis, top: float) -> list[str]:
    """Draw round numbers of kb under the axis, and a line at the TSS."""
    span = (axis.high - axis.low) / 1000
    raw = span / _TICKS
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(float(k * power) for k in (1, 2, 5, 10) if k * power >= raw * 0.999)
    ticks = np.arange(np.ceil(axis.low / 1000 / step), np.floor(axis.high / 1000 / step) + 1) * step
    x = axis.x(ticks * 1000).tolist()
    path = "".join(f"M{_n(place)} {_n(top)}v4" for place in x)
    zero = _n(float(axis.x(0)))
    return [
        f'<path class="g" d="M{zero} 4V{_n(top)}"/>',
        f'<path class="z" d="M{_n(LEFT)} {_n(top)}H{_n(RIGHT)}{path}"/>',
        *(
            f'<text class="t m" x="{_n(place)}" y="{_n(top + 16)}">{tick:g}</text>'
            for place, tick in zip(x, ticks + 0.0)
        ),
        f'<text class="t m" x="{_n((LEFT + RIGHT) / 2)}" y="{_n(top + 31)}">distance to the TSS (kb)</text>',
    ]


def _heights(values: Sequence[np.ndarray], base: float, top: float, height: float) -> Heights:
    """Return a scale that includes its base and all finite values."""
    known = np.concatenate([np.array([base]), *(np.asarray(part, dtype=float).ravel() for part in values)])
    known = known[np.isfinite(known)]
    low, high = float(known.min()), float(known.max())
    return Heights(low, high if high > low else low + 1.0, top, height)


def _scale_labels(heights: Heights, base: float) -> list[str]:
    """Label the ends of a scale, and its base if there is room between them."""
    places = {heights.high: heights.top + 8, heights.low: heights.top + heights.height}
    middle = float(heights.y(base)) + 4
    if all(abs(middle - y) > 10 for y in places.values()):
        places[base] = middle
    return [f'<text class="t e" x="{_n(LEFT - 6)}" y="{_n(y)}">{short(value)}</text>' for value, y in places.items()]


def short(value: float) -> str:
    """Write a number to two or three digits.

    Examples
    --------
    >>> short(0.98765), short(-0.30), short(651.3), short(0.0)
    ('0.99', '-0.3', '651', '0')
    """
    return f"{value:.0f}" if 100 <= abs(value) < 1e5 else f"{value + 0.0:.2g}"


def _label(text: str, top: float, height: float) -> str:
    return f'<text class="l" y="{_n(top + height / 2 + 4)}">{escape(text)}</text>'


def _line_across(y: float) -> str:
    return f'<path class="z" d="M{_n(LEFT)} {_n(y)}H{_n(RIGHT)}"/>'


def _kinds(row: Row) -> np.ndarray:
    return row.kind if len(row.kind) else np.full(len(row.start), "", dtype=object)


def _class(name: str, kind: str) -> str:
    return escape(f"{name} {kind}".strip())


def _n(value: float) -> str:
    """Write one decimal, and none if it is 0."""
    return f"{value + 0.0:.1f}".removesuffix(".0")


_GAP = 10.0
_DRAWN: dict[type[Row], tuple[Callable[..., list[str]], float]] = {
    HeadingRow: (_draw_heading, 22.0),
    BarRow: (_draw_bars, 44.0),
    MarkRow: (_draw_marks, 11.0),
    OrderRow: (_draw_order, 12.0),
    SpanRow: (_draw_spans, 10.0),
    CurveRow: (_draw_curves, 34.0),
}
