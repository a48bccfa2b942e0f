"""Outputs of a model: gathered batch by batch, and refused if they cannot be right."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tangermeme_creme.engine import (
    OutputRows,
    apply_objective,
    check_output,
    concatenate,
    map_output,
    mean_objective,
)


def describe(row: int) -> str:
    return f"sequence {row}"


def test_map_output_applies_to_one_tensor() -> None:
    assert torch.equal(map_output(torch.neg, torch.arange(3)), -torch.arange(3))


def test_map_output_applies_to_each_of_several() -> None:
    mapped = map_output(torch.neg, [torch.arange(3), torch.ones(3, 2)])
    assert isinstance(mapped, list)
    assert torch.equal(mapped[0], -torch.arange(3)) and torch.equal(mapped[1], -torch.ones(3, 2))


@pytest.mark.parametrize("axis", [0, 1])
def test_concatenate_joins_along_an_axis(axis: int) -> None:
    parts = [torch.rand(2, 2, 3), torch.rand(2, 2, 3)]
    assert torch.equal(concatenate(parts, axis), torch.cat(parts, axis))


def test_concatenate_joins_each_of_several_outputs() -> None:
    parts: list[Any] = [[torch.rand(2, 2), torch.rand(2)], [torch.rand(3, 2), torch.rand(3)]]
    joined = concatenate(parts)
    assert isinstance(joined, list) and len(joined) == 2
    for k in range(2):
        assert torch.equal(joined[k], torch.cat([parts[0][k], parts[1][k]]))


def test_concatenate_of_one_part_is_that_part() -> None:
    part = torch.rand(2)
    assert concatenate([part]) is part


def test_output_rows_puts_batches_one_after_the_other() -> None:
    y = torch.rand(7, 2, 3)
    rows = OutputRows(7, describe)
    for batch in y.split(3):
        rows.add(batch, len(batch))
    assert torch.equal(rows.result, y)


def test_output_rows_keeps_several_outputs_apart() -> None:
    y, z = torch.rand(5, 2), torch.rand(5)
    rows = OutputRows(5, describe)
    for a, b in zip(y.split(2), z.split(2)):
        rows.add((a, b), len(a))
    assert isinstance(rows.result, list)
    assert torch.equal(rows.result[0], y) and torch.equal(rows.result[1], z)


def test_output_rows_keeps_a_list_of_one_output_a_list() -> None:
    rows = OutputRows(2, describe)
    rows.add([torch.ones(2, 3)], 2)
    assert isinstance(rows.result, list) and len(rows.result) == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool], ids=str)
def test_output_rows_keeps_the_dtype(dtype: torch.dtype) -> None:
    rows = OutputRows(3, describe)
    rows.add(torch.ones(2, 3).to(dtype), 2)
    rows.add(torch.zeros(1, 3).to(dtype), 1)
    assert torch.equal(rows.result, torch.tensor([[1] * 3, [1] * 3, [0] * 3]).to(dtype))
    assert rows.result.dtype == dtype


def test_output_rows_keeps_only_the_objective() -> None:
    y = torch.rand(5, 2)
    rows = OutputRows(5, describe, objective=lambda batch: batch[:, 1] * 2)
    for batch in y.split(2):
        rows.add(batch, len(batch))
    assert torch.equal(rows.result, y[:, 1] * 2)


def test_output_rows_hands_all_outputs_to_the_objective() -> None:
    y, z = torch.rand(5, 2), torch.rand(5)
    rows = OutputRows(5, describe, objective=lambda batch: batch[0].sum(1) - batch[1])
    for a, b in zip(y.split(2), z.split(2)):
        rows.add([a, b], len(a))
    assert torch.equal(rows.result, y.sum(1) - z)


def test_output_rows_detaches() -> None:
    rows = OutputRows(2, describe)
    rows.add(torch.ones(2, 3, requires_grad=True) * 2, 2)
    assert not rows.result.requires_grad


def test_output_rows_names_the_row_with_nan() -> None:
    rows = OutputRows(5, describe)
    rows.add(torch.zeros(3, 2), 3)
    y = torch.zeros(2, 2)
    y[1, 0] = torch.nan
    with pytest.raises(ValueError, match="the model must predict finite numbers; got NaN for sequence 4"):
        rows.add(y, 2)


def test_output_rows_names_the_row_with_nan_in_a_later_output() -> None:
    rows = OutputRows(2, describe)
    with pytest.raises(ValueError, match="got NaN for sequence 1"):
        rows.add([torch.zeros(2), torch.tensor([0.0, torch.nan])], 2)


def test_output_rows_refuses_an_objective_of_nan() -> None:
    rows = OutputRows(2, describe, objective=lambda y: y / y)
    with pytest.raises(ValueError, match="the objective must be finite; got NaN for sequence 1"):
        rows.add(torch.tensor([1.0, 0.0]), 2)


@pytest.mark.parametrize(
    ("value", "dtype", "got"),
    [(torch.inf, torch.float32, "inf for sequence 1"), (-torch.inf, torch.float64, "-inf for sequence 1"),
     (1e5, torch.float16, "inf for sequence 1, in float16")],
)  # fmt: skip
def test_output_rows_refuses_infinity(value: float, dtype: torch.dtype, got: str) -> None:
    with pytest.raises(ValueError, match=rf"the model must predict finite numbers; got {got}\."):
        OutputRows(2, describe).add(torch.tensor([0.0, value]).to(dtype), 2)


@pytest.mark.parametrize(
    ("y", "got"),
    [
        (torch.zeros(2, dtype=torch.complex64), "complex64 at output 0"),
        ([torch.zeros(2), torch.zeros(2).to_sparse()], "dense tensors; got layout torch.sparse_coo at output 1"),
        (torch.zeros(2, device="meta"), "dense tensors; got a tensor on the meta device at output 0"),
        ({"cage": torch.zeros(2), "rna": torch.zeros(2)}, r"dict with 'cage', 'rna': Readout\(model, head='cage'\)"),
        ({}, "dict with"),
    ],
)  # fmt: skip
def test_check_output_says_what_to_do(y: Any, got: str) -> None:
    with pytest.raises(ValueError, match=got):
        check_output(y, 2)


def test_output_rows_refuses_a_changed_shape() -> None:
    rows = OutputRows(4, describe)
    rows.add(torch.zeros(2, 3), 2)
    with pytest.raises(ValueError, match=r"must keep its shape; got \[\(4,\)\] for sequence 2 after \[\(3,\)\]"):
        rows.add(torch.zeros(2, 4), 2)


def test_output_rows_refuses_a_changed_number_of_outputs() -> None:
    rows = OutputRows(4, describe)
    rows.add([torch.zeros(2, 3), torch.zeros(2)], 2)
    with pytest.raises(ValueError, match=r"must keep its shape; got \[\(3,\)\] for sequence 2 after \[\(3,\), \(\)\]"):
        rows.add([torch.zeros(2, 3)], 2)


def test_output_rows_refuses_a_changed_shape_under_an_objective() -> None:
    rows = OutputRows(4, describe, objective=lambda y: y.sum(1))
    rows.add(torch.zeros(2, 3), 2)
    with pytest.raises(ValueError, match=r"got \[\(4,\)\] for sequence 2"):
        rows.add(torch.zeros(2, 4), 2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "a tensor or a list of tensors; got NoneType"),
        ({"y": torch.zeros(2)}, "a tensor or a list of tensors; got dict"),
        ([], "a tensor or a list of tensors; got list"),
        ([torch.zeros(2), 3.0], "must return tensors; got float at output 1"),
        (torch.zeros(3, 2), r"one row per sequence; got shape \(3, 2\) at output 0 for 2 sequences"),
        ([torch.zeros(2), torch.zeros(1)], r"one row per sequence; got shape \(1,\) at output 1 for 2 sequences"),
        (torch.tensor(1.0), r"one row per sequence; got shape \(\) at output 0 for 2 sequences"),
    ],
)
def test_check_output_says_what_was_got(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"the model must return {message}" if "must" not in message else message):
        check_output(y, 2)


def test_mean_objective_is_the_mean_over_all_output_axes() -> None:
    y = torch.rand(3, 2, 4, dtype=torch.float64)
    expected = [sum(float(v) for v in row.flatten()) / 8 for row in y]
    torch.testing.assert_close(mean_objective(y), torch.tensor(expected, dtype=torch.float64))


def test_mean_objective_of_one_number_a_sequence_is_that_number() -> None:
    assert mean_objective(torch.tensor([1.0, 2.0])).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_mean_objective_of_half_precision_is_taken_in_single(dtype: torch.dtype) -> None:
    y = torch.full((1, 4000), 1000.0).to(dtype)  # their sum is more than float16 holds
    assert mean_objective(y).dtype == torch.float32
    assert mean_objective(y).tolist() == [1000.0]


def test_mean_objective_of_integers_is_a_fraction() -> None:
    assert mean_objective(torch.tensor([[1, 2]])).tolist() == [1.5]


def test_mean_objective_refuses_several_outputs() -> None:
    with pytest.raises(ValueError, match="objective must be given for a model with several outputs; got 3 outputs"):
        mean_objective([torch.zeros(2)] * 3)


@pytest.mark.parametrize(
    ("objective", "got"),
    [
        (lambda y: y, r"\(2, 3\)"),
        (lambda y: y.mean(), r"\(\)"),
        (lambda y: y.sum(1, keepdim=True), r"\(2, 1\)"),
        (lambda y: [0.0, 0.0], "list"),
        (lambda y: float(y.sum()), "float"),
    ],
)
def test_apply_objective_refuses_another_shape(objective: Any, got: str) -> None:
    with pytest.raises(ValueError, match=rf"objective must return a tensor of shape \(2,\); got {got}\."):
        apply_objective(objective, torch.zeros(2, 3), 2)
