"""Name the weights and tracks of the published models that the CREME paper used."""

from __future__ import annotations

ENFORMER_TRACKS: dict[str, int] = {"PC-3": 4824, "GM12878": 5110, "K562": 5111}
"""CAGE tracks of the paper's cell lines in Enformer's human head."""

BORZOI_TRACKS: dict[str, tuple[int, int]] = {"PC-3": (298, 299), "GM12878": (870, 871), "K562": (872, 873)}
"""CAGE tracks of the paper's cell lines in Borzoi's human head, both strands. The paper gives no track numbers: its
analysis code selects the CAGE tracks of Borzoi's target table with the descriptions "PC-3", ``GM12878 ENCODE, biol_``
and ``K562 ENCODE, biol_``."""

BORZOI_WEIGHTS = tuple(f"johahi/borzoi-replicate-{i}" for i in range(4))
"""Names of Borzoi's four replicates on the Hugging Face hub; the paper averages them (Methods, "Borzoi")."""
