"""Tables of a page in Chromium: readers sort, search and open them."""

from __future__ import annotations

import pytest
from browser_cases import column, find, status, until

pytestmark = pytest.mark.usefixtures("blank")


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


def test_whole_numbers_are_shown_in_full_and_others_to_four_digits(browser, evil):
    browser.get(evil)
    assert column(browser, "table-saturation", "cre_start")[0] == "200"
    effects = column(browser, "table-cres", "over_wt_low")
    assert "0.78" in effects and all(len(text.lstrip("-0.")) <= 4 for text in effects)
