"""What README's badges and pictures claim is so."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BADGES = dict(re.findall(r"img\.shields\.io/badge/([^-)]+)-([^-)]+)-\w+\)", README))


@pytest.fixture(scope="module")
def setup() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_badges_are_true(setup: ConfigParser) -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert (
        unquote(BADGES["python"]).replace("\N{GREATER-THAN OR EQUAL TO}", ">=") == setup["options"]["python_requires"]
    )
    assert BADGES["licence"] == setup["metadata"]["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert BADGES["types"] in tools and tools["mypy"]["disallow_untyped_defs"]
    assert BADGES["style"] in tools
    linted = (ROOT / ".ci" / "run").read_text()
    assert 'bin/mypy"' in linted and 'bin/ruff" check' in linted
    assert set(BADGES) == {"python", "licence", "types", "style"}


def test_pictures_are_there_and_have_words_for_those_who_cannot_see_them() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\((docs/[^)]+)\)", README)
    assert len(pictures) == 5
    for words, path in pictures:
        assert (ROOT / path).read_bytes().startswith(b"\x89PNG") and len(words.split()) > 5
    assert sum((ROOT / path).stat().st_size for _, path in pictures) < 1_500_000
