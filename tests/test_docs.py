"""Test that the documentation builds without a warning, runs all its code, and has a complete reference."""

from __future__ import annotations

import importlib
import inspect
import os
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

# The tests that execute the blocks of a page, by kind. The build runs all code cells, and the checker itself reads all
# commands and files of studies.
EXECUTED = {
    "CONTRIBUTING.md": {"python": Executed("tests/study/tests/test_registry.py")},
    "README.md": {"python": Executed("tests/test_readme.py", 8)},
    "docs/findings.md": {"python": Executed("tests/test_readme.py")},
    "docs/genome.md": {"python": Executed("tests/test_readme.py")},
    "docs/study.md": {"python": Executed("tests/test_study_page.py", 3)},
}

# Folders that users import from: the reference has every name that they hand out, except HELPERS.
PUBLIC_FACES = (
    "tangermeme_creme", "analysis", "analysis.annotate", "analysis.crispri", "analysis.export",
    "analysis.fine_mapping", "analysis.interactions", "analysis.stats", "engine", "models", "models.toy", "operators",
    "sequence", "sequence.genome", "study", "study.spec", "view",
)  # fmt: skip
# Folders that hand out names to other folders; the reference has those of their names that users need.
INTERNAL_FACES = (
    "engine.incremental", "study.run", "study.store", "study.tables", "study.tests", "support", "view.figures",
    "view.plots", "view.report", "view.tests",
)  # fmt: skip
# Names of public faces that only other folders of the package use, per face with the reason.
HELPERS = {
    "analysis": (
        "arithmetic of arrays and colours that other rooms share",
        "BASE_COLORS ContextThresholds SCALES Values above_zero as_float effect_in is_tensor same_axes",
    ),
    "analysis.interactions": ("the default of call_interactions, for the page", "THRESHOLD"),
    "analysis.crispri": ("a step of compare_with_crispri", "resampled_precision"),
    "analysis.fine_mapping": ("a step of compare_fine_mapping", "rank"),
    "analysis.stats": ("a step of intervals", "expanded_tail"),
    "engine": (
        "options, outputs and sessions for operators, models and analysis",
        "CodesSession EngineOptions Entry Objective Output OutputRows ProgressBar RunOptions SpanObjective "
        "agreement_tolerance apply_objective autocasting check_args check_engine_options check_func check_objective "
        "check_output concatenate explain_in_place explain_out_of_memory fingerprint_attributes fingerprint_model "
        "first_infinite map_output model_on parameters_frozen relative_difference resolve_device resolve_dtype "
        "resolve_objective rows_at_once takes warn_of_cast_args warn_of_unknown_bases",
    ),
    "models": ("a part of the adapters", "run_block"),
    "operators": (
        "steps of operators that studies and fine mapping share",
        "CreScore Labels NO_EFFECT OperatorRun as_span check_stages check_threshold direction_per_example labelled "
        "prepare_run scored_by_effect warn_of_no_effect",
    ),
    "sequence": (
        "types and checks of arguments, and arrays of edits for the engine",
        "RandomState ShuffleFn Span Spans UNKNOWN apply_edits check_apart check_center check_choice check_count "
        "check_disjoint check_edits check_one_width check_spans integers join_packed lacks_values span_per_example",
    ),
    "sequence.genome": (
        "columns of tables and names of chromosomes, for annotation and studies",
        "LAST_BASE check_loci chrom_column known_chroms match_chroms number_column one_hot_letters opened_fasta "
        "plain_chrom position_column region_columns strand_column text_column",
    ),
    "study.spec": (
        "sections, whose keys the template shows, and thresholds for tests and tables",
        "AnnotationSpec ContextSpec CresSpec EffectsSpec LociSpec ModelSpec OutputSpec RunSpec TestsSpec TilesSpec "
        "WindowsSpec call_rule context_thresholds",
    ),
}
MODULES = ("tangermeme_creme.cli", "tangermeme_creme.demo")  # not folders, but with names for users


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages once, and run all notebooks."""
    folder = tmp_path_factory.mktemp("docs")
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-j", "2", "-b", "html", "-d", str(folder / "doctrees"),
         "-w", str(folder / "warnings.txt"), str(ROOT / "docs"), str(folder / "html")],
        env={**os.environ, **dict.fromkeys(threads, "1"), "CREME_DOCS_EXECUTE": "force", "HF_HUB_OFFLINE": "1"},
        capture_output=True, text=True, timeout=3600, check=False,
    )  # fmt: skip
    if done.returncode:
        warnings = folder / "warnings.txt"  # stderr also has output of kernels
        text = warnings.read_text() if warnings.exists() else ""
        pytest.fail(f"sphinx-build ended with {done.returncode}:\n{text}\n{done.stderr[-5000:]}", pytrace=False)
    return folder / "html"


def documented(built: Path) -> set[str]:
    """Return the full names in the inventory of the reference."""
    inventory = (built / "objects.inv").read_bytes().split(b"\n", 4)[4]
    rows = re.findall(r"^(\S+) (py:\S+) ", zlib.decompress(inventory).decode(), re.MULTILINE)
    return {name for name, _ in rows}


def module_of(face: str) -> Any:
    return importlib.import_module(face if face == "tangermeme_creme" else f"tangermeme_creme.{face}")


def test_pages_are_built(built: Path) -> None:
    assert (built / "index.html").exists() and (built / "api" / "operators.html").exists()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_is_executed(page: str) -> None:
    assert unexecuted(page, (ROOT / page).read_text(), EXECUTED.get(page, {})) == []


@pytest.mark.parametrize(
    ("page", "kind", "by"), [(p, k, e.by) for p, kinds in EXECUTED.items() for k, e in kinds.items()]
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
    loads = {
        str(path.relative_to(built)): loaded
        for path in built.rglob("*")
        if path.suffix in (".html", ".css")
        and (loaded := loaded_from_network(path.read_text(), css=path.suffix == ".css"))
    }
    assert loads == {}


def test_checker_of_the_network_finds_what_is_loaded() -> None:
    page = """<a href="https://a.org">a</a><script src="https://b.org/b.js"></script><img src="c.png">
    <link rel="stylesheet" href="//d.org/d.css"><style>@import "https://e.org/e.css";</style>
    <p style="background: url(https://f.org/f.png)">"""
    loaded = " ".join(loaded_from_network(page))
    assert re.findall(r"[a-f]\.org", loaded) == ["b.org", "d.org", "f.org", "e.org"]


def undocumented(names: set[str]) -> list[str]:
    """List the names of public faces that a reference with `names` lacks."""
    documented = {id(thing_of(name)) for name in names}
    lacking = []
    for face in PUBLIC_FACES:
        module = module_of(face)
        helpers = HELPERS.get(face, ("", ""))[1].split()
        lacking += [
            f"{module.__name__}.{name}"
            for name in module.__all__
            if name not in helpers and id(getattr(module, name)) not in documented
        ]
    return lacking


def thing_of(name: str) -> object:
    """Return the object of a full name of the reference; None for methods."""
    module, _, last = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), last, None) if module else None
    except ImportError:
        return None


def imports(text: str) -> set[tuple[str, str]]:
    """Find the module and the name of every import from the package."""
    rows = re.findall(r"^ *from (tangermeme_creme[\w.]*) import (?:\(([^)]*)\)|([\w, ]*))", text, re.MULTILINE)
    rows += [(module, "", "") for module in re.findall(r"^ *import (tangermeme_creme\.[\w.]*)", text, re.MULTILINE)]
    return {
        (module, name.split()[0] if name.strip() else "")
        for module, many, few in rows
        for name in (many or few).strip(" ,\n").split(",")
    }


def beside_faces(text: str) -> list[str]:
    """List the imports of a page that are not from a face, or of names that the face does not hand out."""
    faces = {module_of(face).__name__ for face in (*PUBLIC_FACES, *INTERNAL_FACES)}
    return [
        f"{module}.{name}"
        for module, name in sorted(imports(text))
        if module not in MODULES
        and f"{module}.{name}" not in (*MODULES, *faces)
        and not (module in faces and name in importlib.import_module(module).__all__)
    ]


def test_every_face_is_public_or_internal() -> None:
    package = Path(tangermeme_creme.__file__).parent
    folders = [".".join(path.parent.relative_to(package).parts) for path in package.rglob("__init__.py")]
    assert sorted(folder or "tangermeme_creme" for folder in folders) == sorted([*PUBLIC_FACES, *INTERNAL_FACES])


def test_reference_has_every_public_name(built: Path) -> None:
    names = documented(built)
    assert undocumented(names) == []
    assert undocumented(names - {"tangermeme_creme.necessity_test"}) == [
        "tangermeme_creme.necessity_test", "tangermeme_creme.operators.necessity_test",
    ]  # fmt: skip


def test_helpers_are_names_that_the_reference_lacks(built: Path) -> None:
    documented_things = {id(thing_of(name)) for name in documented(built)}
    for face, (_, helpers) in HELPERS.items():
        module = module_of(face)
        assert set(helpers.split()) <= set(module.__all__), face
        assert [name for name in helpers.split() if id(getattr(module, name)) in documented_things] == [], face


def test_reference_has_what_pages_and_examples_import(built: Path) -> None:
    documented_things = {id(thing_of(name)) for name in documented(built)}
    files = [*(ROOT / page for page in PAGES), *(ROOT / "examples").glob("*.py")]
    imported = {f"{module}.{name}" for file in files for module, name in imports(file.read_text())}
    things = {name: thing_of(name) for name in imported}
    functions = {name: thing for name, thing in things.items() if thing is not None and not inspect.ismodule(thing)}
    assert len(functions) > 20
    assert [name for name, thing in sorted(functions.items()) if id(thing) not in documented_things] == []


@pytest.mark.parametrize(
    "file", [*PAGES, "docs/conf.py", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "examples").rglob("*.py"))]
)
def test_pages_and_examples_import_from_faces(file: str) -> None:
    assert beside_faces((ROOT / file).read_text()) == []


def test_checker_of_imports_finds_those_that_are_not_from_faces() -> None:
    text = """
from tangermeme_creme import cli, necessity_test, view
from tangermeme_creme.view.plots.tiles import plot_tile_effects
from tangermeme_creme.analysis import (
    call_cres,
    no_such_name,
)
from tangermeme_creme.demo import run_demo
import tangermeme_creme.engine.session
"""
    assert beside_faces(text) == [
        "tangermeme_creme.analysis.no_such_name",
        "tangermeme_creme.engine.session.",
        "tangermeme_creme.view.plots.tiles.plot_tile_effects",
    ]
