"""Extract windows around real genes, and test whether a trained network predicts their TSS at the annotated place.

    python examples/real_windows.py --data FOLDER

`examples/real_model.py` describes FOLDER. The window of each gene is read from its record, centred on the TSS and
reverse-complemented on '-', so that the CAGE tracks of '+' are the sense tracks. Positions beyond the record are padded
with N. The table is sorted by activity (the sum of the tracks, mean of the four bins around the TSS). It has the part
of the window that lies on the record, and the distance in bp from the TSS to the highest prediction in the 65,536 bp
that the network predicts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import torch
from miniborzoi_tss import BIN, FIRST_BP, LENGTH, N_BINS
from real_model import cage_tracks, load_network

from tangermeme_creme.models import PeakReadout
from tangermeme_creme.operators import predict_activity
from tangermeme_creme.sequence.genome import chrom_sizes, read_tss, tiles_to_genome

FASTAS = ("hg38_chr1_1m.fa", "hg38_windows.fa")


def read_genes(data: Path, fasta: str) -> pd.DataFrame:
    """Read the TSSs on the records of a FASTA, in bp of the record, and how much of each window lies on the record."""
    sizes = chrom_sizes(data / fasta)
    genes = read_tss(data / "genes.tsv")
    genes = genes[genes["record"].isin(sizes)]
    loci = genes.assign(chrom=genes["record"], tss=genes["record_tss"]).reset_index(drop=True)
    window = tiles_to_genome([(0, LENGTH)], loci, LENGTH, sizes=sizes)
    return loci.assign(bp=window["end"] - window["start"])


def predict_genes(data: Path, network: torch.nn.Module) -> pd.DataFrame:
    """Predict activity and offset of every gene of genes.tsv, the most active first."""
    model = PeakReadout(
        network, position=LENGTH // 2, bin_size=BIN, n_bins=N_BINS, first_bp=FIRST_BP, width=4,
        tracks=[tuple(cage_tracks(data, "+"))], bin_axis=2, track_axis=1,
    )  # fmt: skip
    parts = [predict_activity(model, data / name, read_genes(data, name), length=LENGTH) for name in FASTAS]
    return pd.concat(parts).sort_values("activity", ascending=False, ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the network and the windows")
    arguments = parser.parse_args()
    table = predict_genes(arguments.data, load_network(arguments.data))
    shown = table.assign(there=(table["bp"] / LENGTH).map("{:.0%}".format))
    print(shown[["gene_name", "strand", "record", "there", "activity", "offset"]].to_string(float_format="%.2f"))


if __name__ == "__main__":
    main()
