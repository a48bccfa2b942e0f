"""A model and options that no session can run with are refused by name, before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import CountA, random_sequences
from tangermeme.utils import TangermemeWarning

from tangermeme_creme import necessity_test
from tangermeme_creme.engine import EditSession
from tangermeme_creme.models import Readout

X = random_sequences(2, 60)
TILES = [(0, 40)]


def exported() -> Any:
    return torch.export.export(torch.nn.Flatten(), (torch.zeros(2, 4, 60),))


def on_meta() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(240, 1, device="meta"))


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (
            lambda: torch.sum,
            {},
            "model must be a torch.nn.Module; got a builtin.*: put it into the forward of",
        ),
        (lambda: lambda X: X.sum((1, 2)), {}, "model must be a torch.nn.Module; got a function"),
        (lambda: None, {}, "model must be a torch.nn.Module; got a NoneType"),
        (exported, {}, r"got a ExportedProgram, whose \.module\(\) is one"),
        (on_meta, {}, "must have values on a device; got Sequential on the meta device"),
        (CountA, {"args": torch.zeros(2, 3)}, r"args must be a list of tensors; got one tensor, of shape \(2, 3\)"),
        (CountA, {"args": "ab"}, "args must be a list or tuple of tensors; got str"),
        (CountA, {"args": [torch.zeros(2, 3, device="meta")]}, "got a tensor on the meta device at index 0"),
        (CountA, {"args": [torch.zeros(2, 3).to_sparse()]}, "must be dense tensors.*at index 0"),
        (CountA, {"device": "nonsense"}, "device must be a device of torch.*; got 'nonsense'"),
        (CountA, {"device": 2.5}, "device must be a device of torch.*; got 2.5"),
        (CountA, {"device": "cuda:99"}, "device must be one of this machine's; got 'cuda:99'"),
        (CountA, {"device": "meta"}, "device must be one that computes; got 'meta'"),
        (
            CountA,
            {"dtype": "nonsense"},
            "float16, bfloat16, float32 or float64 of torch, or its name; got 'nonsense'",
        ),
        (CountA, {"dtype": 5}, "dtype must be float16, bfloat16, float32 or float64 of torch, or its name; got 5"),
        (CountA, {"dtype": torch.int64}, "dtype must be float16.*; got torch.int64"),
        (CountA, {"batch_size": 0}, "batch_size must be at least 1; got 0"),
        (CountA, {"batch_size": 2.0}, r"batch_size must be an integer; got 2\.0"),
        (CountA, {"allow_stochastic": "yes"}, "allow_stochastic must be True or False; got 'yes'"),
        (CountA, {"incremental": []}, r"incremental must be 'auto', True or False; got \[\]"),
    ],
)
def test_options_are_refused_before_anything_runs(
    model: Callable[[], Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        necessity_test(model(), X, TILES, n=1, **options)
    with pytest.raises(ValueError, match=message):
        EditSession(model(), X, **options)


@pytest.mark.parametrize("wrong", [X.to("meta"), X.to_sparse()])
def test_sequences_without_dense_values_are_refused(wrong: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="X must be a dense tensor of real values; got"):
        necessity_test(CountA(), wrong, TILES, n=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="device must be one of this machine's; got 'cuda', of 0 CUDA devices"):
        necessity_test(CountA(), X, TILES, n=1, device="cuda")


def test_a_session_that_cannot_begin_gives_the_model_back() -> None:
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Flatten()).train()
    session = EditSession(model, X)
    session._batch_size = "many"  # type: ignore[assignment]  # whatever fails after the model has moved
    with pytest.raises(TypeError), session:
        pass
    assert model.training and model[0].training


def test_a_func_that_takes_any_keyword_gets_the_options() -> None:
    seen: list[dict[str, Any]] = []

    def func(model: torch.nn.Module, X: torch.Tensor, args: Any = None, **kwargs: Any) -> torch.Tensor:
        seen.append(kwargs)
        return model(X.float())

    necessity_test(CountA(), X, TILES, n=1, random_state=7, func=func, device="cpu", batch_size=3)
    assert {key: seen[0][key] for key in ("batch_size", "device", "random_state")} == {
        "batch_size": 3, "device": torch.device("cpu"), "random_state": 7,
    }  # fmt: skip
    assert [kwargs["random_state"] for kwargs in seen][-1] == 8


class Fills(torch.nn.Module):
    """Predicts how many rows a base has on average."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.sum(1).mean(-1, keepdim=True)[:, :, None]


def test_a_readout_fills_unknown_bases() -> None:
    unknown = random_sequences(2, 40)
    unknown[1, :, :10] = 0
    for n_fill, expected in ((None, 0.75), (0, 0.75), (0.25, 1.0), (0.5, 1.25)):
        y = Readout(Fills(), n_fill=n_fill)(unknown.float())
        assert y.flatten().tolist() == [1.0, expected]
    with pytest.raises(ValueError, match="n_fill must be a number, or None; got 'N'"):
        Readout(Fills(), n_fill="N")  # type: ignore[arg-type]


def test_unknown_bases_in_a_model_without_a_fill_are_told_once() -> None:
    unknown = random_sequences(2, 60)
    unknown[1, :, 45:55] = 0
    with pytest.warns(
        TangermemeWarning, match=r"X has 10 unknown bases, in 1 of 2 sequences, and CountA gets"
    ) as caught:
        necessity_test(CountA(), unknown, TILES, n=2)
    assert len(caught) == 1
    for n_fill in (0, 0.25):
        necessity_test(Readout(Fills(), n_fill=n_fill), unknown, TILES, n=2)
