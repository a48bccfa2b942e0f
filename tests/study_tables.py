"""Made-up tables of a study: six loci on a small genome, two tracks, all that annotation, reports and files read."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tangermeme_creme.analysis import call_cres
from tangermeme_creme.sequence import tile_grid
from tangermeme_creme.study.spec import StudySpec, spec_from_dict
from tangermeme_creme.study.store import read_arrow, to_bytes

LENGTH, TILE = 700, 100
TILES = [tuple(span) for span in tile_grid(LENGTH, TILE).context.tolist()]  # six, and the TSS base at 350
SIZES = {"chr1": 3000, "chr2": 2000}
TRACKS = ("K562", "../../x")  # the second cannot be part of a file's name
COMPLEMENT = str.maketrans("ACGT", "TGCA")

LOCI = pd.DataFrame({
    "example": ["g1", "g2", "g3", "g4", "g5", "g6"],
    "chrom": ["chr1", "chr1", "chr1", "chr2", "chr2", "chr2"],
    "tss": [150, 900, 1100, 500, 600, 1850],  # the windows of g1 and g6 leave their chromosomes, those of g2 to g3 meet
    "strand": ["+", "-", "+", "+", "-", "-"],
    "gene_name": ["AAA", "BBB", "CCC", "DDD", "", "FFF"],
    "gene_id": [f"ENSG{i}" for i in range(1, 7)],
    "transcript_id": [f"ENST{i}" for i in range(1, 7)],
    "seed": range(6),
})  # fmt: skip
_CONTEXTS = {
    "K562": ["enhancing", "enhancing", "silencing", "silencing", "neutral", "neutral"],
    "../../x": ["enhancing", "silencing", "neutral", "neutral", "enhancing", None],
}
# Tile and what it is, of each locus and track.
_PLANTED = {
    ("g1", "K562"): {2: 0.8, 5: 0.5},
    ("g2", "K562"): {0: 0.6},
    ("g3", "K562"): {3: -0.9},
    ("g4", "K562"): {1: -0.5},
    ("g1", "../../x"): {2: 0.7},
    ("g2", "../../x"): {4: -0.6},
    ("g5", "../../x"): {5: 0.4},
}


class Tabled:
    """A study that is made of tables, which went through Parquet as those of a study do."""

    def __init__(self, folder: Path, spec: StudySpec, tables: dict[str, pd.DataFrame]) -> None:
        self.folder, self.spec = folder, spec
        self.given = {name: through_parquet(table) for name, table in tables.items() if len(table)}

    @property
    def tables(self) -> list[str]:
        return sorted(self.given)

    def table(self, name: str) -> pd.DataFrame:
        return self.given.get(name, pd.DataFrame())


def through_parquet(table: pd.DataFrame) -> pd.DataFrame:
    return read_arrow(to_bytes(table, {})).to_pandas()


def genome(folder: Path) -> Path:
    """A FASTA of random bases."""
    rng, path = np.random.default_rng(0), folder / "genome.fa"
    if not path.exists():
        bases = {name: "".join(rng.choice(list("ACGT"), size)) for name, size in SIZES.items()}
        path.write_text("".join(f">{name}\n{text}\n" for name, text in bases.items()))
    return path


def made_spec(folder: Path, **annotation: Any) -> StudySpec:
    return spec_from_dict({
        "seed": 3,
        "model": {"adapter": "function", "function": "models:load", "tracks": list(TRACKS), "length": LENGTH},
        "loci": {"fasta": str(genome(folder)), "tss": str(folder / "genes.gtf")},
        "tiles": {"size": TILE},
        "annotation": annotation,
    })  # fmt: skip


def made_study(folder: Path, **annotation: Any) -> Tabled:
    return Tabled(folder / "study", made_spec(folder, **annotation), made_tables())


def made_tables() -> dict[str, pd.DataFrame]:
    """Every table of a study, by example, tile and track."""
    rng = np.random.default_rng(1)
    contexts = pd.DataFrame([
        {
            "example": name, "track": track, "n": 9, **_estimate("context_effect", rng.normal()),
            "y_wt": 4.0, "y_mut": 2.0,
            "context": _CONTEXTS[track][i] or "other", "ranked": True, "selected": _CONTEXTS[track][i] is not None,
        }
        for i, name in enumerate(LOCI["example"])
        for track in TRACKS
    ])  # fmt: skip
    contexts.loc[contexts.index[-1], "ranked"] = False  # g6 in the second track
    effects = [
        {
            "example": name, "tile": tile, "start": start, "end": end, "track": track, "context": _CONTEXTS[track][i],
            "n": 9, "effect": _PLANTED.get((name, track), {}).get(tile, rng.uniform(-0.05, 0.05)),
        }
        for i, name in enumerate(LOCI["example"])
        for tile, (start, end) in enumerate(TILES)
        for track in TRACKS
    ]  # fmt: skip
    keys = ["example", "tile", "start", "end", "track", "context", "n"]
    base = pd.DataFrame(effects)
    necessity = base[keys].assign(**_estimate("necessity", base["effect"] / 2), y_wt=4.0, y_mut=3.0)
    necessity.loc[0, "necessity"] = np.nan
    sufficiency = base[keys].assign(
        **_estimate("over_wt", base["effect"]), **_estimate("over_control", 1.5 * base["effect"]),
        y_wt=4.0, y_control=2.0, y_mut=3.0,
    )  # fmt: skip
    sufficiency = call_cres(sufficiency)
    cres = sufficiency[sufficiency["cre"].notna()].copy()
    cres["effect"] = cres["over_wt"].where(cres["cre"] == "enhancer", cres["over_control"])
    tables = {"loci": LOCI, "contexts": contexts, "necessity": necessity, "sufficiency": sufficiency, "cres": cres}
    return {**tables, "swap": _swap(contexts), **_of_cres(cres, rng), **_of_sets(contexts, rng), **_failures()}


def _swap(contexts: pd.DataFrame) -> pd.DataFrame:
    selected = contexts[contexts["selected"]]
    pairs = selected.merge(selected, on="track", suffixes=("_target", "_source"))
    fold = np.arange(1.0, len(pairs) + 1)
    return pd.DataFrame({
        "example": pairs["example_target"], "source": pairs["example_source"], "track": pairs["track"],
        "source_context": pairs["context_source"], "target_context": pairs["context_target"], "y_source": 1.0,
        "y_target": 2.0, "y_mut": fold, "fold_over_source": fold,
    })  # fmt: skip


def _of_cres(cres: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("distance", "multiplicity", "saturation", "fine_tile", "kept", "fine_mapping")
    }
    for cre in cres.itertuples():
        start, end = int(cre.start), int(cre.end)
        label = {"example": cre.example, "cre_tile": cre.tile, "cre_start": start, "cre_end": end}
        kind = {"track": cre.track, "cre": cre.cre}
        for k, (place, _) in enumerate(TILES):
            where = {"position": k, "start": place, "offset": place + TILE // 2 - LENGTH // 2}
            fold = {"fold_over_control": rng.uniform(), "fraction_of_max": rng.uniform()}
            rows["distance"].append({**label, **where, **kind, "n": 9, **fold})
        for copies in (1, 2, 3):
            fold = {"start": 0, "y_control": 2.0, "y_original": 3.0, "y_mut": 4.0, "fold_over_control": rng.uniform()}
            rows["multiplicity"].append({**label, **kind, "copies": copies, **fold})
        answer = {"half_copies": 2.0, "saturates": "yes"} if cre.cre == "enhancer" else {"saturates": None}
        rows["saturation"].append({**label, **kind, "n_copies": 3, "half_copies": np.nan, **answer})
        for step, kept in enumerate((TILE, 60, 20 + int(cre.tile))):
            rows["fine_tile"].append({**label, **kind, "step": step, "stage": 0, "bp_kept": kept, "score": 0.9})
        for shift in (10, 40):
            rows["kept"].append({**label, **kind, "start": start + shift, "end": start + shift + 10})
        for method, fewest in (("search", 20.0), ("saliency", 40.0), ("random", np.nan)):
            rows["fine_mapping"].append({**label, **kind, "method": method, "draws": 1, "fewest_bp": fewest})
    return {name: pd.DataFrame(some) for name, some in rows.items()}


def _of_sets(contexts: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    traces, sets, classes, pairs = [], [], [], []
    for row in contexts[contexts["selected"]].itertuples():
        label = {"example": row.example, "track": row.track, "context": row.context}
        for direction in ("min", "max"):
            for k in range(3):
                where = {"direction": direction, "round": k, "n_tiles": k + 1, "tile": k}
                some = {name: rng.uniform() for name in ("observed", "additive", "multiplicative")}
                traces.append({**label, **where, "start": TILES[k][0], "end": TILES[k][1], **some})
                folds = {"fold_over_wt": rng.uniform(), "fold_over_control": rng.uniform()}
                sets.append({**label, **where, **folds})
            found = {"interaction": "additive", "multiplicative": "multiplicative" if direction == "min" else None}
            classes.append({**label, "direction": direction, **found})
        for (one, other), called in zip(combinations((1, 2, 4), 2), ("positive", "none", "negative")):
            ends = {
                f"{part}_{i}": TILES[t][k] for i, t in ((1, one), (2, other)) for k, part in enumerate(("start", "end"))
            }
            effect = {"positive": 0.5, "none": 0.0, "negative": -0.25}[called]
            found = {"epistasis": effect, "log_epistasis": effect, "interaction": called, "log_interaction": "none"}
            pairs.append({**label, "tile_1": one, "tile_2": other, **ends, **found})
    made = {"higher_order": traces, "set_sufficiency": sets, "interaction_classes": classes, "interactions": pairs}
    return {name: pd.DataFrame(rows) for name, rows in made.items()}


def _failures() -> dict[str, pd.DataFrame]:
    rows = [
        ("g1", "distance", "tile 5", "RuntimeError", "no memory"),
        ("g2", "distance", "", "RuntimeError", "none left"),
    ]
    return {"failures": pd.DataFrame(rows, columns=["example", "stage", "what", "error", "message"])}


def _estimate(name: str, effect: Any) -> dict[str, Any]:
    return {name: effect, f"{name}_sem": 0.01, f"{name}_low": effect - 0.02, f"{name}_high": effect + 0.02}
