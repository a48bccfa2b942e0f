"""The contract of every operator: dtypes, packing, several outputs, cost and refused inputs."""

from __future__ import annotations

import inspect
import re
from typing import Any

import contract_cases as cases
import pytest
import torch
from contract_cases import CASES, Case, Counts, CountsRows, L, N, Scaled, TwoOutputs, n, same, sequences
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.predict import predict
from tangermeme.saliency import saliency
from tangermeme.utils import PackedSequence, TangermemeWarning

import tangermeme_creme as creme
from tangermeme_creme.operators import NecessityResult
from tangermeme_creme.sequence import shuffle_backgrounds

every = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


shuffling = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case.shuffles], ids=[k for k, case in CASES.items() if case.shuffles]
)


on_backgrounds = pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.shuffles == "background"],
    ids=[k for k, case in CASES.items() if case.shuffles == "background"],
)


@every
def test_args_follow_their_examples(case: Case) -> None:
    scale = torch.tensor([[1.0], [2.0], [4.0]])  # powers of two keep the arithmetic exact
    plain = case.call(Counts(), sequences())
    scaled = case.call(Scaled(), sequences(), args=[scale])
    for name, one, other in zip(plain._fields, plain, scaled):
        if name.startswith("y_") and one is not None:
            factor = scale.reshape(-1, *[1] * (one.ndim - 1))
            assert torch.equal((one * factor).nan_to_num(), other.nan_to_num()), name
        elif name != "trace":
            assert same([one], [other]), name


@every
def test_several_outputs_give_a_list_in_each_field(case: Case) -> None:
    single = case.call(Counts(), sequences(), objective=cases.first_output)
    several = case.call(TwoOutputs(), sequences(), objective=cases.first_output)
    for name, one, other in zip(single._fields, single, several):
        if isinstance(other, list) and isinstance(other[0], torch.Tensor):
            assert torch.equal(one, other[0]), name
            assert torch.equal(one.sum((-2, -1)), other[1]), name
        else:
            assert same([one], [other]), name
    assert len(several.to_frame())


@every
def test_unknown_bases_stay_unknown(case: Case) -> None:
    X = sequences()
    X[:, :, 20:28] = 0
    X[:, :, 155:158] = 0
    X[0, :, 110:112] = 0

    class CountsUnknown(Counts):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            assert bool(((X == 0) | (X == 1)).all()) and bool((X.sum(1) <= 1).all())
            unknown = (X.sum(1) == 0).sum(-1)
            most.append(int(unknown.max()))
            return unknown[:, None, None].float().expand(-1, 6, 2)

    most: list[int] = []
    result = case.call(CountsUnknown(), X)
    assert max(most) > 0
    if isinstance(result, NecessityResult):  # a shuffled tile keeps its own
        assert torch.equal(result.y_mut, result.y_wt[:, None, None].expand_as(result.y_mut))


@every
@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int64, torch.float64, torch.float16, torch.bool])
def test_any_dtype_of_one_hot_gives_the_same(case: Case, dtype: torch.dtype) -> None:
    assert same(case.call(Counts(), sequences().to(dtype)), case.call(Counts(), sequences()))


@every
def test_packed_input_gives_the_same(case: Case) -> None:
    X = sequences()
    X[1, :, 50:55] = 0
    assert same(case.call(Counts(), PackedSequence.from_one_hot(X)), case.call(Counts(), X))


@on_backgrounds
@pytest.mark.parametrize("packed", [True, False])
def test_given_backgrounds_equal_drawn_ones(case: Case, packed: bool) -> None:
    backgrounds: Any = shuffle_backgrounds(sequences(), n=n + 2, random_state=7)
    backgrounds = backgrounds if packed else backgrounds.to_one_hot(dtype=torch.float32)
    expected = case.call(Counts(), sequences(), random_state=7)
    assert same(case.call(Counts(), sequences(), backgrounds=backgrounds, random_state=99), expected)


@every
@pytest.mark.parametrize("dtype", ["float16", torch.bfloat16])
def test_half_precision_is_that_of_predict(case: Case, dtype: Any) -> None:
    half = case.call(Counts(), sequences(), dtype=dtype)
    single = case.call(Counts(), sequences())
    native = predict(Counts(), sequences(), dtype=dtype)
    for name, one, other in zip(single._fields, single, half):
        if name in ("y_wt", "y_source", "y_target"):
            assert torch.equal(other, native), name
        elif name in ("y_control", "y_mut", "y_original") and one.ndim > 2:
            # bfloat16 holds every 64th number up to 16,384, and the model rounds three times.
            assert other.dtype == native.dtype
            assert torch.allclose(one, other.float(), rtol=0, atol=192), name


@every
def test_cost_is_the_formula_in_the_docstring(case: Case) -> None:
    model = CountsRows()
    case.call(model, sequences())
    if case.cost >= 0:
        again = (
            model.rows - N * case.cost
        )  # a sequence is predicted again, where batches of one come before others twice
        assert again in (1, 2)
        case.call(model, sequences(), allow_stochastic=True)
        assert model.rows == 2 * N * case.cost + again


@every
def test_no_more_than_a_batch_exists_at_a_time(case: Case) -> None:
    model = CountsRows()
    case.call(model, sequences(), batch_size=5)
    assert model.most <= 5


