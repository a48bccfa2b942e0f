"""The text of simulated sequences, and the motifs in it, found without the package."""

from __future__ import annotations

import re

import torch

from tangermeme_creme.models.toy import MOTIFS, Element, motif_starts


def text_of(X: torch.Tensor) -> str:
    """One-hot of shape (4, L) as text."""
    return "".join("ACGT"[code] for code in X.argmax(dim=0))


def reverse_complement(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def motifs_in(text: str) -> set[tuple[str, int]]:
    return {(kind, m.start()) for kind, motif in MOTIFS.items() for m in re.finditer(f"(?={motif})", text)}


def motifs_of(elements: list[Element]) -> set[tuple[str, int]]:
    return {(element.kind, start) for element in elements for start in motif_starts(element)}
