"""Make the figures of README: figures of the demo, and its report as a browser shows it.

    python examples/readme_figures.py --out docs/images

The picture of the report needs Chromium, ChromeDriver and selenium, and is left out without them.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from tangermeme_creme.demo import run_demo
from tangermeme_creme.study import Study
from tangermeme_creme.view import study_figures, write_figures

NAMES = ("distance_fraction_of_max", "greedy_min_by_class", "kept_logos")


def screenshot(page: Path, out: Path) -> None:
    """Save a picture of the first locus of a page, 1,200 pixels wide."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900", "--hide-scrollbars"):
        options.add_argument(argument)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as browser:
        browser.get(f"{page.resolve().as_uri()}#locus-1")
        time.sleep(1)  # the page lays out the section of the link
        browser.save_screenshot(str(out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "creme_demo"
        run_demo(demo)
        shutil.copy(demo / "tile_effects.png", out / "tile_effects.png")
        study = Study.open(demo / "study_0")
        write_figures([figure for figure in study_figures(study) if figure.name in NAMES], out, dpi=110)
        if shutil.which("chromedriver") and shutil.which("chromium"):
            screenshot(demo / "study_0" / "report" / "report.html", out / "report.png")


if __name__ == "__main__":
    main()
