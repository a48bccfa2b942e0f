"""FASTA files, and one-hot windows as text."""

from __future__ import annotations

from pathlib import Path

import torch


def write_fasta(path: Path, sequences: dict[str, str], columns: int = 7) -> Path:
    lines = [
        f">{name} some words\n" + "".join(f"{text[i : i + columns]}\n" for i in range(0, len(text), columns))
        for name, text in sequences.items()
    ]
    path.write_text("".join(lines))
    return path


def text_of(x: torch.Tensor) -> str:
    return "".join("ACGT"[column.index(1)] if any(column) else "N" for column in x.T.tolist())
