"""The documentation builds without a warning; nothing in it is stale, unexecuted, or from another machine."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from docs_commands import is_there
from docs_pages import Executed, broken_links, loaded_from_network, unexecuted

import tangermeme_creme

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page]

# What executes the blocks of a page, by kind, but for those that are the same everywhere: the build runs
# code cells, and the checker itself reads commands and files of studies.
EXECUTED = {
    "README.md": {"python": Executed("tests/test_readme.py", 8)},
    "docs/findings.md": {"python": Executed("tests/test_readme.py")},
    "docs/genome.md": {"python": Executed("tests/test_readme.py")},
    "docs/study.md": {"python": Executed("tests/test_study_page.py", 3)},
}

# Modules without `__all__`, whose names are not for users unless the reference has them; and of those that it has, the
# names that other modules of the package alone use. A new name must go into the reference or in here.
INTERNAL_MODULES = {
    "engine": "agreement device gradients memory options partial spread verdict",
    "sequence": "chroms columns files notices spans",
    "study": "agenda annotation costs experiments fingerprint folder header interrupts laboratory lock manifest merge "
    "names parquet progress selection state store tasks",
}
INTERNAL_NAMES = {
    "analysis.effects": "arrays as_float above_zero",
    "engine.incremental": "as_list",
    "engine.outputs": "map_output concatenate OutputRows check_output apply_objective check_objective",
    "engine.reach": "run_local check_activations splice",
    "engine.session": "Progress",
    "engine.windows": "Window group_by_blocks merge_spans",
    "models.simulate": "reverse_complement",
    "models.toy": "check_settings",
    "sequence.edits": "check_edits apply_edits join_packed",
    "study.executors": "run_tasks",
    "study.inputs": "input_files Windows",
    "study.models": "load_activity_model",
    "study.plan": "Speed",
    "study.report": "write_csv",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built once, with all notebooks run."""
    folder = tmp_path_factory.mktemp("docs")
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-j", "2", "-b", "html", "-d", str(folder / "doctrees"),
         "-w", str(folder / "warnings.txt"), str(ROOT / "docs"), str(folder / "html")],
        env={**os.environ, **one, "CREME_DOCS_EXECUTE": "force", "HF_HUB_OFFLINE": "1"},
        capture_output=True, text=True, timeout=3600, check=False,
    )  # fmt: skip
    if done.returncode:
        warnings = folder / "warnings.txt"  # stderr has what kernels say too
        told = warnings.read_text() if warnings.exists() else ""
        pytest.fail(f"sphinx-build ended with {done.returncode}:\n{told}\n{done.stderr[-5000:]}", pytrace=False)
    return folder / "html"


def documented(built: Path) -> set[str]:
    """The full names in the inventory of the reference."""
    inventory = (built / "objects.inv").read_bytes().split(b"\n", 4)[4]
    rows = re.findall(r"^(\S+) (py:\S+) ", zlib.decompress(inventory).decode(), re.MULTILINE)
    return {name for name, _ in rows}


def public_modules() -> list[Any]:
    names = [module.name for module in pkgutil.walk_packages(tangermeme_creme.__path__, "tangermeme_creme.")]
    public = [name for name in names if not any(part.startswith("_") for part in name.split("."))]
    return [tangermeme_creme, *map(importlib.import_module, public)]


def own_names(module: Any) -> list[str]:
    """Names of functions and classes that a module makes, or of what its `__all__` lists."""
    made = [name for name, thing in vars(module).items() if inspect.isroutine(thing) or inspect.isclass(thing)]
    made = [name for name in made if name[0] != "_" and vars(module)[name].__module__ == module.__name__]
    return list(getattr(module, "__all__", made))


def test_pages_are_built(built: Path) -> None:
    assert (built / "index.html").exists() and (built / "api" / "operators.html").exists()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_is_executed(page: str) -> None:
    assert unexecuted(page, (ROOT / page).read_text(), EXECUTED.get(page, {})) == []


@pytest.mark.parametrize(
    ("page", "kind", "by"), [(p, k, e.by) for p, found in EXECUTED.items() for k, e in found.items()]
)
def test_tests_that_execute_pages_name_them(page: str, kind: str, by: str) -> None:
    text = (ROOT / by).read_text()
    assert f'"{page}"' in text and kind in text


MADE_UP = """# A page

```python
print(1)
```

```python
print(2)
```

````{note}
```
something
```
````

```bash
tangermeme-creme demo --seed 1 && tangermeme-creme demos
```

```{code-cell} ipython3
1
```

```toml
[model]
adapter = "none"
```
"""


