"""The published models of the CREME paper: which weights and tracks it used."""

from __future__ import annotations

ENFORMER_TRACKS: dict[str, int] = {"PC-3": 4824, "GM12878": 5110, "K562": 5111}
"""The CAGE tracks of the paper's cell lines, in Enformer's human head."""

BORZOI_TRACKS: dict[str, tuple[int, int]] = {"PC-3": (298, 299), "GM12878": (870, 871), "K562": (872, 873)}
"""CAGE of the paper's cell lines, both strands. The paper gives no numbers: its analysis code takes the CAGE tracks
described as "PC-3", ``GM12878 ENCODE, biol_`` and ``K562 ENCODE, biol_``, which are these in Borzoi's target table."""

BORZOI_WEIGHTS = tuple(f"johahi/borzoi-replicate-{i}" for i in range(4))
"""Names on the Hugging Face hub of Borzoi's four replicates, which the paper averages (Methods, "Borzoi")."""
