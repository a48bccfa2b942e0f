"""A study that tests nothing ends with an error that counts how many loci fell to what."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from run_model_cases import genome_spec, window_spec
from study_cases import HERE, write_toml

from tangermeme_creme.cli import main
from tangermeme_creme.study import Study, StudyError, run_study
from tangermeme_creme.study.run import select_loci
from tangermeme_creme.study.spec import spec_to_dict


def test_model_that_is_negative_everywhere_ends_with_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = window_spec(tmp_path, "negative", model={"module_folder": str(HERE)})
    assert main(["run", str(write_toml(spec_to_dict(spec), tmp_path / "study.toml")), "--quiet"]) == 2
    shown = capsys.readouterr().err
    assert "a study must have a context to test that is enhancing, neutral or silencing; got none of 4, one" in shown
    assert "4 have no context effect, which is relative to the prediction of the window: these are from -" in shown
    assert len(Study.open(tmp_path / "study").table("contexts")) == 4


def test_contexts_of_no_category_are_counted_with_their_effects(tmp_path: Path) -> None:
    spec = window_spec(
        tmp_path, "positional", context={"n": 2, "enhancing": 2.0, "neutral": 0.0, "silencing": -2.0}
    )  # every context is between the thresholds
    match = r"got none of 4, one per locus and track: 4 are 'other', between the thresholds of \[context\]\."
    with pytest.raises(StudyError, match=match):
        run_study(spec, folder=HERE, verbose=False)


def test_a_study_without_tests_needs_no_context(tmp_path: Path) -> None:
    spec = window_spec(tmp_path, "negative", tests={"include": []})
    assert len(run_study(spec, folder=HERE, verbose=False).table("contexts")) == 4


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        (
            {"min_activity": 9.0},
            r"got none of 4 predictions, .*: 4 are less active than .* 9, the most active with 3\.",
        ),
        ({"max_offset": 5.0}, r": the peaks of 4 are further off than loci\.max_offset 5 bp, the nearest with 7 bp\."),
        (
            {"min_activity": 2.0, "max_offset": 5.0},
            r": 2 are less active than loci\.min_activity 2, the most active with 3; the peaks of 2 are further off",
        ),
    ],
)
def test_limits_that_leave_no_tss_are_counted(tmp_path: Path, limits: dict[str, Any], match: str) -> None:
    spec = genome_spec(tmp_path, "positional", loci=limits)
    loci = pd.DataFrame({"example": ["a", "b"], "chrom": "chr1", "tss": [100, 200], "strand": ["+", "-"]})
    activity = pd.DataFrame({
        "example": ["a", "a", "b", "b"], "track": ["A", "B"] * 2, "activity": [0.0, 1.0, 2.0, 3.0],
        "offset": [-9.0, -8.0, 7.0, 8.0],
    })  # fmt: skip
    with pytest.raises(StudyError, match=match):
        select_loci(spec, loci, activity)
