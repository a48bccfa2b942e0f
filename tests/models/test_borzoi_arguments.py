"""Test how BorzoiTSS loads weights, and the arguments that it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from borzoi_cases import FILLED, LENGTH, TRACKS, X, assert_close, cropped, read, small, subset_of, tss

from tangermeme_creme.models import BorzoiTSS


def test_borzoi_loads_from_folders(tmp_path: Path) -> None:
    for seed in (0, 7):
        small(seed, loadable=True).save_pretrained(tmp_path / f"{seed}")
    loaded = tss([str(tmp_path / "7"), tmp_path / "0"], bins=[4], replicates=None)
    outputs = [deepcopy(small(seed, loadable=True))(FILLED) for seed in (7, 0)]
    assert_close(loaded(X), torch.stack([read(y, TRACKS, [4]) for y in outputs], 1))


def test_borzoi_refuses_to_load_part_of_a_model(tmp_path: Path) -> None:
    model = small(loadable=True)
    state = {name: value for name, value in model.state_dict().items() if name != "human_head.bias"}
    model.save_pretrained(tmp_path, state_dict=state)
    with pytest.raises(ValueError, match=re.escape("must cover the whole model; got none for 'human_head.bias'")):
        tss(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tracks": [3, 7611]}, "tracks must be in [0, 7611); got 7611 at index 1"),
        ({"tracks": [3, (4, -1)]}, "tracks must be in [0, 7611); got -1 at index 1"),
        ({"tracks": []}, "tracks and bins must name at least one; got []"),
        ({"tracks": [3, ()]}, "tracks and bins must name at least one; got [[0], []]"),
        ({"bins": [0, 32]}, "bins must be in [0, 32); got 32 at index 1"),
        ({"bins": [-1]}, "bins must be in [0, 32); got -1 at index 0"),
        ({"bins": [1.0]}, "bins must be in [0, 32); got 1.0 at index 0"),
        ({"bins": []}, "bins must name at least one; got []"),
        ({"reduce": "median"}, "reduce must be one of 'mean', 'sum', 'max'; got 'median'"),
        ({"replicates": "sum"}, "replicates must be 'mean' or None; got 'sum'"),
        ({"head": "mouse"}, "head must be one that the model has; got 'mouse'"),
        ({"length": 2050}, "length must be a multiple of 128 bp; got 2050"),
        ({"length": 0}, "length must be a multiple of 128 bp; got 0"),
        ({"length": 896}, "length must hold the 32 bins of 32 bp that the model returns; got 896 bp"),
        ({"weights": lambda: torch.nn.Linear(1, 1)}, "a folder or a borzoi_pytorch.Borzoi; got Linear"),
        ({"weights": lambda: []}, "the same tracks and bins; got (tracks, bins) []"),
        (
            {"weights": lambda: [small(), subset_of([9, 7610]), cropped(30)]},
            "the same tracks and bins; got (tracks, bins) [(7611, 32), (2, 32), (7611, 30)]",
        ),
        (
            {"weights": lambda: subset_of([9, 7610]), "tracks": [0], "sum_strands": True},
            "needs the 7611 tracks of the human head; got the human head with 2 tracks, or others, at index 0",
        ),
        (
            {"weights": lambda: [small(), subset_of(range(7611)[::-1])], "tracks": [0], "sum_strands": True},
            "got the human head with 7611 tracks, or others, at index 1",
        ),
        (
            {"weights": lambda: small(mouse=True), "tracks": [0], "head": "mouse", "sum_strands": True},
            "got the mouse head with 2608 tracks",
        ),
    ],
)
def test_borzoi_refuses_bad_arguments(options: dict[str, Any], message: str) -> None:
    weights = options.get("weights", small)()
    with pytest.raises(ValueError, match=re.escape(message)):
        BorzoiTSS(**{"tracks": TRACKS, "length": LENGTH, **options, "weights": weights})


def test_borzoi_refuses_sequences_of_another_shape() -> None:
    for shape in ((1, 4, LENGTH - 128), (1, 5, LENGTH), (4, LENGTH)):
        with pytest.raises(ValueError, match=re.escape(f"(N, 4, 2048), as length says; got {shape}")):
            tss(small())(torch.zeros(shape))


def test_borzoi_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "borzoi_pytorch", None)
    with pytest.raises(ImportError, match=re.escape('pip install "tangermeme-creme[borzoi]"')):
        BorzoiTSS("johahi/borzoi-replicate-0", tracks=[0])


def test_borzoi_is_imported_only_when_it_is_used() -> None:
    code = "import sys, tangermeme_creme.models.borzoi; print({'borzoi_pytorch', 'transformers'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
