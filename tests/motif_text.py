"""Convert simulated sequences to text and find motifs in it, without the package."""

from __future__ import annotations

import re

import torch

from tangermeme_creme.models.toy import MOTIFS, Element, motif_starts


def text_of(X: torch.Tensor) -> str:
    """Convert one-hot of shape (4, L) to text."""
    return "".join("ACGT"[code] for code in X.argmax(dim=0))


def reverse_complement(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def motifs_in(text: str) -> set[tuple[str, int]]:
    return {(kind, m.start()) for kind, motif in MOTIFS.items() for m in re.finditer(f"(?={motif})", text)}


def motifs_of(elements: list[Element]) -> set[tuple[str, int]]:
    return {(element.kind, start) for element in elements for start in motif_starts(element)}
