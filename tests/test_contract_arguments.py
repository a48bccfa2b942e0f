"""The contract of every operator: arguments of wrong types are refused by name, before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from contract_cases import CASES, CRE, POSITIONS, TILES, TSS, Case, Counts, CountsRows, n, same, sequences

import tangermeme_creme as creme
from tangermeme_creme.engine import EditSession, concatenate
from tangermeme_creme.operators import check_stages, direction_per_example
from tangermeme_creme.sequence import check_spans, example_seeds, integers

every = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
shuffling = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case.shuffles], ids=[k for k, case in CASES.items() if case.shuffles]
)
sparse, meta = torch.tensor([[0, 2]]).to_sparse(), torch.zeros((1, 2), dtype=torch.int64, device="meta")


@shuffling
def test_integers_of_numpy_are_counts(case: Case) -> None:
    expected = case.call(Counts(), sequences())
    assert same(case.call(Counts(), sequences(), n=np.int64(n), batch_size=np.int32(4)), expected)


@every
def test_any_batch_size_is_one(case: Case) -> None:
    def func(model: torch.nn.Module, X: torch.Tensor, args: Any = None) -> torch.Tensor:
        return model(X).detach()

    assert same(case.call(Counts(), sequences(), func=func, batch_size=10**23), case.call(Counts(), sequences()))


@every
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"func": None}, "func must be a function of a model and sequences; got None"),
        ({"func": "predict"}, "func must be a function of a model and sequences; got 'predict'"),
        ({"additional_func_kwargs": [1]}, r"additional_func_kwargs must be a dict of arguments by name, .* got \[1\]"),
        ({"additional_func_kwargs": {1: 2}}, r"additional_func_kwargs must be a dict .* got \{1: 2\}"),
        ({"verbose": np.array([True, False])}, "verbose must be True or False; got array"),
        ({"dtype": "float8_e5m2"}, r"dtype must be float16, bfloat16, float32 or float64 of torch.* got 'float8_e5m2'"),
        ({"device": "hpu"}, "device must be one of this machine's; got 'hpu'"),
        ({"device": "vulkan"}, "device must be one of this machine's; got 'vulkan'"),
        ({"device": 2**64}, "device must be a device of torch.*got 18446744073709551616"),
    ],
    ids=str,
)
def test_options_of_wrong_types_are_refused(case: Case, option: dict[str, Any], message: str) -> None:
    model = CountsRows()
    with pytest.raises(ValueError, match=message):
        case.call(model, sequences(), **option)
    assert model.rows == 0


@every
@pytest.mark.parametrize(
    ("X", "got"),
    [
        (torch.ones(1, 4, 6, dtype=torch.complex64), "torch.complex64"),
        (torch.ones(1, 4, 6, device="meta"), "a tensor on the meta device"),
        (torch.ones(1, 4, 6).to_sparse(), "layout torch.sparse_coo"),
    ],
)
def test_sequences_without_readable_values_are_refused(case: Case, X: torch.Tensor, got: str) -> None:
    with pytest.raises(ValueError, match=f"must be a dense tensor of real values; got {got}"):
        case.call(Counts(), X)


@pytest.mark.filterwarnings("ignore")  # both kinds are deprecated, or prototypes
def test_quantized_and_nested_sequences_are_refused() -> None:
    quantized = torch.quantize_per_tensor(torch.ones(1, 4, 6), 1.0, 0, torch.quint8)
    nested = torch.nested.as_nested_tensor([torch.ones(4, 6)])
    for X, got in ((quantized, "a quantized tensor"), (nested, "a nested tensor")):
        with pytest.raises(ValueError, match=f"X must be a dense tensor of real values; got {got}"):
            creme.necessity_test(Counts(), X, TILES)


@shuffling
def test_a_shuffle_function_that_is_none_is_refused(case: Case) -> None:
    with pytest.raises(ValueError, match=r"shuffle_fn must be a function .* got None"):
        case.call(Counts(), sequences(), shuffle_fn=None)


@every
def test_a_model_that_returns_no_numbers_is_refused(case: Case) -> None:
    class Empty(Counts):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return super().forward(X)[:, :, :0]

    with pytest.raises(ValueError, match=r"at least one number per sequence; got shape \(\d+, 6, 0\) at output 0"):
        case.call(Empty(), sequences())


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (sparse, "must be dense, with values; got layout torch.sparse_coo"),
        (meta, "must be dense, with values; got a tensor on the meta device"),
        (torch.tensor([[0, 2]]) + 0j, "must be integers; got dtype torch.complex64"),
        (np.array([[0, 2]], dtype=complex), "must be integers; got dtype torch.complex128"),
        (np.array([[0, 2**63]], dtype=np.uint64), r"must be below 2\*\*63; got 9223372036854775808"),
    ],
    ids=str,
)
def test_spans_that_are_no_integers_are_refused(values: Any, got: str) -> None:
    with pytest.raises(ValueError, match=f"tiles {got}"):
        check_spans(values, 10)
    with pytest.raises(ValueError, match=f"random_state {got}"):
        example_seeds(values[0] if isinstance(values, np.ndarray) else values, 2)


def test_integers_of_every_width_are_read() -> None:
    for dtype in ("uint8", "int16", "uint32", "uint64", "int64"):
        assert integers(np.array([3, 250 if dtype != "int16" else 4], dtype=dtype), "a")[0] == 3
    assert (
        integers(np.array([]), "a").dtype == integers(torch.tensor([], dtype=torch.complex64), "a").dtype == torch.int64
    )


GREEDY: dict[str, Any] = {
    "higher_order_interaction_test": (TILES,),
    "multiplicity_test": (TSS, CRE, POSITIONS),
    "fine_tile_search": (TSS, CRE),
}


@pytest.mark.parametrize("name", GREEDY)
@pytest.mark.parametrize("objective", [5, "mean", torch.ones(1), [None]], ids=repr)
def test_an_objective_that_is_no_function_is_refused(name: str, objective: Any) -> None:
    model, options = CountsRows(), {"copies": 2} if name == "multiplicity_test" else {}
    with pytest.raises(ValueError, match="objective must be a function of the predictions, or None; got"):
        getattr(creme, name)(model, sequences(), *GREEDY[name], direction="max", objective=objective, n=n, **options)
    assert model.rows == 0


@pytest.mark.parametrize("name", GREEDY)
def test_a_complex_objective_is_refused(name: str) -> None:
    options: dict[str, Any] = {"direction": "max", "n": n, "objective": lambda y: y.sum((1, 2)) + 0j}
    options |= {"copies": 2} if name == "multiplicity_test" else {}
    with pytest.raises(ValueError, match="objective must return real numbers; got complex64"):
        getattr(creme, name)(Counts(), sequences(), *GREEDY[name], **options)


@pytest.mark.parametrize("word", [None, 1, ["max"], np.array("max"), np.array(["max", "min"])], ids=repr)
def test_words_of_wrong_types_are_refused(word: Any) -> None:
    X, tiles = sequences(), TILES
    with pytest.raises(ValueError, match="direction must be 'min' or 'max'; got"):
        creme.higher_order_interaction_test(Counts(), X, tiles, direction=word)
    with pytest.raises(ValueError, match="carry must be 'closest' or 'all'; got"):
        creme.higher_order_interaction_test(Counts(), X, tiles, direction="min", carry=word)
    with pytest.raises(ValueError, match="pairs must be 'all' or 'matched'; got"):
        creme.context_swap_test(Counts(), X, X, TSS, pairs=word)
    with pytest.raises(ValueError, match=r"score must be 'activity', 'effect' or None; got|have a score"):
        creme.fine_tile_search(Counts(), X, TSS, CRE, score=1 if word is None else word)
    with pytest.raises(ValueError, match=r"direction must be (one|'min')"):
        creme.fine_tile_search(Counts(), X, TSS, CRE, direction=word)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ((5, (0.9,), (1,)), "scales must be a list with one entry per stage; got 5"),
        (((5,), 0.9, (1,)), "thresholds must be a list with one entry per stage; got 0.9"),
        (((5,), (0.9,), None), "prune must be a list with one entry per stage; got None"),
        ((np.array(5), (0.9,), (1,)), r"scales must be a list with one entry per stage; got array\(5\)"),
        (("5", (0.9,), (1,)), "scales must be a list with one entry per stage; got '5'"),
        (((5,), ("0.9",), (1,)), "thresholds must be a number; got '0.9' at index 0"),
        (((5,), (None,), (1,)), "thresholds must be a number; got None at index 0"),
        (((5,), (False,), (1,)), "thresholds must be a number; got False at index 0"),
    ],
    ids=str,
)
def test_stages_of_wrong_types_are_refused(stages: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_stages(*stages, below=False)


def test_stages_and_directions_may_be_columns() -> None:
    of_lists = check_stages([500, 50], [0.9, 0.7], [1, 10], below=False)
    for kind in (tuple, np.array, pd.Series):
        assert check_stages(kind([500, 50]), kind([0.9, 0.7]), kind([1, 10]), below=False) == of_lists
        assert direction_per_example(kind(["max", "min"]), 2) == ["max", "min"]


def test_an_output_that_changes_between_the_steps_of_a_test_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must keep its shape; got \[\(2, 1\)\] after \[\(2, 3\)\]"):
        concatenate([torch.ones(2, 4, 3), torch.ones(2, 5, 1)], axis=1)
    with pytest.raises(ValueError, match=r"must keep its shape; got \[\(\), \(\)\] after \[\(\)\]"):
        concatenate([torch.ones(1), [torch.ones(1), torch.ones(1)]])


def test_a_session_refuses_what_its_func_is_not() -> None:
    with pytest.raises(ValueError, match="func must be a function"):
        EditSession(Counts(), sequences(), func=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="func_kwargs must be a dict"):
        EditSession(Counts(), sequences(), func_kwargs="x")  # type: ignore[arg-type]


def test_a_function_without_a_signature_is_called() -> None:
    # int has none; what it says of the model is its own error.
    with pytest.raises(TypeError, match=r"int\(\)"):
        creme.necessity_test(Counts(), sequences(), TILES, n=2, random_state=0, func=int)
