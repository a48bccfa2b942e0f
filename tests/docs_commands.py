"""Check that the commands of the documentation exist, without running them."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import shlex
from collections.abc import Sequence
from configparser import ConfigParser
from pathlib import Path

import click
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker

from tangermeme_creme.cli import build_parser

ROOT = Path(__file__).parents[1]
TOOLS = ("ruff", "mypy", "lint-imports", "pre-commit", "sphinx-build")  # of CONTRIBUTING
DASK = {"scheduler": dask_scheduler, "worker": dask_worker}


def commands(script: str) -> list[list[str]]:
    """Split a script into simple commands, without assignments of variables and without the words of loops.

    >>> commands("for i in 0 1; do A=$i dask worker x & done  # two\\nls && pwd")
    [['dask', 'worker', 'x'], ['ls'], ['pwd']]
    """
    found: list[list[str]] = []
    for line in script.replace("\\\n", " ").splitlines():
        found.append([])
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        for word in lexer:
            if not set(word) - set(";&|"):
                found.append([])
            elif found[-1] or not (word == "do" or re.fullmatch(r"[A-Z_]+=\S*", word)):
                found[-1].append(word)
    return [command for command in found if command and command[0] not in ("for", "done")]


def is_there(command: Sequence[str]) -> bool:
    """Return whether a reader can run a command, as far as its words show."""
    program, *arguments = command
    program = program.removeprefix(".venv/bin/")
    if program == "tangermeme-creme":
        return _parses(arguments)
    if program == "dask":
        return bool(arguments) and arguments[0] in DASK and _click_parses(DASK[arguments[0]], arguments[1:])
    if program in ("python", "python3"):
        return _python_finds(arguments)
    if program == "pip":
        return arguments[:1] == ["install"] and all(map(_extras_are_there, arguments))
    return program in TOOLS


def _parses(arguments: list[str]) -> bool:
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            build_parser().parse_args(arguments)
    except SystemExit as end:  # with 0 after --help and --version
        return end.code == 0
    return True


def _click_parses(command: click.Command, arguments: list[str]) -> bool:
    try:
        command.make_context(command.name, arguments)
    except click.ClickException:
        return False
    return True


def _python_finds(arguments: list[str]) -> bool:
    if arguments[:1] == ["-m"]:
        return len(arguments) > 1 and importlib.util.find_spec(arguments[1]) is not None
    return bool(arguments) and (ROOT / arguments[0]).is_file()


def _extras_are_there(argument: str) -> bool:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    asked = re.fullmatch(r"\.\[(.*)\]", argument)
    return not asked or set(asked[1].split(",")) <= set(setup["options.extras_require"])
