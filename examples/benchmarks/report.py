"""Measure the size of the page of a study, and the time to write and to open it.

    python examples/benchmarks/report.py [--loci 1000] [--out report.html]

The study consists of random numbers: loci on one chromosome, two tracks, 38 tiles of 5 kb, and all tests of four or
five CREs per locus. The page is opened in headless Chromium if Chromium, its driver and selenium are installed. Compare
timings only with timings of the same machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tangermeme_creme.analysis import call_cres
from tangermeme_creme.sequence import tile_grid
from tangermeme_creme.study.spec import StudySpec, spec_from_dict

LENGTH, TILE, TRACKS = 196_608, 5_000, ("K562", "GM12878")
TILES = tile_grid(LENGTH, TILE).context.tolist()
ROUNDS, PAIRED, COPIES, SOURCES = 5, 6, 10, 20
CATEGORIES = ("enhancing", "silencing", "neutral")


class MadeUp:
    """Stand in for a study, with tables of random numbers."""

    def __init__(self, folder: Path, n_loci: int) -> None:
        self.folder = folder
        self._tables = made_up(n_loci)

    @property
    def spec(self) -> StudySpec:
        return spec_from_dict({
            "model": {"adapter": "function", "function": "models:load", "tracks": list(TRACKS), "length": LENGTH},
            "windows": {"file": "windows.fa"},
        })  # fmt: skip

    @property
    def tables(self) -> list[str]:
        return sorted(self._tables)

    def table(self, name: str) -> pd.DataFrame:
        return self._tables.get(name, pd.DataFrame())


def made_up(n_loci: int) -> dict[str, pd.DataFrame]:
    """Make the tables of a study from random numbers."""
    rng = np.random.default_rng(0)
    names = [f"GENE{k}:chr1:{k * 250_000}+" for k in range(1, n_loci + 1)]
    loci = pd.DataFrame({"example": names, "chrom": "chr1", "tss": [k * 250_000 for k in range(1, n_loci + 1)]})
    loci = loci.assign(strand="+", gene_name=[f"GENE{k}" for k in range(1, n_loci + 1)])
    contexts = crossed(example=names, track=TRACKS).assign(n=20, y_wt=4.0, y_mut=2.0, ranked=True, selected=True)
    contexts["context"] = rng.choice(CATEGORIES, len(contexts))
    centre = contexts["context"].map({"enhancing": 0.97, "silencing": -0.6, "neutral": 0.0})
    contexts = estimated(contexts, context_effect=centre + rng.normal(0, 0.02, len(contexts)))
    category = contexts.set_index(["example", "track"])["context"]
    tiles = crossed(example=names, tile=range(len(TILES)), track=TRACKS).assign(n=10, y_wt=4.0, y_mut=3.0)
    tiles = tiles.assign(**{end: [TILES[t][k] for t in tiles["tile"]] for k, end in enumerate(("start", "end"))})
    tiles["context"] = category.loc[list(zip(tiles["example"], tiles["track"]))].to_numpy()
    strong = rng.random(len(tiles)) < 0.09
    size = np.where(strong, rng.uniform(0.35, 0.9, len(tiles)), rng.normal(0, 0.03, len(tiles)))
    effect = np.where((tiles["context"] == "silencing") & strong, -size, size)
    necessity = estimated(tiles, necessity=effect / 2)
    sufficiency = call_cres(estimated(tiles.assign(y_control=2.0), over_wt=effect, over_control=effect * 1.2))
    cres = sufficiency[sufficiency["cre"].notna()]
    cres = cres.assign(effect=cres["over_wt"].where(cres["cre"] == "enhancer", cres["over_control"]))
    swap = crossed(example=names, source=names[:SOURCES], track=TRACKS).assign(y_source=1.0, y_target=2.0, y_mut=3.0)
    for side, column in (("source", "source"), ("target", "example")):
        swap[f"{side}_context"] = category.loc[list(zip(swap[column], swap["track"]))].to_numpy()
    swap["fold_over_source"] = rng.lognormal(0, 1, len(swap))
    tables = {"loci": loci, "contexts": contexts, "necessity": necessity, "sufficiency": sufficiency, "cres": cres}
    return {**tables, "swap": swap, **of_cres(cres, rng), **of_sets(contexts, rng)}


def of_cres(cres: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Make the tables of distances, copies and fine tiles."""
    named = cres[["example", "tile", "start", "end", "track", "cre"]]
    named = named.rename(columns={"tile": "cre_tile", "start": "cre_start", "end": "cre_end"})
    moved = named.merge(
        pd.DataFrame({"position": range(len(TILES)), "start": [start for start, _ in TILES]}), how="cross"
    )
    moved = moved.assign(offset=moved["start"] + TILE // 2 - LENGTH // 2, n=10, fraction_of_max=rng.random(len(moved)))
    copies = named.merge(pd.DataFrame({"copies": range(1, COPIES + 1)}), how="cross")
    copies = copies.assign(
        start=0, y_control=2.0, y_original=3.0, y_mut=4.0, fold_over_control=1 + np.sqrt(copies["copies"])
    )
    fits = named.assign(
        n_copies=COPIES, half_copies=2.0, hill=1.0, reached=0.9, r2=0.99, plateau_fold=5.0, saturates="yes"
    )
    steps = named.merge(pd.DataFrame({"step": range(30), "bp_kept": range(5000, 2000, -100)}), how="cross")
    shift = rng.integers(0, 4_950, len(named))
    return {
        "distance": estimated(moved, fold_over_control=rng.lognormal(0, 0.3, len(moved))),
        "multiplicity": copies,
        "saturation": fits,
        "fine_tile": steps.assign(stage=0, score=rng.uniform(0.7, 1, len(steps)), removed=""),
        "kept": named.assign(start=named["cre_start"] + shift, end=named["cre_start"] + shift + 50),
    }


def of_sets(contexts: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Make the tables of greedy searches and pairs."""
    named = contexts[["example", "track", "context"]]
    searches = named.merge(pd.DataFrame({"direction": ["min", "max"]}), how="cross")
    traces = searches.merge(pd.DataFrame({"round": range(ROUNDS)}), how="cross")
    traces = traces.assign(n_tiles=traces["round"] + 1)
    chosen = [rng.permutation(len(TILES))[:ROUNDS] for _ in range(len(searches))]
    traces = traces.assign(tile=np.concatenate(chosen))
    traces = traces.assign(**{end: [TILES[t][k] for t in traces["tile"]] for k, end in enumerate(("start", "end"))})
    expected = {name: rng.random(len(traces)) for name in ("observed", "additive", "multiplicative", "holdout")}
    classes = searches.assign(mse_additive=rng.random(len(searches)), mse_multiplicative=0.01)
    classes = classes.assign(
        interaction=rng.choice(["additive", "superadditive"], len(classes)), multiplicative="multiplicative"
    )
    one, other = np.array(list(combinations(range(PAIRED), 2))).T
    pairs = named.merge(pd.DataFrame({"tile_1": one, "tile_2": other}), how="cross").assign(n=10)
    for k in (1, 2):
        for i, end in enumerate(("start", "end")):
            pairs[f"{end}_{k}"] = [TILES[t][i] for t in pairs[f"tile_{k}"]]
    pairs = estimated(pairs, epistasis=rng.normal(0, 0.1, len(pairs)), log_epistasis=rng.normal(0, 0.1, len(pairs)))
    sets = traces.drop(columns=["start", "end"]).assign(n=10)
    folds = {name: rng.random(len(sets)) for name in ("over_wt", "over_control", "fold_over_wt", "fold_over_control")}
    return {
        "higher_order": traces.assign(**expected, observed_log=0.0, multiplicative_log=0.0),
        "interaction_classes": classes,
        "set_sufficiency": estimated(sets, **folds),
        "interactions": pairs.assign(interaction="none", log_interaction="unclear"),
    }


def crossed(**columns: Any) -> pd.DataFrame:
    """Make a table of all combinations."""
    index = pd.MultiIndex.from_product([list(values) for values in columns.values()], names=list(columns))
    return index.to_frame(index=False)


def estimated(table: pd.DataFrame, **effects: Any) -> pd.DataFrame:
    """Add effects, their standard errors and intervals to a table."""
    for name, effect in effects.items():
        table = table.assign(**{
            name: effect, f"{name}_sem": 0.0123456,
            f"{name}_low": effect - 0.0234567, f"{name}_high": effect + 0.0234567,
        })  # fmt: skip
    return table


def opened(page: Path) -> dict[str, float] | None:
    """Measure the milliseconds until Chromium shows the rows of the first table; None without Chromium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        return None
    if chromium is None or driver is None:
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(argument)
        browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            began = time.perf_counter()
            browser.get(page.resolve().as_uri())
            rows = browser.execute_script("return document.querySelectorAll('.table tbody tr').length")
            waited = 1000 * (time.perf_counter() - began)
            loaded = browser.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd")
            painted = browser.execute_script("return performance.getEntriesByType('paint').map((p) => p.startTime)")
            # The script of the page makes the tables before the document is complete.
            made = browser.execute_script(
                "return performance.getEntriesByType('navigation')[0].domContentLoadedEventStart"
            )
            assert rows
            return {"load_event_end": loaded, "first_rows": made, "first_paint": min(painted, default=0), "get": waited}
        finally:
            browser.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--loci", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="path to keep the page at")
    arguments = parser.parse_args()
    from tangermeme_creme.view import write_page

    with tempfile.TemporaryDirectory() as name:
        study = MadeUp(Path(name) / "study", arguments.loci)
        page = arguments.out or Path(name) / "report.html"
        began = time.perf_counter()
        write_page(study, page)
        seconds = time.perf_counter() - began
        shown = {
            "loci": arguments.loci, "cres": len(study.table("cres")), "tiles": len(study.table("necessity")),
            "mb": round(page.stat().st_size / 1e6, 2), "seconds_to_write": round(seconds, 1),
        }  # fmt: skip
        times = opened(page)
        shown |= {f"ms_{name}": round(value) for name, value in (times or {}).items()}
        print(json.dumps(shown))


if __name__ == "__main__":
    main()
