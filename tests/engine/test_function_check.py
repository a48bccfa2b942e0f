"""A model that is no function of one sequence is told, with the difference, before its numbers are believed."""

from __future__ import annotations

import pytest
import torch
from helpers import random_sequences
from tangermeme.utils import TangermemeWarning

from tangermeme_creme import necessity_test
from tangermeme_creme.engine import EditSession, IncrementalModel
from tangermeme_creme.engine.agreement import agreement_tolerance
from tangermeme_creme.engine.function_check import difference_alone

X = random_sequences(4, 90)
TILES = [(0, 40), (50, 90)]


class AlwaysDropout(torch.nn.Module):
    """Dropout by the function, whose default is training."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.dropout(X, 0.5).sum((1, 2))[:, None]


class BatchStatistics(torch.nn.Module):
    """Normalization by the batch, also in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Conv1d(4, 6, 9)
        self.norm = torch.nn.BatchNorm1d(6, track_running_stats=False)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.norm(self.layer(X)).relu().square().mean((1, 2))[:, None]


class Rounds(torch.nn.Module):
    """A sum whose last bits depend on the number of rows."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.sum((1, 2))[:, None] * (1 + 1e-6 * len(X))


@pytest.mark.parametrize("model", [AlwaysDropout(), BatchStatistics()], ids=lambda model: type(model).__name__)
def test_a_model_that_gives_other_numbers_is_told_in_each_test(model: torch.nn.Module) -> None:
    torch.manual_seed(0)
    for _ in range(2):
        with pytest.warns(
            TangermemeWarning, match="must give a sequence the same prediction each time.*differs by"
        ) as caught:
            necessity_test(model, X, TILES, n=2)
        assert len(caught) == 1
    necessity_test(model, X, TILES, n=2, allow_stochastic=True)


@pytest.mark.parametrize("scale", [1.0, 1e-7, 0.0])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_smallest_numbers_round(scale: float, dtype: torch.dtype) -> None:
    y = torch.tensor([[3.0, 2.0]]).mul(scale).to(dtype)
    # One step of the dtype.
    codes = y.view(torch.int32 if dtype == torch.float32 else torch.int16)
    after = (codes + 1).view(dtype)
    assert difference_alone(y, lambda: after) <= agreement_tolerance(dtype, torch.device("cpu"))
    assert difference_alone(y + 1, lambda: y + 2) > 0.1


def test_batches_of_one_are_a_function() -> None:
    necessity_test(BatchStatistics(), X, TILES, n=2, batch_size=1)


def test_rounding_is_no_difference() -> None:
    necessity_test(Rounds(), X, TILES, n=2)


def test_the_second_prediction_is_counted() -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(360, 1))
    for options, expected in (({}, 1), ({"allow_stochastic": True}, 0)):
        with EditSession(model, X, **options) as session:
            session.predict()
            session.predict()
        assert session.work.n_checks == expected and session.work.n_full == 8


def test_statistics_of_the_batch_show_with_one_sequence() -> None:
    with pytest.warns(TangermemeWarning, match="same prediction each time"):
        necessity_test(BatchStatistics(), X[:1], TILES, n=2)


def test_a_model_is_looked_at_anew_in_each_test() -> None:
    class Drops(AlwaysDropout):
        rate = 0.5

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.dropout(X, self.rate).sum((1, 2))[:, None]

    model = Drops()
    with pytest.warns(TangermemeWarning, match="same prediction each time"):
        necessity_test(model, X, TILES, n=2)
    model.rate = 0.0
    necessity_test(model, X, TILES, n=2)
    model.rate = 0.5
    with pytest.warns(TangermemeWarning, match="same prediction each time"):
        necessity_test(model, X, TILES, n=2)


def test_a_model_in_two_parts_is_seen_as_a_whole() -> None:
    local = torch.nn.Sequential(torch.nn.Conv1d(4, 3, 3, padding=1), torch.nn.MaxPool1d(2))

    class Head(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.dropout(x, 0.5).sum((1, 2))[:, None]

    with pytest.warns(TangermemeWarning, match="must give a sequence the same prediction each time"):
        necessity_test(IncrementalModel(local, Head()), X, TILES, n=2, incremental=False)
