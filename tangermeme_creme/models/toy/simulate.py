"""Simulate sequences for `RegulatoryToy`, and compute its predictions in closed form."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from .network import CELLS, MOTIFS, WEIGHTS, check_toy_settings

MOTIF_WIDTH = 16  # bp of every motif
COPY_PITCH = 24  # bp from the first base of a copy to that of the next


class Element(NamedTuple):
    """Describe an element: copies of one motif, one every 24 bp.

    `kind` is a key of `MOTIFS`, `start` the position of the first copy in bp, and `copies` the number of copies.

    Examples
    --------
    >>> Element("enhancer", 100, copies=3).end
    164
    """

    kind: str
    start: int
    copies: int = 1

    @property
    def end(self) -> int:
        """Return the position after the last base of the last copy, in bp."""
        return self.start + COPY_PITCH * (self.copies - 1) + MOTIF_WIDTH


def motif_starts(element: Element) -> list[int]:
    """List the position of the first base of each copy, in bp.

    >>> motif_starts(Element("enhancer", 100, copies=3))
    [100, 124, 148]
    """
    return [element.start + COPY_PITCH * copy for copy in range(element.copies)]


def moved(element: Element, offset: int) -> Element:
    """Move an element by `offset` bp, downstream when positive.

    >>> moved(Element("enhancer", 100), -40)
    Element(kind='enhancer', start=60, copies=1)
    """
    return element._replace(start=element.start + offset)


def within(elements: Iterable[Element], spans: Sequence[tuple[int, int]]) -> list[Element]:
    """Keep the motifs inside any of the 0-based half-open spans, as a sufficiency test does.

    Elements that are kept in part are returned as single motifs. ValueError if a span is empty or cuts a motif.

    >>> within([Element("promoter", 90), Element("enhancer", 200, copies=2)], [(190, 222)])
    [Element(kind='enhancer', start=200, copies=1)]
    """
    return _split(elements, spans, keep=True)


def without(elements: Iterable[Element], spans: Sequence[tuple[int, int]]) -> list[Element]:
    """Keep the motifs outside all of the 0-based half-open spans, as a necessity test does.

    Elements that are kept in part are returned as single motifs. ValueError if a span is empty or cuts a motif.

    >>> without([Element("promoter", 90), Element("enhancer", 200, copies=2)], [(190, 222)])
    [Element(kind='promoter', start=90, copies=1), Element(kind='enhancer', start=224, copies=1)]
    """
    return _split(elements, spans, keep=False)


def expected_activity(
    elements: Sequence[Element],
    *,
    length: int,
    bin_size: int = 128,
    response: str = "additive",
    basal: float = 1.0,
    ceiling: float = 20.0,
    reach: tuple[float, float] = (10_000, 20_000),
) -> np.ndarray:
    """Compute the activity that `RegulatoryToy` predicts at its TSS bin, from the elements and without the network.

    The expected activity in a necessity test of tile t is that of ``without(elements, [t])``, in a sufficiency test
    that of ``within(elements, [tss_tile, t])``. Without a promoter in the TSS bin the activity is 0. The settings are
    those of `RegulatoryToy`.

    Returns
    -------
    activity: numpy.ndarray, shape=(2,), dtype=float64
        Activity in cell types A and B.

    Raises
    ------
    ValueError
        If an element leaves the window or overlaps another, or a setting is invalid.

    Examples
    --------
    >>> elements = [Element("promoter", 8192), Element("enhancer_a", 12288, copies=2)]
    >>> expected_activity(elements, length=16384, reach=(1000, 4096)).round(4)   # 1 + 2 / e
    array([1.7358, 1.    ])
    """
    check_toy_settings(length, bin_size, response, basal, ceiling, reach)
    _check_elements(elements, length)
    respond: dict[str, Callable[[float], float]] = {
        "additive": lambda d: max(basal + d, 0.0),
        "multiplicative": lambda d: basal * math.exp(d),
        "saturating": lambda d: ceiling / (1 + (ceiling / basal - 1) * math.exp(-d)),
    }
    tss_bin = (length // 2) // bin_size
    is_open = False
    drive = [0.0] * len(CELLS)
    for element in elements:
        for start in motif_starts(element):
            distance = (start // bin_size - tss_bin) * bin_size
            is_open |= element.kind == "promoter" and distance == 0
            decay = math.exp(-distance / reach[1]) if distance >= 0 else math.exp(distance / reach[0])
            for cell in range(len(CELLS)):
                drive[cell] += WEIGHTS[element.kind][cell] * decay
    return np.array([respond[response](d) if is_open else 0.0 for d in drive])


def simulate_sequence(
    length: int, elements: Sequence[Element], *, random_state: int | np.random.Generator
) -> torch.Tensor:
    """Plant elements in a random background in which no CG occurs.

    CG is its own reverse complement and every motif has four CGs, so that the background holds no motif on either
    strand. A dinucleotide shuffle keeps the number of CGs but scatters them, so that it practically never makes a
    motif. Every CG of the sequence lies in a planted motif. The same seed gives the same sequence.

    Returns
    -------
    X: torch.Tensor, shape=(1, 4, length), dtype=torch.int8

    Raises
    ------
    ValueError
        If an element has an unknown kind or no copies, leaves the sequence or overlaps another; the message names the
        element.

    Examples
    --------
    >>> X = simulate_sequence(100, [Element("enhancer", 20)], random_state=0)
    >>> "".join("ACGT"[code] for code in X[0].argmax(dim=0))[20:36] == MOTIFS["enhancer"]
    True
    """
    codes = np.array(["ACGT".index(base) for base in plant(length, elements, random_state)])
    return torch.from_numpy((codes == np.arange(4)[:, None]).astype(np.int8))[None]


def _check_elements(elements: Sequence[Element], length: int) -> None:
    for index, element in enumerate(elements):
        got = f"got element {index}, {element}"
        if element.kind not in MOTIFS or element.copies < 1:
            raise ValueError(f"an element needs a kind ({', '.join(MOTIFS)}) and at least one copy; {got}")
        if element.start < 0 or element.end > length:
            raise ValueError(f"elements must lie in the {length} bp sequence; {got}")
        for other in elements[:index]:
            if other.start < element.end and element.start < other.end:
                raise ValueError(f"elements must not overlap; {got}, over {other}")


def _split(elements: Iterable[Element], spans: Sequence[tuple[int, int]], *, keep: bool) -> list[Element]:
    for index, (low, high) in enumerate(spans):
        if not 0 <= low < high:
            raise ValueError(f"spans must not be empty or negative; got span {index}, ({low}, {high})")
    kept: list[Element] = []
    for element in elements:
        starts = []
        for start in motif_starts(element):
            overlaps = [min(start + MOTIF_WIDTH, high) - max(start, low) for low, high in spans]
            for index, overlap in enumerate(overlaps):
                if 0 < overlap < MOTIF_WIDTH:
                    got = f"got span {index}, {tuple(spans[index])}, and the motif at {start} of {element}"
                    raise ValueError(f"spans must not cut a motif; {got}")
            if (MOTIF_WIDTH in overlaps) == keep:
                starts.append(start)
        all_copies = len(starts) == element.copies
        kept += [element] if all_copies else [Element(element.kind, start) for start in starts]
    return kept


def plant(length: int, elements: Sequence[Element], random_state: int | np.random.Generator) -> str:
    """Plant elements as `simulate_sequence` does, and return the sequence as text.

    >>> plant(40, [Element("enhancer", 20)], 0)[20:36] == MOTIFS["enhancer"]
    True
    """
    _check_elements(elements, length)
    rng = np.random.default_rng(random_state)
    planted = {(element.kind, start) for element in elements for start in motif_starts(element)}
    # The motifs are chosen so that the first draw passes; the scan checks this.
    while True:
        text = _background(length, rng)
        for kind, start in planted:
            text = text[:start] + MOTIFS[kind] + text[start + MOTIF_WIDTH :]
        if _scan(text) == planted and not _scan(reverse_complement(text)):
            return text


def _background(length: int, rng: np.random.Generator) -> str:
    codes = rng.integers(0, 4, length)
    # An A or a T instead of the G of each CG makes no new CG.
    sites = 1 + np.flatnonzero((codes[:-1] == 1) & (codes[1:] == 2))
    codes[sites] = rng.choice([0, 3], len(sites))
    return "".join("ACGT"[code] for code in codes)


def _scan(text: str) -> set[tuple[str, int]]:
    return {(kind, match.start()) for kind, motif in MOTIFS.items() for match in re.finditer(motif, text)}


def reverse_complement(text: str) -> str:
    """Reverse-complement A C G T.

    >>> reverse_complement("AACG")
    'CGTT'
    """
    return text.translate(str.maketrans("ACGT", "TGCA"))[::-1]
