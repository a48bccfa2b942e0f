"""Pages for the tests of reports, and a browser that shows them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_cases import IMAGE, Page, drawn, harmful, many, page_of
from study_cases import HERE, small_spec
from study_tables import made_study

from tangermeme_creme.study import Study, export_study, run_study
from tangermeme_creme.view import write_page

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--window-size=1200,900",
)  # fmt: skip


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """The page of `made_study`, without figures."""
    return page_of(made_study(tmp_path))


def lacking() -> str:
    """Name what tests in a browser need and this machine lacks, or return ""."""
    try:
        import selenium.webdriver  # noqa: F401
    except ImportError:
        return "selenium is not installed"
    missing = [str(path) for path in (CHROMIUM, DRIVER) if not path.exists()]
    return f"{' and '.join(missing)} not installed" if missing else ""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    reason = lacking()
    if reason and os.environ.get("CI"):
        pytest.fail(f"the page must be tested in a browser: {reason}")
    if reason:
        pytest.skip(reason)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def blank(browser: Any) -> None:
    """An empty page in a wide window, with empty logs."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    for kind in ("browser", "performance"):
        browser.get_log(kind)


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a study of all tests, with all its figures, exported tracks and a harmful gene."""
    folder = tmp_path_factory.mktemp("toy")
    spec = small_spec(folder)
    genes = folder / "genome" / "genes.gtf"
    genes.write_text(genes.read_text().replace('gene_name "SIM2"', f'gene_name "{IMAGE}"'))
    study = run_study(spec, folder=HERE, verbose=False)
    export_study(study, formats=["bed"])
    return write_page(study).as_uri()


@pytest.fixture(scope="session")
def one_test(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study that was run, of one test."""
    spec = small_spec(tmp_path_factory.mktemp("one_test"), tests={"include": ["necessity"]})
    return run_study(spec, folder=HERE, verbose=False)


@pytest.fixture(scope="session")
def evil(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a study whose names are markup."""
    return write_page(harmful(tmp_path_factory.mktemp("evil")), figures=[drawn(title=IMAGE, alt=IMAGE)]).as_uri()


@pytest.fixture(scope="session")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a study of a thousand loci."""
    return write_page(many(tmp_path_factory.mktemp("large"), 1000), figures=[])


@pytest.fixture(scope="session")
def large(large_file: Path) -> str:
    return large_file.as_uri()
