"""The page of a study in Chromium: it sorts, searches, filters, and asks nothing of anyone."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from report_cases import IMAGE, drawn, harmful, many

from tangermeme_creme import demo
from tangermeme_creme.models.toy import simulate_genome, write_genome
from tangermeme_creme.study.run import run_study
from tangermeme_creme.study.tables import export_study
from tangermeme_creme.view.report import write_page

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--window-size=1200,900",
)  # fmt: skip


def lacking() -> str:
    """What is not here that is needed, or ""."""
    try:
        import selenium.webdriver  # noqa: F401
    except ImportError:
        return "selenium is not installed"
    missing = [str(path) for path in (CHROMIUM, DRIVER) if not path.exists()]
    return f"{' and '.join(missing)} not there" if missing else ""


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the demo, on smaller windows, with all its figures, exported tracks and a harmful gene."""
    folder = tmp_path_factory.mktemp("toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "LENGTH", 16_384)
        patch.setattr(demo, "TILE", 1_280)
        write_genome(simulate_genome(4, length=demo.LENGTH, tile_size=demo.TILE, random_state=0), folder)
        spec = demo._spec(folder, 0)
    genes = folder / "genes.gtf"
    genes.write_text(genes.read_text().replace('gene_name "SIM2"', f'gene_name "{IMAGE}"'))
    study = run_study(spec, folder=folder, verbose=False)
    export_study(study, formats=["bed"])
    return write_page(study).as_uri()


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(harmful(tmp_path_factory.mktemp("evil")), figures=[drawn(title=IMAGE, alt=IMAGE)]).as_uri()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(many(tmp_path_factory.mktemp("large"), 1000), figures=[]).as_uri()


@pytest.fixture(autouse=True)
def _blank(request: pytest.FixtureRequest) -> None:
    """Each test starts from an empty page, in a wide window, with empty logs."""
    browser = request.getfixturevalue("browser")
    browser.get("about:blank")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    for kind in ("browser", "performance"):
        browser.get_log(kind)


def find(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def until(holds: Callable[[], Any], seconds: float = 5) -> Any:
    """What holds at last."""
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def column(browser: Any, table: str, name: str) -> list[str]:
    """What is shown in a column."""
    return browser.execute_script(
        "const all = (s) => Array.from(document.querySelectorAll(`#${arguments[0]} ${s}`));"
        "const k = all('thead th').findIndex((th) => th.textContent === arguments[1]);"
        "return all('tbody tr').map((tr) => tr.children[k].textContent);", table, name,
    )  # fmt: skip


def status(browser: Any, table: str) -> str:
    return find(browser, f"#{table} [role=status]").text


@pytest.mark.parametrize("name", ["toy", "evil", "large"])
def test_it_opens_without_an_error_and_without_a_request(browser, request, name):
    browser.get(request.getfixturevalue(name))
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert asked and all(url.startswith(("file:", "data:")) for url in asked)
    assert sum(url.startswith("file:") for url in asked) == 1


def test_a_harmful_gene_of_the_demo_is_text(browser, toy):
    from selenium.common.exceptions import NoAlertPresentException

    browser.get(toy)
    names = [locus.text for locus in browser.find_elements("css selector", ".locus > summary")]
    assert len(names) == 4 and sum(IMAGE in name for name in names) == 1
    assert any(IMAGE in text for text in column(browser, "table-contexts", "example"))
    assert not browser.find_elements("css selector", "img[src=x]") and browser.get_log("browser") == []
    with pytest.raises(NoAlertPresentException):
        browser.switch_to.alert  # noqa: B018


def test_every_figure_is_drawn(browser, toy):
    browser.get(toy)
    images = browser.execute_script(
        "return Array.from(document.images).map((image) => [image.alt, image.complete, image.naturalWidth])"
    )
    assert len(images) > 20 and all(alt and complete and width > 0 for alt, complete, width in images)


_SHOWN = """
const canvas = document.createElement("canvas"), image = document.images[0];
[canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
const context = canvas.getContext("2d");
context.drawImage(image, 0, 0);
const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
let [sum, n] = [0, 0];
for (let k = 0; k < pixels.length; k += 4) if (pixels[k + 3] > 200) { sum += pixels[k]; n += 1; }
const body = getComputedStyle(document.body), svg = getComputedStyle(document.querySelector(".locus-svg text"));
return [body.backgroundColor, body.color, svg.fill, sum / n];
"""


def test_page_and_figures_are_light_on_dark_where_the_reader_wants_it(browser, evil):
    shown = {}
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get(evil)
        shown[scheme] = browser.execute_script(_SHOWN)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert shown["light"][0] == "rgb(255, 255, 255)" and shown["dark"][0] == "rgb(21, 24, 27)"
    assert all(one != other for one, other in zip(shown["light"], shown["dark"]))
    assert shown["light"][3] < 100 < 150 < shown["dark"][3]  # how light the ink of the figure is, of 255


def test_a_header_sorts_by_click_numbers_as_numbers_and_missing_last(browser, evil):
    browser.get(evil)
    table = "table-contexts"
    header = find(browser, f"#{table} thead th:nth-child(5)")
    assert header.text.split()[0] == "context_effect" and header.get_attribute("aria-sort") == "none"
    before = column(browser, table, "context_effect")
    button = header.find_element("css selector", "button")
    button.click()
    assert header.get_attribute("aria-sort") == "ascending"
    values = [float(text) for text in column(browser, table, "context_effect")]
    assert values == sorted(values) != [float(text) for text in before]
    button.click()
    assert header.get_attribute("aria-sort") == "descending"
    assert [float(text) for text in column(browser, table, "context_effect")] == values[::-1]


def test_a_missing_value_is_last_whichever_way(browser, evil):
    browser.get(evil)
    find(browser, "#necessity details.rows > summary").click()
    until(lambda: browser.find_elements("css selector", "#table-necessity tbody tr"))
    (header,) = [
        th for th in browser.find_elements("css selector", "#table-necessity th") if th.text.split()[0] == "necessity"
    ]
    for _ in range(2):
        header.find_element("css selector", "button").click()
        assert "" not in column(browser, "table-necessity", "necessity")
        for _ in range(2):
            find(browser, "#table-necessity .controls button:nth-child(2)").click()
        shown = column(browser, "table-necessity", "necessity")
        assert len(shown) == 22 and shown.index("") == 21
        assert status(browser, "table-necessity") == "rows 51 to 72 of 72"


def test_a_header_sorts_by_keyboard(browser, evil):
    from selenium.webdriver.common.keys import Keys

    browser.get(evil)
    header = find(browser, "#table-contexts thead th:nth-child(3)")
    browser.execute_script("arguments[0].focus()", header.find_element("css selector", "button"))
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert header.get_attribute("aria-sort") == "ascending"
    assert (shown := column(browser, "table-contexts", "track")) == sorted(shown)
    browser.switch_to.active_element.send_keys(Keys.SPACE)
    assert header.get_attribute("aria-sort") == "descending"
    assert column(browser, "table-contexts", "track") == shown[::-1]
    browser.switch_to.active_element.send_keys(Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert header.get_attribute("aria-sort") == "none"
    assert find(browser, "#table-contexts th:nth-child(4)").get_attribute("aria-sort") == "ascending"


def test_pages_and_search(browser, large):
    browser.get(large)
    table = "table-contexts"
    assert status(browser, table) == "rows 1 to 25 of 2,000"
    back, forth = browser.find_elements("css selector", f"#{table} .controls button")
    assert not back.is_enabled()
    forth.click()
    assert status(browser, table) == "rows 26 to 50 of 2,000" and back.is_enabled()
    assert column(browser, table, "example")[0] == "L0012"
    search = find(browser, f"#{table} input")
    assert find(browser, f"#{table} label").get_attribute("for") == search.get_attribute("id")
    search.send_keys("l0042 K562")
    assert status(browser, table) == "rows 1 to 1 of 1, found among 2,000"
    assert column(browser, table, "example") == ["L0042"]
    search.send_keys(" nowhere")
    assert status(browser, table) == "no row of 2,000 has this" and column(browser, table, "example") == []
    search.clear()
    search.send_keys("x")
    assert until(lambda: status(browser, table).endswith("1,000, found among 2,000"))


def test_a_closed_table_is_made_when_it_is_opened(browser, evil):
    browser.get(evil)
    assert not browser.find_elements("css selector", "#table-necessity table")
    find(browser, "#necessity details.rows > summary").click()
    assert until(lambda: browser.find_elements("css selector", "#table-necessity tbody tr"))
    find(browser, "#necessity details.rows > summary").click()
    find(browser, "#necessity details.rows > summary").click()
    assert len(browser.find_elements("css selector", "#table-necessity table")) == 1


def test_markup_in_names_is_text(browser, evil):
    browser.get(evil)
    for closed in browser.find_elements("css selector", "details:not([open])"):
        browser.execute_script("arguments[0].open = true", closed)
    assert until(lambda: column(browser, "table-necessity", "example"))[0] == f"{IMAGE}:1"
    assert column(browser, "table-contexts", "gene")[0] == IMAGE
    assert find(browser, "#locus-1 .gene").text == IMAGE
    assert len(browser.find_elements("css selector", "img")) == 1  # the figure
    from selenium.common.exceptions import NoAlertPresentException

    with pytest.raises(NoAlertPresentException):
        browser.switch_to.alert  # noqa: B018
    assert browser.get_log("browser") == []


def test_a_script_that_slips_in_does_not_run(browser, evil):
    browser.get(evil)
    browser.execute_script(
        "const script = document.createElement('script'); script.textContent = 'window.ran = true';"
        "document.body.append(script); document.body.insertAdjacentHTML('beforeend', arguments[0])", IMAGE,
    )  # fmt: skip
    assert until(lambda: [entry for entry in browser.get_log("browser") if "Security Policy" in entry["message"]])
    assert browser.execute_script("return window.ran") is None


def test_loci_are_filtered_and_counted(browser, large):
    browser.get(large)
    assert find(browser, "#locus-count").text == "1,000 loci"
    box = find(browser, "#locus-filter")
    box.send_keys("gene77 enhancing")
    assert find(browser, "#locus-count").text == "11 of 1,000 loci"  # GENE77, and GENE770 to GENE779
    shown = browser.execute_script(
        "return Array.from(document.querySelectorAll('.locus:not([hidden]) .gene')).map((gene) => gene.textContent)"
    )
    assert shown == ["GENE77", *(f"GENE77{k}" for k in range(10))]
    box.clear()
    box.send_keys(" ")
    assert find(browser, "#locus-count").text == "1,000 loci"


def test_a_link_to_a_locus_opens_it(browser, large):
    browser.get(f"{large}#locus-500")
    locus = find(browser, "#locus-500")
    assert locus.get_attribute("open") and until(lambda: in_sight(browser, "#locus-500"))
    assert not find(browser, "#locus-501").get_attribute("open")
    find(browser, "#locus-filter").send_keys("GENE1")
    assert not locus.is_displayed()
    browser.execute_script("location.hash = '#locus-501'")
    assert until(lambda: find(browser, "#locus-501").get_attribute("open"))
    assert find(browser, "#locus-501").is_displayed() and find(browser, "#locus-count").text == "1,000 loci"


def test_the_name_of_a_locus_in_a_table_leads_to_it(browser, evil):
    browser.get(evil)
    link = find(browser, "#table-contexts tbody tr:nth-child(3) a")
    assert link.text == "g2"
    link.click()
    assert until(lambda: find(browser, "#locus-2").get_attribute("open"))
    assert until(lambda: in_sight(browser, "#locus-2"))


def in_sight(browser: Any, selector: str) -> bool:
    top = browser.execute_script("return arguments[0].getBoundingClientRect().top", find(browser, selector))
    return -5 <= top < 900


@pytest.mark.parametrize("name", ["toy", "evil"])
def test_a_narrow_screen_does_not_scroll_sideways(browser, request, name):
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(request.getfixturevalue(name))
    for closed in browser.find_elements("css selector", "details:not([open])"):
        browser.execute_script("arguments[0].open = true", closed)
    until(lambda: browser.find_elements("css selector", "#table-necessity table"))
    assert browser.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [360, 360]


def test_what_scrolls_can_be_reached_by_keyboard_and_focus_is_seen(browser, evil):
    from selenium.webdriver.common.keys import Keys

    browser.get(evil)
    find(browser, "body").send_keys(Keys.TAB)
    first = browser.switch_to.active_element
    assert first.text == "Skip to the content" and first.is_displayed()
    first.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "content"
    find(browser, "body").send_keys(Keys.TAB)
    focused = browser.switch_to.active_element
    assert focused.get_attribute("role") == "region" and focused.value_of_css_property("outline-style") == "solid"


def test_links_to_exported_tracks_hold(browser, toy):
    browser.get(toy)
    links = browser.execute_script("return Array.from(document.querySelectorAll('#files a')).map((link) => link.href)")
    assert links
    for link in links:
        assert Path(link.removeprefix("file://")).is_file()


def test_whole_numbers_are_shown_in_full_and_others_to_four_digits(browser, evil):
    browser.get(evil)
    assert column(browser, "table-saturation", "cre_start")[0] == "200"
    effects = column(browser, "table-cres", "over_wt_low")
    assert "0.78" in effects and all(len(text.lstrip("-0.")) <= 4 for text in effects)