def test_checker_of_blocks_finds_each_that_nothing_executes() -> None:
    wrong = unexecuted("page.md", MADE_UP, {"python": Executed("a test", 1)})
    assert [line.split(":")[1] for line in wrong] == ["7", "12", "17", "21", "25"]
    assert "takes 1" in wrong[0] and "kind ''" in wrong[1] and "demos" in wrong[2] and "no notebook" in wrong[3]
    assert "model.adapter" in wrong[4]
    notebook = "---\njupytext:\n---\n\n```{code-cell} ipython3\n1\n```\n"
    assert unexecuted("page.md", notebook, {}) == []
    skipped = notebook.replace("\n1\n", "\n:tags: [skip-execution]\n\n1\n")
    assert unexecuted("page.md", skipped, {}) == [
        "page.md:5: nothing executes a code cell that is skipped, or may fail"
    ]


@pytest.mark.parametrize(
    ("command", "there"),
    [
        ("tangermeme-creme run study.toml --dry-run", True),
        ("tangermeme-creme run study.toml --dryrun", False),
        (".venv/bin/tangermeme-creme --help", True),
        ("dask worker tcp://localhost:8786 --nthreads 1", True),
        ("dask worker tcp://localhost:8786 --threads-of 1", False),
        ("python3 -m venv .venv", True),
        ("python -m no_such_module", False),
        ("python examples/no_such_file.py", False),
        ('.venv/bin/pip install -e .[test]', True),
        ('.venv/bin/pip install -e .[tests]', False),
        ("rm -r creme_study", False),
    ],
)  # fmt: skip
def test_checker_of_commands_knows_what_is_there(command: str, there: bool) -> None:
    assert is_there(command.split()) is there


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page: str) -> None:
    assert broken_links(ROOT / page) == []


def test_checker_of_links_finds_those_that_lead_nowhere(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    links = "[a](page.md#a-title-2) [b](page.md#b) [c](other.md) [d](https://x.org/y) [e](#a-title-2) `[f](g.md)`"
    page.write_text(f"# A `title`, 2\n\n{links}\n")
    assert broken_links(page) == ["page.md: page.md#b", "page.md: other.md"]


def test_pages_load_nothing_from_the_network(built: Path) -> None:
    found = {
        str(path.relative_to(built)): loaded
        for path in built.rglob("*")
        if path.suffix in (".html", ".css")
        and (loaded := loaded_from_network(path.read_text(), css=path.suffix == ".css"))
    }
    assert found == {}


def test_checker_of_the_network_finds_what_is_loaded() -> None:
    page = """<a href="https://a.org">a</a><script src="https://b.org/b.js"></script><img src="c.png">
    <link rel="stylesheet" href="//d.org/d.css"><style>@import "https://e.org/e.css";</style>
    <p style="background: url(https://f.org/f.png)">"""
    found = " ".join(loaded_from_network(page))
    assert re.findall(r"[a-f]\.org", found) == ["b.org", "d.org", "f.org", "e.org"]


def missing_from(names: set[str]) -> list[str]:
    """What users may import and a reference with these names lacks."""
    reachable = {id(_thing(name)) for name in names}
    prefix = "tangermeme_creme."
    lacking = []
    for module in public_modules():
        short = module.__name__.removeprefix(prefix)
        internal = INTERNAL_NAMES.get(short, "").split()
        floor, _, name = short.partition(".")
        if name in INTERNAL_MODULES.get(floor, "").split():
            assert not hasattr(module, "__all__"), f"{short} has `__all__`, and so is public"
            continue
        for name in own_names(module):
            full = f"{module.__name__}.{name}"
            if full not in names and id(vars(module)[name]) not in reachable and name not in internal:
                lacking.append(full)
    return lacking


def _thing(name: str) -> object:
    """What a name of a module stands for; None for what is within a class."""
    module, _, last = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), last, None) if module else None
    except ImportError:
        return None


def test_reference_has_every_public_name(built: Path) -> None:
    names = documented(built)
    assert missing_from(names) == []
    assert missing_from(names - {"tangermeme_creme.necessity_test"}) == [
        "tangermeme_creme.necessity_test", "tangermeme_creme.operators.necessity.necessity_test",
    ]  # fmt: skip


def test_reference_has_what_pages_and_examples_import(built: Path) -> None:
    names = documented(built)
    reachable = {id(_thing(name)) for name in names}
    files = [*(ROOT / page for page in PAGES), *(ROOT / "examples").glob("*.py")]
    found = set()
    for file in files:
        rows = re.findall(
            r"^from (tangermeme_creme[\w.]*) import (?:\(([^)]*)\)|([\w, ]*))", file.read_text(), re.MULTILINE
        )
        for module, many, few in rows:
            found |= {f"{module}.{name.split()[0]}" for name in (many or few).split(",") if name.strip()}
    assert len(found) > 20
    found = {name for name in found if not inspect.ismodule(_thing(name))}
    assert [name for name in sorted(found) if name not in names and id(_thing(name)) not in reachable] == []
