"""Run a study of a trained network and human sequence: the full analysis, from genes to tables.

    python examples/study_miniborzoi.py --data FOLDER --out OUT [--timed] [--dask local:2]

`examples/real_model.py` describes FOLDER. Writes OUT/genome.fa (the two FASTA files in one), OUT/genes.tsv (the genes,
with their places on the records of the FASTA) and OUT/study.toml, and runs this study: it selects the genes with the
highest predicted activity, and runs all nine tests on them. The activity is the sum of the sense CAGE tracks over the
four bins at the TSS. The same command resumes a stopped study. It prints the time and the head of each table.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd
import torch
from miniborzoi_tss import BIN, FIRST_BP, LENGTH, N_BINS, MiniBorzoiTSS
from real_model import cage_tracks, load_network
from real_windows import FASTAS, read_genes

from tangermeme_creme.cli import main as command
from tangermeme_creme.models import tss_bins
from tangermeme_creme.study import Study

TOML = """\
seed = 0
out = "study"

[model]
adapter = "function"
function = "study_miniborzoi:cage"
module_folder = "{here}"
arguments = {{ data = "{data}" }}
tracks = ["CAGE"]
length = 131072

[loci]
fasta = "genome.fa"
tss = "genes.tsv"
top = {top}

[context]
n = 20
preset = "borzoi"
enhancing = 0.5   # of the four most active genes the effects are 0.31 to 0.72

[cres]
preset = "borzoi"
enhancer = 0.1
silencer_contexts = ["enhancing", "silencing", "neutral"]
max_per_locus = 2

[tests]
necessity = {{ n = 6 }}
sufficiency = {{ n = 6 }}
distance = {{ n = 6 }}
multiplicity = {{ n = 6, copies = 5 }}
higher_order = {{ n = 6, rounds = 4, n_holdout = 6 }}
set_sufficiency = {{ n = 6 }}
interactions = {{ n = 6, tiles = 4 }}
fine_tile = {{ n = 6, score = "effect" }}
"""


def cage(data: str) -> torch.nn.Module:
    """Load the model of the study, shape (N, 1)."""
    bins = tss_bins(LENGTH // 2, bin_size=BIN, n_bins=N_BINS, first_bp=FIRST_BP, width=4)
    return MiniBorzoiTSS(load_network(Path(data)), tracks=cage_tracks(Path(data), "+"), bins=bins, summed=True)


def write_study(data: Path, out: Path, top: int) -> Path:
    """Write the input of the study, and return the path of its TOML file."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "genome.fa").write_text("".join((data / name).read_text() for name in FASTAS))
    genes = pd.concat([read_genes(data, name) for name in FASTAS], ignore_index=True)
    genes.assign(example=genes["gene_name"]).drop(columns="bp").to_csv(out / "genes.tsv", sep="\t", index=False)
    path = out / "study.toml"
    here = Path(__file__).resolve().parent
    path.write_text(TOML.format(data=data.resolve().as_posix(), here=here.as_posix(), top=top))
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the network and the windows")
    parser.add_argument("--out", type=Path, required=True, help="folder for the study")
    parser.add_argument("--top", type=int, default=4, help="number of genes (default: 4)")
    arguments, others = parser.parse_known_args()
    path = write_study(arguments.data, arguments.out, arguments.top)
    began = time.perf_counter()
    code = command(["run", str(path), *others])
    print(f"{time.perf_counter() - began:.0f} s")
    if code in (0, 1) and not {"--dry-run", "--timed"} & set(others):
        study = Study.open(arguments.out / "study")
        print(study.status().to_string(index=False))
        for name in study.tables:
            table = study.table(name)
            print(f"\n{name}: {len(table)} rows\n{table.head(3).to_string(float_format='%.4g')}")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
