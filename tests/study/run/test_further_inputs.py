"""Further inputs of a model are columns of the loci, in every test of a study."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from run_model_cases import genome_spec, loci_table, window_spec
from study_cases import HERE

from tangermeme_creme.study import Study, StudyError, run_study
from tangermeme_creme.study.run import read_loci
from tangermeme_creme.study.tests import TESTS, further_inputs

ARGS = ["age", ["utr5", "utr3"]]
AGES = [2.0, 4.0]
# Each locus is called a CRE at each tile, so that every test has something to do.
TESTED: dict[str, Any] = {
    "tiles": {"size": 16}, "context": {"n": 1, "neutral": 10.0, "enhancing": 11.0, "silencing": -11.0},
    "cres": {"silencer": 0.0, "enhancer": 1e-9, "enhancer_contexts": ["neutral"], "silencer_contexts": ["neutral"],
             "max_per_locus": 1},
    "tests": {
        "include": list(TESTS), "multiplicity": {"n": 1, "copies": 2, "tracks": ["B"]},
        "higher_order": {"n": 1, "rounds": 2, "tracks": ["B"]}, "interactions": {"n": 2, "tiles": 2, "tracks": ["B"]},
        "fine_tile": {"n": 1, "scales": [4], "thresholds": [0.5], "prune": [1], "score": "effect", "tracks": ["B"],
                      "compare": ["saliency"]},
        **{name: {"n": 2} for name in ("sufficiency", "distance", "set_sufficiency")},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Study]:
    """A study of a model that multiplies by the age of a locus, and one of the same model without."""
    folder = tmp_path_factory.mktemp("inputs")
    table = loci_table(folder, age=AGES, utr5=0, utr3=0.0)
    windows = {"loci": str(table)}
    aged = window_spec(folder, "with_inputs", model={"args": ARGS}, windows=windows, **TESTED)
    plain = window_spec(folder, "positional", windows=windows, out=str(folder / "plain"), **TESTED)
    return run_study(aged, folder=HERE, verbose=False), run_study(plain, folder=HERE, verbose=False)


def test_every_test_gives_each_locus_its_own_inputs(studies: tuple[Study, Study]) -> None:
    aged, plain = studies
    assert "failures" not in aged.tables and "failures" not in plain.tables
    assert set(aged.tables) == set(plain.tables) and set(TESTS) <= set(aged.tables)
    age = dict(zip(("w0", "w1"), AGES))
    for name in ("contexts", "necessity", "sufficiency", "distance", "multiplicity", "higher_order", "set_sufficiency"):
        one, other = aged.table(name), plain.table(name)
        for column in (column for column in one if column.startswith("y_")):
            assert one[column].tolist() == (other[column] * other["example"].map(age)).tolist(), (name, column)
    # In a swap the inputs are of the context.
    one, other = aged.table("swap"), plain.table("swap")
    assert one["y_mut"].tolist() == (other["y_mut"] * other["example"].map(age)).tolist()
    for name, value in (("interactions", "epistasis"), ("fine_tile", "score"), ("retention", "score")):
        pd.testing.assert_series_equal(aged.table(name)[value], plain.table(name)[value])


def test_inputs_are_in_the_order_of_their_names() -> None:
    loci = pd.DataFrame({"example": ["a"], "x": [1], "y": ["2.5"]})
    one, two = further_inputs(loci, ["x", ["y", "x"]]) or []
    assert one.equal(torch.tensor([[1.0]])) and two.equal(torch.tensor([[2.5, 1.0]])) and one.dtype == torch.float32
    assert further_inputs(loci, []) is None


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"utr5": 0, "utr3": 0}, r"loci must have column 'age'; got example, utr5, utr3"),
        ({"age": [1, "old"], "utr5": 0, "utr3": 0}, r"must be numbers; got 'old' in column 'age' of 'w1'"),
        ({"age": 1, "utr5": [1, None], "utr3": 0}, r"must be numbers; got '' in column 'utr5' of 'w1'"),
        ({"age": 1, "utr5": 0, "utr3": [1, float("inf")]}, r"must be numbers; got 'inf' in column 'utr3' of 'w1'"),
        ({"age": 1, "utr5": 0, "utr3": [1e39, 0]}, r"must be numbers; got '1e\+39' in column 'utr3' of 'w0'"),
    ],
)
def test_columns_that_are_no_inputs_are_refused_before_the_model_loads(
    tmp_path: Path, columns: dict[str, Any], match: str
) -> None:
    windows = {"loci": str(loci_table(tmp_path, **columns))}
    with pytest.raises(StudyError, match=match):
        read_loci(window_spec(tmp_path, "no_such_function", model={"args": ARGS}, windows=windows))


def test_activity_gets_the_inputs_too(tmp_path: Path) -> None:
    study = run_study(genome_spec(tmp_path, "with_inputs", model={"args": ARGS}), folder=HERE, verbose=False)
    plain = run_study(genome_spec(tmp_path, "positional", out=str(tmp_path / "plain")), folder=HERE, verbose=False)
    one, other = study.table("selection"), plain.table("selection")
    assert one["activity"].tolist() == (other["activity"] * other["example"].map({"a": 2.0, "b": 4.0})).tolist()
