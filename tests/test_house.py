"""How the package is laid out: rooms, faces, private modules, and what an import costs."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import tangermeme_creme

PACKAGE = Path(tangermeme_creme.__file__).parent
NAME = "tangermeme_creme"


def modules(folder: Path = PACKAGE) -> dict[str, Path]:
    """Every module below a folder of the package, by its full name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
FACES = sorted(name for name, path in MODULES.items() if path.name == "__init__.py")


def folder_of(module: str) -> str:
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def imports(module: str, path: Path) -> Iterator[str]:
    """The modules of a package that a module imports from, at its top or in functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = [] if node.level == 0 else module.split(".")
        if node.level:
            base = base[: len(base) - node.level + (path.name == "__init__.py")]
        target = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            yield f"{target}.{alias.name}" if f"{target}.{alias.name}" in MODULES else target


def private_imports(modules: dict[str, Path]) -> list[str]:
    """Imports of a `_private` module of another folder."""
    return [
        f"{module} imports {target}"
        for module, path in modules.items()
        for target in imports(module, path)
        if target in MODULES and target.rpartition(".")[2].startswith("_") and folder_of(target) != folder_of(module)
    ]


def rooms(floor: str) -> Counter[tuple[str, str]]:
    """How many files of one room of a floor import from another; files of the floor itself are no room."""
    prefix = f"{NAME}.{floor}."
    counts: Counter[tuple[str, str]] = Counter()
    for module, path in MODULES.items():
        if module.startswith(prefix) and folder_of(module) != prefix[:-1]:
            room = module.removeprefix(prefix).partition(".")[0]
            for target in set(imports(module, path)):
                if target.startswith(prefix) and target in MODULES:
                    other = target.removeprefix(prefix).partition(".")[0]
                    if other != room and f"{prefix}{other}" in FACES:
                        counts[room, other] += 1
    return counts


def test_no_private_module_is_imported_from_another_folder() -> None:
    assert private_imports(MODULES) == []


def test_a_private_import_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("from ..operators._greedy import GreedyRounds\n")
    assert private_imports({f"{NAME}.analysis.calls": tmp_path / "new.py"}) == [
        f"{NAME}.analysis.calls imports {NAME}.operators._greedy"
    ]


@pytest.mark.parametrize("floor", ["study", "analysis", "view"])
def test_imports_between_rooms_lead_one_way(floor: str) -> None:
    counts = rooms(floor)
    assert sum(counts.values()) > 0 and not [pair for pair in counts if pair[::-1] in counts]
    print(f"{floor}: {len(counts)} pairs of rooms, {sum(counts.values())} files: {dict(counts)}")


@pytest.mark.parametrize("face", FACES)
def test_every_name_of_a_face_is_there(face: str) -> None:
    module = importlib.import_module(face)
    assert module.__all__ and set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("face", FACES)
def test_no_module_has_the_name_of_a_function_of_its_face(face: str) -> None:
    # Importing the module would put it in the place of the function.
    inside = {module.name for module in pkgutil.iter_modules([str(MODULES[face].parent)])}
    assert not inside & set(importlib.import_module(face).__all__)


def loaded(code: str) -> set[str]:
    """The modules that a new process has loaded after some code."""
    code = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import tangermeme_creme; tangermeme_creme.__version__",
        "import tangermeme_creme.study, tangermeme_creme.view, tangermeme_creme.analysis, tangermeme_creme.engine",
        "from tangermeme_creme.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass",
        "from tangermeme_creme.study.spec import StudySpec, check_spec, read_spec, study_template; study_template()",
        "from tangermeme_creme.study.tests import TESTS; list(TESTS)",
    ],
)
def test_torch_is_imported_when_it_is_used_and_not_before(code: str) -> None:
    assert "torch" not in loaded(code)


def test_torch_is_imported_by_the_first_operator() -> None:
    assert "torch" in loaded("from tangermeme_creme import necessity_test")


def test_a_study_and_a_test_in_part_import_nothing_slow_that_they_do_not_need() -> None:
    # Each takes a second or more, in each process.
    code = """
import tangermeme_creme.study.run.runner
from tangermeme_creme.study import run_study
from tangermeme_creme.analysis.stats import summarize_effects
from tangermeme.utils import random_one_hot
from tangermeme_creme import necessity_test
from tangermeme_creme.models.toy import RegulatoryToy
X = random_one_hot((1, 4, 2048), random_state=0).float()
necessity_test(RegulatoryToy(2048), X, [(100, 200)], n=1, device="cpu", incremental=True)
"""
    assert not {"torch._dynamo", "scipy.stats", "scipy.optimize", "bioframe", "matplotlib"} & set(loaded(code))
