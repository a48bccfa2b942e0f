"""The records of the tests of a study: they fit together, and their costs are what runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from study_cases import HERE, LENGTH, TILE, small_spec

from tangermeme_creme.sequence import tile_grid
from tangermeme_creme.study import Study, run_study
from tangermeme_creme.study.run import cost_of
from tangermeme_creme.study.store import Manifest
from tangermeme_creme.study.tests import GIVEN_BY, TESTS, Extent, StudyTest, needed_tests
from tangermeme_creme.view.tests import section_views

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    higher_order = {"n": 2, "rounds": 3, "n_holdout": 1}
    folder = tmp_path_factory.mktemp("registry")
    spec = small_spec(folder, 2, tests={"higher_order": higher_order, "multiplicity": {"n": 2, "copies": 3}})
    return run_study(spec, folder=HERE, verbose=False)


def test_a_test_starts_from_tables_of_earlier_tests_alone() -> None:
    earlier: set[str] = {"sources"}
    for test in TESTS.values():
        assert set(test.needs) <= earlier, test.name
        earlier |= set(test.gives)


def test_each_table_is_given_by_one_test() -> None:
    tables = [table for test in TESTS.values() for table in test.gives]
    assert len(tables) == len(set(tables)) == len(GIVEN_BY)
    assert all(summary.needs in test.gives for test in TESTS.values() for summary in test.summaries)
    assert needed_tests("fine_tile") == ["sufficiency"] and needed_tests("set_sufficiency") == ["higher_order"]


def test_every_test_has_its_section_of_the_page() -> None:
    assert [name for name in section_views() if name in TESTS] == list(TESTS)


@pytest.mark.parametrize("name", [name for name in TESTS if name != "fine_tile"])  # its cost is a bound
def test_the_cost_of_a_test_is_what_runs(study: Study, name: str) -> None:
    contexts, cres = study.table("contexts"), study.table("cres")
    selected = contexts[contexts["selected"]]
    manifest = Manifest.load(study.folder)
    assert manifest is not None
    shards = [shard for shard in manifest.shards if shard.stage == name]
    assert shards
    for shard in shards:
        rows = cres[cres["example"] == shard.examples[0]]
        extent = Extent(
            tiles=len(tile_grid(LENGTH, TILE).context),
            tracks=(selected["example"] == shard.examples[0]).sum(),
            sources=selected["example"].nunique(),
            cre_tiles=rows["tile"].nunique(),
            cres=len(rows),
            tile_size=TILE,
        )
        work = shard.cost.get("full", 0) + shard.cost.get("partial", 0)
        shared = 0
        if shard is next(one for one in manifest.shards if one.examples == shard.examples and one.stage in TESTS):
            shared = cost_of(study.spec, "shared", extent, in_part=True).total  # runs with the first test of a locus
        assert work == cost_of(study.spec, name, extent, in_part=True).total + shared


def test_the_record_in_contributing_is_one() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^   ```python\n(.*?)^   ```", text, flags=re.MULTILINE | re.DOTALL)
    code = "\n".join(line.removeprefix("   ") for line in block.splitlines())
    names: dict[str, object] = {}
    exec(
        "from __future__ import annotations\nfrom tangermeme_creme.support import Count, Section, key\n"
        "from tangermeme_creme.study.tests import StudyTest, Summary\nsummarize = None\n" + code,
        names,
    )
    test = names["TEST"]
    assert (
        isinstance(test, StudyTest)
        and test.name == "orientation"
        and test.cost(None, Extent(tiles=6, tile_size=1024)) == 7
    )
