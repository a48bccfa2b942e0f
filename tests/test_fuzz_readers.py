"""Test that every reader reads or refuses damaged files, with a fixed budget; the script behind it reads thousands."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from benchmarks.fuzz_readers import Kind, Outcome, attempt, damaged, fuzz, kinds

KINDS = {kind.name: kind for kind in kinds()}
N_FILES = 5  # per kind


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore:.*have no strand")
def test_damaged_files_are_read_or_refused_with_a_message(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    (tmp_path / name).write_bytes(kind.content)
    kind.read(tmp_path / name)  # as it is
    outcomes = fuzz(N_FILES, sum(name.encode()), [kind], tmp_path)
    assert [outcome for outcome in outcomes if outcome.result == "fault"] == []


def failing(error: Exception | None) -> Kind:
    def read(path: Path) -> None:
        if error is None:
            warnings.warn("not ours", UserWarning, stacklevel=1)
        else:
            raise error

    return Kind("a.txt", b"a\tb\n", read)


@pytest.mark.parametrize(
    "error", [KeyError("a"), IndexError("a"), ValueError(""), ValueError("x" * 9000), None], ids=repr
)
def test_the_fuzzer_sees_faults(error: Exception | None, tmp_path: Path) -> None:
    assert attempt(failing(error), np.random.default_rng(0), tmp_path / "0").result == "fault"


def test_the_fuzzer_lets_refusals_pass_and_repeats_itself(tmp_path: Path) -> None:
    outcome = attempt(failing(ValueError("a rule")), np.random.default_rng(0), tmp_path / "0")
    assert outcome == Outcome("a.txt", outcome.damage, "refused", "a rule")
    first, second = (damaged(KINDS["a.gtf"].content, np.random.default_rng([0, 4])) for _ in range(2))
    assert first == second and first[1] != KINDS["a.gtf"].content
