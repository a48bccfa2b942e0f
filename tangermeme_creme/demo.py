"""The demo: a study of a simulated genome, compared with the elements that were planted in it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import torch
from matplotlib.figure import Figure

from ._recovery import Demo, Recovered, recovered
from .engine.incremental import IncrementalModel
from .models.toy import CELLS, RegulatoryToy, simulate_genome, write_genome
from .study.run import run_study
from .study.spec import StudySpec, read_spec
from .study.tables import Study, export_study
from .support import printable, replace_file
from .view.plots import CATEGORY_COLORS, plot_greedy_trace, plot_tile_effects
from .view.report import write_page

LENGTH, TILE = 65_536, 5_000
SATURATING = tuple(f"{cell} saturating" for cell in CELLS)
CEILING = 50.0  # of the saturating response

_TOML = """\
# Written by tangermeme-creme demo. Run it again with: tangermeme-creme run study.toml
seed = {seed}
out = "study_{seed}"

[model]
adapter = "function"
function = "tangermeme_creme.demo:toy_model"
arguments = {{ length = {length} }}
tracks = {tracks}
length = {length}

[loci]
fasta = "genome.fa"
tss = "genes.gtf"

[tiles]
size = {tile}

[context]
n = 20

[tests]
necessity = {{ n = 6 }}
sufficiency = {{ n = 6 }}
distance = {{ n = 6 }}
multiplicity = {{ n = 5, copies = 6 }}
higher_order = {{ n = 5, rounds = 3, n_holdout = 5, tracks = {multiplicative} }}
set_sufficiency = {{ n = 6 }}
interactions = {{ n = 6, tiles = 12, tracks = {multiplicative} }}
fine_tile = {{ n = 5, compare = ["saliency", "random"], draws = 3 }}

[run]
threads = 1  # a network this small is slower on several
"""


class _Responses(torch.nn.Module):
    """Applies a multiplicative and a saturating response to the same motif counts, in the bin of the TSS."""

    def __init__(self, toys: list[RegulatoryToy]) -> None:
        super().__init__()
        self.heads = torch.nn.ModuleList(toy.head for toy in toys)
        self._bin = toys[0].tss_bin

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        return torch.cat([head(counts)[:, self._bin] for head in self.heads], dim=1)


def toy_model(length: int) -> IncrementalModel:
    """Make the network of the demo, shape (N, 4): both cell types with a multiplicative and a saturating response.

    >>> toy_model(1024)(torch.zeros(1, 4, 1024)).shape
    torch.Size([1, 4])
    """
    toys = [
        RegulatoryToy(length, response="multiplicative"),
        RegulatoryToy(length, response="saturating", ceiling=CEILING),
    ]
    return IncrementalModel(toys[0].local, _Responses(toys))


def run_demo(out: Path, *, seed: int = 0, verbose: bool = True) -> int:
    """Simulate a genome, study it, write tables, a figure and a page to `out`, and print what each test recovers.

    Parameters
    ----------
    out: Path
        Folder for genome.fa, genes.gtf, truth.bed, loci.tsv, study.toml, the folder of the study with tracks and the
        page, which needs the extra `report`, its tables as CSV and the figure. Made if needed.

    seed: int, optional
        Seed of the genome and the shuffles. Default is 0.

    verbose: bool, optional
        Whether to show progress. Default is True.

    Returns
    -------
    code: int
        0, or 1 if a strong planted element was missed.

    Raises
    ------
    StudyError
        If `out` has a demo of another version of this package.
    """
    began = time.perf_counter()
    genome = simulate_genome(4, length=LENGTH, tile_size=TILE, random_state=seed)
    write_genome(genome, out)
    spec = _spec(out, seed)
    distal = sum(len(elements) - 1 for elements in genome.elements.values())
    print(printable(f"simulated {len(genome.loci)} genes with {distal} distal elements in {out}"))
    study = run_study(spec, folder=out, verbose=verbose)
    tables = [path for path in export_study(study, out / "tables", ["csv"]) if path.suffix == ".csv"]
    demo = Demo(genome, study, LENGTH, TILE, CEILING)
    _figure(demo, study, out / "tile_effects.png")
    made = f"{len(tables)} tables and tile_effects.png in {out}"
    export_study(study, formats=["bed", "bedgraph", "interact"])
    try:
        made += f"; report: {write_page(study)}"
    except ImportError as error:
        made += f"; no report: {error}"
    return _print_recovered(recovered(demo), made, time.perf_counter() - began)


def _spec(out: Path, seed: int) -> StudySpec:
    text = _TOML.format(
        seed=seed, length=LENGTH, tile=TILE, tracks=json.dumps([*CELLS, *SATURATING]), multiplicative=json.dumps(CELLS)
    )
    return read_spec(replace_file(out / "study.toml", lambda temporary: temporary.write_text(text)))


def _print_recovered(rows: list[Recovered], where: str, seconds: float) -> int:
    print(f"\n{'test':<24}{'recovered':>12}  what")
    for row in rows:
        print(f"{row.test:<24}{f'{row.found}/{row.of}':>12}  {row.what}")
    missed = [f"{row.test}: {name}" for row in rows for name in row.missed]
    print(printable(f"\n{where}; {seconds:.0f} s"))
    if missed:
        print("missed strong elements:\n  " + "\n  ".join(missed))
    return int(bool(missed))


def _figure(demo: Demo, study: Study, path: Path) -> None:
    effects, traces = study.tile_effects(), study.table("higher_order")
    effects = effects[effects["track"].isin(CELLS)]
    figure = Figure(figsize=(12, 2.6 * len(demo.examples)), layout="constrained")
    axes = figure.subplots(len(demo.examples), 3, sharex="col", squeeze=False)
    titles = ("necessity: (WT - MUT) / WT", "sufficiency: (MUT - CONTROL) / CONTROL", "greedy search")
    for i, (row, (example, gene)) in enumerate(zip(axes, demo.examples.items())):
        for ax, effect in zip(row, ("necessity", "over_control")):
            plot_tile_effects(effects[effects["example"] == example], ax, effect=effect, center=LENGTH // 2)
            for k, element in enumerate(sorted(demo.genome.elements[gene][1:], key=lambda e: e.start)):
                middle = ((element.start + element.end) / 2 - LENGTH // 2) / 1000
                ax.axvline(middle, color="#888888", linewidth=0.8, linestyle=":")
                place = {"xy": (middle, 1.02 + 0.09 * (k % 2)), "xycoords": ("data", "axes fraction")}
                ax.annotate(f"{element.kind} x{element.copies}", fontsize=7, ha="center", **place)
        if len(traces):
            of_locus = traces[(traces["example"] == example) & (traces["track"] == CELLS[0])]
            of_locus = of_locus.rename(columns={"y_wt": "y_start", "y_mut": "y_selected"})
            for direction in ("min", "max"):
                one = of_locus[of_locus["direction"] == direction]
                plot_greedy_trace(one, row[2], label=direction, color=CATEGORY_COLORS[direction])
        row[0].set_ylabel(gene)
        row[1].set_ylabel("")
        row[2].set_ylabel(f"fold change over WT, cell {CELLS[0]}")
        for ax, title in zip(row, titles):
            if i == 0:
                ax.set_title(title, pad=32)
            if i < len(demo.examples) - 1:
                ax.set_xlabel("")
    axes[0][0].legend(title="cell type", fontsize=7)
    axes[0][2].legend(title="direction", fontsize=7)
    axes[0][2].set_xticks(range(4))
    replace_file(path, lambda temporary: figure.savefig(temporary, format="png", dpi=120))
