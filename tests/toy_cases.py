"""Windows of the toy network with elements planted in them."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from tangermeme_creme.models.toy import (
    MOTIFS,
    Element,
    simulate_sequence,
)

LENGTH = 4096


TSS = LENGTH // 2


SLOT = 256


PROMOTER = Element("promoter", TSS)


MIXED = [
    PROMOTER,
    Element("enhancer", 300, copies=3),
    Element("silencer", 1000),
    Element("enhancer_a", 2600, copies=2),
    Element("enhancer_b", 3500, copies=5),
]


def sequence(elements: list[Element], random_state: int = 0, length: int = LENGTH) -> torch.Tensor:
    return simulate_sequence(length, elements, random_state=random_state).float()


@st.composite
def element_sets(draw: st.DrawFn) -> list[Element]:
    """Draw elements that do not overlap: at most one per slot, which holds six copies at any of its offsets."""
    elements = []
    for slot in draw(st.sets(st.integers(0, LENGTH // SLOT - 1), max_size=8)):
        kind = draw(st.sampled_from(sorted(MOTIFS)))
        copies = draw(st.integers(1, 6))
        elements.append(Element(kind, slot * SLOT + draw(st.integers(0, SLOT - 136)), copies))
    if draw(st.booleans()):
        elements = [e for e in elements if e.end <= TSS or e.start >= TSS + 16]
        elements.append(PROMOTER)
    return elements
