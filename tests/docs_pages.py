"""Read the code blocks and links of the pages of the documentation, and find faults in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from docs_commands import commands, is_there
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tangermeme_creme.study.spec import SpecError, check_spec, spec_from_dict

PROSE = ("note", "warning", "tip", "important", "admonition", "seealso")  # directives that hold text
LISTS = ("toctree",)  # directives without code


class Block(NamedTuple):
    """Hold a fenced block: the line of its fence, the words behind the fence, and the content."""

    line: int
    kind: str
    text: str


class Executed(NamedTuple):
    """Name the test that executes the blocks of one kind of a page, and the number of these blocks; None is all."""

    by: str
    count: int | None = None


def tokens(text: str) -> list[Token]:
    """Parse a page in MyST or plain Markdown; its header counts as empty lines."""
    header = re.match(r"---\n.*?\n---\n", text, re.DOTALL)
    if header:
        text = "\n" * header[0].count("\n") + text[header.end() :]
    return MarkdownIt("commonmark").enable("table").parse(text)


def blocks(text: str, first: int = 1) -> Iterator[Block]:
    """Yield every fenced block of a page, also inside directives that hold text."""
    for token in tokens(text):
        if token.type == "fence" and token.map:
            kind, line = token.info.strip(), first + token.map[0]
            directive = re.match(r"\{([\w-]+)\}", kind)
            if directive and directive[1] in PROSE:
                yield from blocks(token.content, line + 1)
            elif not directive or directive[1] not in LISTS:
                yield Block(line, kind, token.content)


def unexecuted(page: str, text: str, executed: Mapping[str, Executed]) -> list[str]:
    """List the blocks of a page that nothing executes, each as page:line and the reason."""
    wrong, seen = [], dict.fromkeys(executed, 0)
    for line, kind, content in blocks(text):
        why = ""
        if kind.startswith("{code-cell}"):
            if not text.startswith("---\njupytext:"):
                why = "a code cell in a page that is no notebook"
            elif re.search(r"skip-execution|raises-exception", content.split("\n\n")[0]):
                why = "a code cell that is skipped, or may fail"
        elif kind == "bash":
            strange = [" ".join(command) for command in commands(content) if not is_there(command)]
            why = f"unknown commands {strange}" if strange else ""
        elif kind == "toml":
            why = _wrong_study(content)
        elif kind not in executed:
            why = f"a block of kind {kind!r}"
        else:
            seen[kind] += 1
            by, count = executed[kind]
            if count is not None and seen[kind] > count:
                why = f"{by} takes {count} of kind {kind!r}, and this is another"
        if why:
            wrong.append(f"{page}:{line}: nothing executes {why}")
    return wrong


def _wrong_study(text: str) -> str:
    try:
        study = tomllib.loads(text)
        if not study.keys() & {"loci", "windows"}:  # a page may show only the model
            study["windows"] = {"file": "windows.fa"}
        check_spec(spec_from_dict(study))
    except (tomllib.TOMLDecodeError, SpecError) as error:
        return f"a file of a study that is refused: {error}"
    return ""


def broken_links(page: Path) -> list[str]:
    """List the relative links of a page that lead to no file, or to no heading of the file."""
    wrong = []
    for target in _targets(tokens(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = (page.parent / name) if name else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            wrong.append(f"{page.name}: {target}")
    return wrong


def _targets(page: list[Token]) -> Iterator[str]:
    for token in page:
        for inline in token.children or ():
            target = inline.attrGet("href") or inline.attrGet("src")
            if target:
                yield str(target)


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub and MyST give to the headings of a page."""
    parsed = tokens(page.read_text())
    titles = [b.content for a, b in pairwise(parsed) if a.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


class _Loaded(HTMLParser):
    """Collect what a browser loads without a click: scripts, styles, images, frames and media, but no links."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            loads = name in ("src", "srcset", "data", "poster", "style") or (
                name == "href" and tag not in ("a", "area")
            )
            if loads and re.search(r"(?:^|[\s,('\"])(?:https?:)?//", value or ""):
                self.loaded.append(f"<{tag} {name}={value}>")


def loaded_from_network(text: str, *, css: bool = False) -> list[str]:
    """List what a page, or a style sheet, makes a browser load from other machines."""
    if css:
        return re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)'\"; ]*", text)
    parser = _Loaded()
    parser.feed(text)
    styles = re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL)
    return parser.loaded + [url for style in styles for url in loaded_from_network(style, css=True)]
