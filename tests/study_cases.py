"""A small study: four simulated genes, and a network whose every answer is known."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from tangermeme_creme.engine.incremental import IncrementalModel
from tangermeme_creme.models import PeakReadout
from tangermeme_creme.models.toy import RegulatoryToy, simulate_genome, write_genome
from tangermeme_creme.study import StudyError, run_study
from tangermeme_creme.study.spec import StudySpec, spec_from_dict
from tangermeme_creme.support import Section, toml_text

SectionT = TypeVar("SectionT", bound=Section)

LENGTH, TILE = 8192, 1024
HERE = Path(__file__).parent
TRACKS = ("A", "B")


class _AtTSS(torch.nn.Module):
    """The multiplicative response at the TSS, with the same bits on every machine.

    The weights of distances are multiples of 1/1024, so that sums are exact in float32 whatever their order: matrix
    products of libraries may round otherwise in another batch, and do so with AVX2. The exponential is rounded once,
    from float64.
    """

    kernel: torch.Tensor

    def __init__(self, toy: RegulatoryToy) -> None:
        super().__init__()
        self.head, self.bin = toy.head, toy.tss_bin
        self.register_buffer("kernel", (toy.head.kernel[:, self.bin] * 1024).round() / 1024)

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        drive = (self.head.weight @ counts) @ self.kernel
        gate = counts[:, self.head.promoter, self.bin, None].clamp(max=1)
        return (gate * self.head.basal * drive.double().exp()).to(counts.dtype)


class _LogAtTSS(_AtTSS):
    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        return super().forward(counts).clamp(min=2.0**-20).log()  # of nothing as well


class _SlowAtTSS(_AtTSS):
    def __init__(self, toy: RegulatoryToy, seconds: float) -> None:
        super().__init__(toy)
        self.seconds = seconds

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        time.sleep(self.seconds)
        return super().forward(counts)


class _HeldAtTSS(_AtTSS):
    """Waits, while a file is there, once the log beside the file has some shards."""

    def __init__(self, toy: RegulatoryToy, flag: str, shards: int) -> None:
        super().__init__(toy)
        self.flag, self.shards = Path(flag), shards

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        while self.flag.exists() and len(logged_shards(self.flag.parent)) >= self.shards:
            time.sleep(0.005)
        return super().forward(counts)


class _Breakable(torch.nn.Module):
    """Fails while a file is there: at windows with what is in it at their centre, and at all if nothing is in it."""

    def __init__(self, network: torch.nn.Module, flag: str) -> None:
        super().__init__()
        self.network, self.flag = network, Path(flag)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if self.flag.exists():
            bases = self.flag.read_text()
            start = X.shape[-1] // 2 - len(bases) // 2
            marker = torch.tensor([[base == row for base in bases] for row in "ACGT"], dtype=X.dtype)
            if (X[:, :, start : start + len(bases)] == marker).all(dim=(1, 2)).any():
                raise RuntimeError(f"no prediction around {bases!r}")
        return self.network(X)


def toy(length: int = LENGTH, scale: float = 1.0) -> torch.nn.Module:
    """The activity of the two cell types at the TSS."""
    network = RegulatoryToy(length, response="multiplicative", basal=scale)
    return IncrementalModel(network.local, _AtTSS(network))


def log_toy() -> torch.nn.Module:
    """The logarithm of `toy` at a scale on which about half of the predictions are negative."""
    network = RegulatoryToy(LENGTH, response="multiplicative", basal=0.5)
    return IncrementalModel(network.local, _LogAtTSS(network))


def toy_peaks() -> torch.nn.Module:
    """The activity of `toy` at the TSS, and where each track is highest."""
    network = RegulatoryToy(LENGTH, response="multiplicative")
    return PeakReadout(network, position=LENGTH // 2, bin_size=128, n_bins=LENGTH // 128, width=1)


def slow_toy(seconds: float = 0.0) -> torch.nn.Module:
    """`toy`, each batch of which takes some seconds more."""
    network = RegulatoryToy(LENGTH, response="multiplicative")
    return IncrementalModel(network.local, _SlowAtTSS(network, seconds))


def held_toy(flag: str, shards: int) -> torch.nn.Module:
    """`toy`, which waits while a file is there, once the log in the same folder has some shards."""
    network = RegulatoryToy(LENGTH, response="multiplicative")
    return IncrementalModel(network.local, _HeldAtTSS(network, flag, shards))


def breakable_toy(flag: str) -> torch.nn.Module:
    """`toy`, which fails while a file is there; it can not be split."""
    return _Breakable(toy(), flag)


class _Counts(torch.nn.Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, :2].float().sum(-1)


def counts() -> torch.nn.Module:
    """How many A and C there are, which no shuffle changes: every context is neutral."""
    return _Counts()


def not_a_model() -> str:
    """What no study can take."""
    return "a string"


def three_tracks() -> torch.nn.Module:
    """A model with an output too many."""
    return torch.nn.Sequential(torch.nn.AvgPool1d(LENGTH), torch.nn.Flatten(), torch.nn.Linear(4, 3))


QUICK = ("necessity", "sufficiency", "distance")


def small_spec(folder: Path, n_loci: int = 4, **sections: Any) -> StudySpec:
    """A spec over simulated genes in `folder`, of which sections can be given otherwise."""
    genome = folder / "genome"
    if not genome.exists():
        write_genome(simulate_genome(n_loci, length=LENGTH, tile_size=TILE, random_state=0), genome)
    content: dict[str, Any] = {
        "seed": 1,
        "out": str(folder / "study"),
        "model": {"adapter": "function", "function": "study_cases:toy", "tracks": list(TRACKS), "length": LENGTH},
        "loci": {"fasta": str(genome / "genome.fa"), "tss": str(genome / "genes.gtf"), "top": 10},
        "tiles": {"size": TILE},
        "context": {"n": 6},
        "tests": {
            "necessity": {"n": 6}, "sufficiency": {"n": 6}, "distance": {"n": 6}, "multiplicity": {"n": 2, "copies": 4},
            "higher_order": {"n": 2, "rounds": 3}, "set_sufficiency": {"n": 6}, "interactions": {"n": 6, "tiles": 3},
            "fine_tile": {"n": 2, "scales": [128, 32], "thresholds": [0.9, 0.7], "prune": [1, 2]},
        },
    }  # fmt: skip
    for name, section in sections.items():
        content[name] = {**content.get(name, {}), **section} if isinstance(section, dict) else section
    return spec_from_dict(content)


def changed(section: SectionT, **changes: Any) -> SectionT:
    """A section, or a whole spec, of which keys are given otherwise."""
    return section.model_copy(update=changes)


def table_bytes(folder: Path) -> dict[str, bytes]:
    """Every table of a study, as it is on the disk."""
    return {path.name: path.read_bytes() for path in sorted((folder / "tables").glob("*.parquet"))}


def write_toml(content: Mapping[str, Any], path: Path) -> Path:
    """Write nested dictionaries, of `spec_to_dict` say, as TOML; None is left out."""
    path.write_text(toml_text(content), encoding="utf-8")
    return path


def command(*arguments: str | Path) -> list[str]:
    """A process that runs the command line, and finds the models of this file."""
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); from tangermeme_creme._process import entry; entry()"
    return [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]


def file_bytes(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, by its path from there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def shard_lines(folder: Path) -> list[str]:
    """The lines of the manifest that are of shards."""
    lines = (folder / "manifest.jsonl").read_text().splitlines()
    return [line for line in lines if '"stage":' in line]


def logged_shards(folder: Path) -> list[str]:
    """The stage and examples of each shard, as often as the log says that it was stored."""
    log = folder / "log.txt"
    text = log.read_text() if log.exists() else ""
    return re.findall(r"^\d{4}-\S+ \S+ (\w+ .+): \d+ rows, ", text, re.MULTILINE)


def quick_spec(base: Path, out: Path, *, tests: dict[str, Any] | None = None, **sections: Any) -> StudySpec:
    """A spec of the quick tests, in a folder of its own beside the genome of `base`."""
    return small_spec(base, out=str(out), tests={"include": list(QUICK), **(tests or {})}, **sections)


def refused(spec: StudySpec, match: str) -> None:
    """Assert that a study is refused, and that it changes no file of its folder but the name of the writer."""
    before = file_bytes(Path(spec.out))
    with pytest.raises(StudyError, match=match):
        run_study(spec, folder=HERE, verbose=False)
    after = file_bytes(Path(spec.out))
    assert {**after, "writer.txt": b""} == {**before, "writer.txt": b""}
