"""A study where `fcntl` is missing and folders cannot be flushed, as on Windows."""

import subprocess
import sys
from pathlib import Path

from study_cases import HERE, small_spec, table_bytes, write_toml

from tangermeme_creme.study import run_study
from tangermeme_creme.study.spec import spec_to_dict

PRETEND = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from windows_cases import pretend_windows
pretend_windows()
"""
IMPORT = """
import importlib, pkgutil
import tangermeme_creme.study as study
for module in pkgutil.walk_packages(study.__path__, study.__name__ + "."):
    importlib.import_module(module.name)
    print(module.name)
"""
RUN = """
from tangermeme_creme.cli import main
sys.exit(main())
"""


def pretending(code: str, *arguments: object) -> str:
    """Run code as on Windows, and return its output."""
    command = [sys.executable, "-W", "error", "-c", PRETEND + code, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_every_module_of_a_study_is_imported() -> None:
    names = pretending(IMPORT).split()
    assert {f"tangermeme_creme.study.{room}" for room in ("run", "spec", "store", "tables", "tests")} <= set(names)
    assert "tangermeme_creme.study.store.lock" in names


def test_study_is_run_to_the_same_tables(tmp_path: Path) -> None:
    tests = {"include": ["necessity"]}
    here = small_spec(tmp_path, out=str(tmp_path / "here"), tests=tests)
    there = small_spec(tmp_path, out=str(tmp_path / "there"), tests=tests)
    run_study(here, folder=HERE, verbose=False)
    pretending(RUN, "run", write_toml(spec_to_dict(there), tmp_path / "study.toml"), "--quiet")
    assert table_bytes(Path(there.out)) == table_bytes(Path(here.out)) != {}
    assert (Path(there.out) / "writer.txt").exists()
