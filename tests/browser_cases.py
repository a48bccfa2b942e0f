"""Look-ups in a page that a browser shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def find(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def until(holds: Callable[[], Any], seconds: float = 5) -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + seconds
    while not (result := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return result


def column(browser: Any, table: str, name: str) -> list[str]:
    """Return the texts that a column of a table shows."""
    return browser.execute_script(
        "const all = (s) => Array.from(document.querySelectorAll(`#${arguments[0]} ${s}`));"
        "const k = all('thead th').findIndex((th) => th.textContent === arguments[1]);"
        "return all('tbody tr').map((tr) => tr.children[k].textContent);", table, name,
    )  # fmt: skip


def status(browser: Any, table: str) -> str:
    return find(browser, f"#{table} [role=status]").text


def in_sight(browser: Any, selector: str) -> bool:
    top = browser.execute_script("return arguments[0].getBoundingClientRect().top", find(browser, selector))
    return -5 <= top < 900
