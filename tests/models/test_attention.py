"""Test a transformer block, computed for a few queries and heads at a time, against enformer-pytorch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from enformer_pytorch import Enformer
from enformer_pytorch.modeling_enformer import get_positional_embed
from helpers import assert_close

import tangermeme_creme.models.attention as attention
from tangermeme_creme.models import run_block

HEADS, DIM = 4, 48


def block() -> Any:
    torch.manual_seed(0)
    network = Enformer.from_hparams(dim=DIM, depth=1, heads=HEADS, attn_dim_key=8, dim_divisible_by=8).double().eval()
    for parameter in network.transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # attention starts with zeros
    return network.transformer[0]


def features(n: int) -> torch.Tensor:
    return get_positional_embed(n, DIM // HEADS, "cpu", False, dtype=torch.float64)


def inputs(n: int) -> torch.Tensor:
    return torch.randn(2, n, DIM, generator=torch.Generator().manual_seed(n), dtype=torch.float64)


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 3), (4, 5), (3, 7), (4, 1000)])
def test_any_portion_of_heads_and_queries_gives_the_block(
    monkeypatch: pytest.MonkeyPatch, n: int, sizes: tuple[int, int]
) -> None:
    monkeypatch.setattr(attention, "_chunk_sizes", lambda q, n_relative: sizes)
    with torch.no_grad():
        assert_close(run_block(block(), inputs(n), features(n)), block()(inputs(n)))


@pytest.mark.parametrize("positions", [[0], [39], [12, 13], [39, 0, 20, 20], list(range(40))])
def test_some_positions_are_those_of_the_block(positions: list[int]) -> None:
    with torch.no_grad():
        y = run_block(block(), inputs(40), features(40), torch.tensor(positions))
        assert_close(y, block()(inputs(40))[:, positions])


def test_input_is_left_as_it_was() -> None:
    x = inputs(20)
    run_block(block(), x, features(20))
    assert torch.equal(x, inputs(20))


def test_gradients_are_those_of_the_block() -> None:
    ours, theirs = inputs(20).requires_grad_(), inputs(20).requires_grad_()
    (run_block(block(), ours, features(20)) ** 2).sum().backward()
    (block()(theirs) ** 2).sum().backward()
    assert_close(ours.grad, theirs.grad)
