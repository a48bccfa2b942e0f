"""README's code runs as it stands, on a smaller window."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import tangermeme_creme as creme
from tangermeme_creme.models.genome import simulate_genome, write_genome
from tangermeme_creme.models.toy import RegulatoryToy

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_readme_example_runs_on_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    length, tile = 16_384, 1_024
    genome = simulate_genome(2, length=length, tile_size=tile, random_state=0)
    write_genome(genome, tmp_path)
    torch.save(RegulatoryToy(length), tmp_path / "model.pt")
    rows = (f"{chrom}\t{tss}\t{tss + 1}\n" for chrom, tss in genome.loci[["chrom", "tss"]].itertuples(index=False))
    (tmp_path / "tss.bed").write_text("".join(rows))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(BLOCKS[0].replace("196_608", str(length)).replace("5000", str(tile)), names)
    N, T = 2, len(names["tiles"])
    assert names["effect"].shape == (N, T, length // 128, 2)
    assert len(names["table"]) == N * T * 10 * (length // 128) * 2


def test_readme_readout_runs() -> None:
    class Enformer(torch.nn.Module):
        def forward(self, X: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"human": torch.ones(len(X), 896, 5313)}

    names: dict[str, Any] = {"enformer": Enformer()}
    exec(BLOCKS[1], names)
    assert names["bins"] == (447, 448)
    assert names["cage"](torch.zeros(1, 4, 10)).shape == (1, 1)


def test_readme_names_every_operator() -> None:
    text = README.read_text()
    assert all(f"`{name}(" in text for name in creme.__all__)
