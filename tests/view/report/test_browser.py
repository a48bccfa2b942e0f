"""The page of a study in Chromium: it opens without requests, follows links and filters loci."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser_cases import column, find, in_sight, until
from report_cases import IMAGE

pytestmark = pytest.mark.usefixtures("blank")


@pytest.mark.parametrize("name", ["toy", "evil", "large"])
def test_a_page_opens_without_errors_and_without_requests(browser, request, name):
    browser.get(request.getfixturevalue(name))
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert asked and all(url.startswith(("file:", "data:")) for url in asked)
    assert sum(url.startswith("file:") for url in asked) == 1


def test_a_harmful_gene_of_a_study_is_text(browser, toy):
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
    assert shown["light"][3] < 100 < 150 < shown["dark"][3]  # brightness of the ink of the figure, of 255


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


@pytest.mark.parametrize("name", ["toy", "evil"])
def test_a_narrow_screen_does_not_scroll_sideways(browser, request, name):
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(request.getfixturevalue(name))
    for closed in browser.find_elements("css selector", "details:not([open])"):
        browser.execute_script("arguments[0].open = true", closed)
    until(lambda: browser.find_elements("css selector", "#table-necessity table"))
    assert browser.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [360, 360]


def test_the_keyboard_reaches_scrolling_parts_and_focus_is_visible(browser, evil):
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
