"""Studies that are run once and shared: tests read them, or copy them."""

from pathlib import Path

import pytest
from study_cases import HERE, quick_spec, small_spec

from tangermeme_creme.study import run_study


@pytest.fixture(scope="session")
def study_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the genome."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def quick_study(study_base: Path) -> Path:
    """The folder of a study with the quick tests."""
    return run_study(quick_spec(study_base, study_base / "quick"), folder=HERE, verbose=False).folder


@pytest.fixture(scope="session")
def whole_study(study_base: Path) -> Path:
    """The folder of a study with all tests."""
    return run_study(small_spec(study_base), folder=HERE, verbose=False).folder