@every
def test_verbose_shows_a_progress_bar_and_else_nothing(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    case.call(Counts(), sequences())
    assert capsys.readouterr().err == ""
    case.call(Counts(), sequences(), verbose=True)
    assert re.search(r"\b\w+_(test|search|map|curve): ", capsys.readouterr().err)


@every
def test_results_give_a_tidy_frame(case: Case) -> None:
    frame = case.call(Counts(), sequences()).to_frame()
    assert len(frame) and not frame.isna().any().any()


@every
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (torch.zeros(2, 5, L), r"shape \(N, 4, L\); got \(2, 5, 240\)"),
        (torch.zeros(4, L), r"shape \(N, 4, L\); got \(4, 240\)"),
        (torch.zeros(0, 4, L), r"at least one sequence.*got \(0, 4, 240\)"),
        (torch.full((1, 4, L), 0.25), r"one-hot.*got 0.25 at \[0, 0, 0\]"),
        (torch.ones(1, 4, L), r"got ones in channels \[0, 1, 2, 3\] at \[0, channel, 0\]"),
        ("ACGT", "torch.Tensor or a PackedSequence; got str"),
    ],
)
def test_bad_sequences_are_refused(case: Case, X: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        case.call(Counts(), X)


@shuffling
def test_n_below_one_is_refused(case: Case) -> None:
    with pytest.raises(ValueError, match="n must be at least 1; got 0"):
        case.call(Counts(), sequences(), n=0)


@every
@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1; got 0"),
        ({"incremental": "yes"}, ValueError, "incremental must be 'auto', True or False; got 'yes'"),
        ({"incremental": True}, ValueError, "incremental=True needs an IncrementalModel; got Counts"),
        ({"batchsize": 2}, TypeError, "unexpected keyword argument 'batchsize'"),
        ({"args": [torch.zeros(5, 1)]}, ValueError, "args must have 3 rows, one per example; got 5 at index 0"),
    ],
)
def test_bad_options_are_refused(case: Case, option: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        case.call(Counts(), sequences(), **option)


@every
def test_nan_predictions_are_refused(case: Case) -> None:
    class Broken(Counts):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return super().forward(X) * torch.nan

    with pytest.raises(ValueError, match=r"must predict finite numbers; got NaN for (example|source) 0"):
        case.call(Broken(), sequences())


@every
def test_a_changing_output_shape_is_refused(case: Case) -> None:
    class Changing(Counts):
        calls = 0

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return super().forward(X)[:, self.calls % 2 :]

    with pytest.raises(ValueError, match=r"must keep its shape; got \[\(\d, 2\)\] for (example|source) .* after"):
        case.call(Changing(), sequences(), batch_size=1)


@every
def test_a_model_that_loses_rows_is_refused(case: Case) -> None:
    class Losing(Counts):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return super().forward(X)[:1]

    with pytest.raises(ValueError, match=r"one row per sequence; got shape \(1, 6, 2\)"):
        case.call(Losing(), sequences())


@every
def test_a_func_of_ones_own_gets_bounded_chunks(case: Case) -> None:
    chunks: list[tuple[int, torch.dtype]] = []

    def func(model: torch.nn.Module, X: torch.Tensor, args: Any = None, offset: float = 0.0) -> torch.Tensor:
        chunks.append((len(X), X.dtype))
        with torch.no_grad():
            return model(X.float()) + offset

    result = case.call(Counts(), sequences().to(torch.int8), func=func, offset=0.0, batch_size=4)
    assert same(result, case.call(Counts(), sequences()))
    assert max(size for size, _ in chunks) <= 4 and {dtype for _, dtype in chunks} == {torch.int8}


def test_attributions_of_tangermeme_work_as_func() -> None:
    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.act = torch.nn.Conv1d(4, 3, 5), torch.nn.ReLU()

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return self.act(self.conv(X)).sum((1, 2)).unsqueeze(-1)

    what = (Flat(), sequences(), cases.TILES)
    for func, options in ((saliency, {}), (deep_lift_shap, {"n_shuffles": 2})):
        small = creme.necessity_test(*what, n=2, random_state=0, func=func, batch_size=2, **options)
        large = creme.necessity_test(*what, n=2, random_state=0, func=func, batch_size=64, **options)
        assert small.y_mut.shape == (N, len(cases.TILES), 2, 4, L)
        assert torch.allclose(small.y_mut, large.y_mut, rtol=1e-4, atol=1e-3)


def test_integer_args_are_announced_once() -> None:
    with pytest.warns(TangermemeWarning, match=r"casts args\[0\] \(torch.int64\)") as caught:
        creme.necessity_test(Scaled(), sequences(), cases.TILES, n=2, random_state=0, args=[torch.ones(N, 1).long()])
    assert len(caught) == 1


def test_degenerate_tiles_come_back_with_one_warning() -> None:
    X = sequences()
    X[:, :, 0:30] = 0
    X[:, 0, 0:30] = 1
    with pytest.warns(TangermemeWarning, match=r"3 of 12 .* unchanged.*tile \[0, 30\) of example 0") as caught:
        y_wt, y_mut = creme.necessity_test(Counts(), X, cases.TILES, n=4, random_state=0)
    assert len(caught) == 1
    assert torch.equal(y_mut[:, 0], y_wt[:, None].expand_as(y_mut[:, 0]))


def test_more_tiles_or_another_order_of_tiles_change_no_shuffle() -> None:
    X, order = sequences(), [3, 1, 0]
    for function, what in ((creme.necessity_test, ()), (creme.sufficiency_test, (cases.TSS,))):
        whole = function(Counts(), X, *what, cases.TILES, n=2, random_state=0)
        part = function(Counts(), X, *what, [cases.TILES[t] for t in order], n=2, random_state=0)
        assert torch.equal(part.y_mut, whole.y_mut[:, order])


@pytest.mark.parametrize("name", creme.__all__)
def test_docstrings_give_cost_shapes_errors_source_and_departures(name: str) -> None:
    doc = " ".join((inspect.getdoc(getattr(creme, name)) or "").split())
    for part in ("Costs ", "Parameters", "shape=", "Returns", "Raises", "References", "Examples", "creme-nn 0.2.5"):
        assert part in doc, part
