"""Test that the code of README and docs/ runs unchanged, on smaller windows and models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bioframe
import figwig
import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_creme as creme
from tangermeme_creme.engine import IncrementalModel
from tangermeme_creme.models import Readout
from tangermeme_creme.models.toy import Element, RegulatoryToy, simulate_genome, simulate_sequence, write_genome
from tangermeme_creme.sequence import tile_grid
from tangermeme_creme.sequence.genome import read_tss

ROOT = Path(__file__).parents[1]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


class Network(torch.nn.Module):
    """Predict with a stem, a tower, and a head that mixes all bins."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv1d(4, 6, 9, padding=4)
        self.tower = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Conv1d(6, 6, 3, padding=1), torch.nn.MaxPool1d(8))
        self.head = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6 * 128, 2))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.head(self.tower(self.stem(X)))


def own_names() -> dict[str, Any]:
    torch.manual_seed(0)
    X = random_one_hot((1, 4, 1024), random_state=0).float()
    return {
        "network": Network().eval(),
        "X": X,
        "tiles": [(0, 100), (500, 600)],
        "necessity_test": creme.necessity_test,
    }


def test_readme_example_runs_on_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    length, tile = 16_384, 1_024
    genome = simulate_genome(2, length=length, tile_size=tile, random_state=0)
    write_genome(genome, tmp_path)
    torch.save(RegulatoryToy(length), tmp_path / "model.pt")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(blocks("README.md")[0].replace("196_608", str(length)).replace("5000", str(tile)), names)
    N, T = 2, len(names["tiles"])
    assert names["effect"].shape == (N, T, length // 128, 2)
    assert len(names["table"]) == N * T * 10 * (length // 128) * 2


def test_readme_readout_runs() -> None:
    class Profile(torch.nn.Module):
        def forward(self, X: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"human": torch.ones(len(X), 896, 5313)}

    names: dict[str, Any] = {"model": Profile()}
    exec(blocks("README.md")[1], names)
    assert names["bins"] == (447, 448)
    assert names["cage"](torch.zeros(1, 4, 10)).shape == (1, 1)


def test_readme_adapters_take_the_packages_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load small models under the names of the published weights, without a download."""
    borzoi_pytorch = pytest.importorskip("borzoi_pytorch", reason="borzoi-pytorch is not installed")
    import enformer_pytorch

    asked = []

    def small_enformer(name: str, **kwargs: Any) -> Any:
        asked.append(name)
        return enformer_pytorch.Enformer.from_hparams(dim=48, depth=1, heads=4, attn_dim_key=8, dim_divisible_by=8)

    def small_borzoi(name: str, **kwargs: Any) -> Any:
        asked.append(name)
        sizes = {"dim": 48, "depth": 1, "heads": 2, "attn_dim_key": 8, "attn_dim_value": 16}
        return borzoi_pytorch.Borzoi.from_hparams(**sizes), {"missing_keys": []}

    monkeypatch.setattr(enformer_pytorch, "from_pretrained", small_enformer)
    monkeypatch.setattr(borzoi_pytorch.Borzoi, "from_pretrained", small_borzoi)
    names: dict[str, Any] = {}
    exec(blocks("README.md")[2], names)
    assert asked == ["EleutherAI/enformer-official-rough", *(f"johahi/borzoi-replicate-{i}" for i in range(4))]
    assert isinstance(names["borzoi"], IncrementalModel)
    with torch.no_grad():
        assert names["enformer"].eval()(torch.zeros(1, 4, 196_608)).shape == (1, 3)


def test_readme_split_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names = own_names()
    exec(blocks("README.md")[3], names)
    assert names["y_mut"].shape == (1, 2, 10, 2)
    assert "21 predictions, 1 in full and 20 in part" in capsys.readouterr().out


def toy_names() -> dict[str, Any]:
    """Make two genes of a simulated genome, and a network that reads them."""
    length, tile = 16_384, 1_024
    elements = [[Element("promoter", length // 2), Element(kind, 6_200, 4)] for kind in ("enhancer", "silencer")]
    toy = RegulatoryToy(length, response="multiplicative", basal=100.0, ceiling=200.0, reach=(1e6, 1e6))
    tss_tile, tiles = tile_grid(length, tile)
    return {
        "model": Readout(toy, bins=[toy.tss_bin]),
        "X": torch.cat([simulate_sequence(length, layout, random_state=0) for layout in elements]),
        "genes": ["UP", "DOWN"],
        "tss_tile": tss_tile,
        "tiles": tiles[3:8],
        "cres": tiles[5:6].expand(2, 2),
        "sufficiency_test": creme.sufficiency_test,
    }


def test_readme_findings_run(capsys: pytest.CaptureFixture[str]) -> None:
    names = toy_names()
    exec(blocks("README.md")[4], names)
    assert names["sure"][["example", "track"]].to_numpy().tolist() == [[0, 0], [0, 1]]
    assert "over_wt_holdout" in capsys.readouterr().out


def test_page_on_findings_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names = toy_names()
    for block in blocks("docs/findings.md"):
        exec(block, names)
    assert names["contexts"]["context"].tolist() == ["enhancing"] * 2 + ["silencing"] * 2
    assert capsys.readouterr().out == "[10, 10] [True, True]\n"
    assert names["cres"][["example", "cre"]].drop_duplicates().to_numpy().tolist() == [
        ["UP", "enhancer"], ["DOWN", "silencer"],
    ]  # fmt: skip
    assert names["kinds"][["example", "interaction"]].to_numpy().tolist() == [["UP", "additive"], ["DOWN", "additive"]]
    assert set(names["pairs"]["interaction"]) == {"none"}


def test_readme_genome_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    length, tile = 16_384, 1_024
    genome_files(tmp_path, length, tile)
    monkeypatch.chdir(tmp_path)
    toy = RegulatoryToy(length, response="multiplicative")
    tss = read_tss("genes.gtf")
    called = pd.DataFrame(
        {"example": ["SIM1", "SIM2"], "start": 0, "end": tile, "cre": "enhancer", "over_control": 0.5}
    )
    names = {
        "model": Readout(toy, bins=[toy.tss_bin]),
        "tss": tss,
        "loci": tss.set_index("gene_name"),
        "called": called,
    }
    exec(blocks("README.md")[5].replace("196_608", str(length)), names)
    assert names["active"].groupby("track")["gene_name"].nunique().tolist() == [8, 8]
    assert len((tmp_path / "cres.bed").read_text().splitlines()) == 3


def test_readme_fine_mapping_runs() -> None:
    names = toy_names()
    exec(blocks("README.md")[7], names)
    assert names["fewest"].loc["search", "UP"] < names["fewest"].loc["random", "UP"]
    assert names["fewest"].columns.tolist() == ["DOWN", "UP"]


def test_own_model_example_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import own_model

    monkeypatch.setattr(own_model, "LENGTH", 16_384)
    own_model.main()
    in_full, in_part, gap = capsys.readouterr().out.splitlines()
    assert " 0 in part" in in_full
    assert " 0 in full" not in in_full
    assert " 0 in part" not in in_part
    assert float(gap.split()[-1]) < 1e-5


def test_readme_names_every_operator() -> None:
    text = (ROOT / "README.md").read_text()
    assert all(f"`{name}(" in text for name in creme.__all__)


def genome_files(folder: Path, length: int, tile: int) -> None:
    """Write a simulated genome of eight genes, with tracks, elements, repeats and experiments on it."""
    genome = simulate_genome(8, length=length, tile_size=tile, random_state=0)
    paths = write_genome(genome, folder)
    paths["truth"].rename(folder / "atlas.bed")
    truth = genome.truth.drop_duplicates(["chrom", "start"])
    sizes = {chrom: len(text) for chrom, text in genome.sequences.items()}
    distal = truth[truth["kind"] != "promoter"]
    values = distal["kind"].str.startswith("enhancer") * 9.0 + 1
    bigwig = figwig.BigWigWriter(folder / "H3K27ac.bw", sizes)
    with bigwig as file:
        file.write(distal["chrom"].tolist(), distal["start"].tolist(), values.tolist(), ends=distal["end"].tolist())
    rmsk = "585\t463\t13\t6\t17\t{}\t{}\t{}\t-9\t+\tAluY\tSINE\tAlu\t1\t471\t0\t1\n"
    (folder / "rmsk.txt").write_text("".join(rmsk.format(chrom, 100, size - 100) for chrom, size in sizes.items()))
    pairs = distal.rename(columns={"start": "chromStart", "end": "chromEnd", "gene_name": "measuredGeneSymbol"})
    pairs = pairs.assign(Regulated=distal["kind"].str.startswith("enhancer"), EffectSize=-0.2)
    pairs.to_csv(folder / "crispri.tsv", sep="\t", index=False)


def test_page_on_genomes_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    length, tile = 16_384, 1_024
    genome_files(tmp_path, length, tile)
    monkeypatch.chdir(tmp_path)
    toy = RegulatoryToy(length, response="multiplicative")
    names: dict[str, Any] = {"model": Readout(toy, bins=[toy.tss_bin])}
    for block in blocks("docs/genome.md"):
        exec(block.replace("196_608", str(length)).replace("5000", str(tile)), names)
    assert names["X"].shape == (8, 4, length) and set(names["loci"]["gene_name"]) == {f"SIM{i}" for i in range(1, 9)}
    cres = names["cres"]
    truth = pd.read_csv("atlas.bed", sep="\t", header=None)
    planted = {"enhancer": "enhancer", "silencer": "silencer"}
    for row in cres.itertuples():
        inside = truth[(truth[0] == row.chrom) & (truth[1] >= row.start) & (truth[2] <= row.end)]
        assert any(kind.startswith(planted[row.cre]) for kind in inside[3])
    assert set(cres["cre"]) == {"enhancer", "silencer"} and (names["neutral"]["cre"] == "neutral").all()
    assert names["tests"]["log2_fold"].tolist() == pytest.approx([np.log2(10)])
    assert (names["repeats"]["percent"] == 100).all()
    assert names["result"].summary["gain"][0] > 0
    assert len(bioframe.read_table("cres.bed", schema="bed9", skiprows=1)) == len(cres)
    assert {"effects.bedgraph", "effects.bw", "links.interact", "links.bedpe"} <= {
        path.name for path in tmp_path.iterdir()
    }
    motifs = truth[(truth[0] == names["cre"]["chrom"]) & truth[3].str.startswith("enhancer")]
    kept = bioframe.read_table("kept.bed", schema="bed6", skiprows=1)
    spans = ((kept["start"], kept["end"]), (motifs[1], motifs[2]))
    bases = [{p for a, b in zip(start, end) for p in range(a, b)} for start, end in spans]
    assert len(bases[0] & bases[1]) > len(bases[0]) / 2
    assert "auprc" in capsys.readouterr().out
