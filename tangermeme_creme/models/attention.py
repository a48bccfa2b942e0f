"""A transformer block with relative positions, as Enformer and Borzoi have it, for all queries or for some."""

from __future__ import annotations

from typing import Any

import torch

# Logits that are computed at a time: what stays in the caches of a CPU, and what fits on any accelerator.
_ON_CPU, _ELSEWHERE = 2**20, 2**28


def run_block(
    block: Any, x: torch.Tensor, features: torch.Tensor, positions: torch.Tensor | None = None
) -> torch.Tensor:
    """``block(x)[:, positions]``, with queries, and all that follows them, for these positions alone.

    The logits are computed a few queries at a time, so that they never exist as a whole, and their relative part is
    read where it lies instead of being shifted into place. The values are those of the block's own forward.

    Parameters
    ----------
    block: torch.nn.Module
        A transformer block of enformer-pytorch or borzoi-pytorch: attention and feed-forward, each with its residual.

    x: torch.Tensor, shape=(N, n, dim)

    features: torch.Tensor, shape=(2 * n - 1, n_features)
        Features of the relative positions, of key minus query from ``1 - n`` on.

    positions: torch.Tensor or None, shape=(m,), optional
        Default is None, all.

    Returns
    -------
    y: torch.Tensor, shape=(N, m, dim)
    """
    attend, feed_forward = block
    norm, attention, dropout = attend.fn
    normed = norm(x)
    asked, kept = normed, x
    if positions is not None:
        asked, kept = normed.index_select(1, positions), x.index_select(1, positions)
    q = _by_head(attention.to_q(asked), attention.heads) * attention.scale
    k, v = (_by_head(to(normed), attention.heads) for to in (attention.to_k, attention.to_v))
    rel_k = _by_head(attention.to_rel_k(attention.pos_dropout(features)), attention.heads)
    by_content, by_place = q + attention.rel_content_bias, q + attention.rel_pos_bias

    heads, size = _sizes(q, len(features))
    out = []
    for head in torch.arange(attention.heads, device="cpu").split(heads):
        h = slice(int(head[0]), int(head[-1]) + 1)
        parts = []
        for first in range(0, q.shape[2], size):
            some = slice(first, min(first + size, q.shape[2]))
            if positions is None:
                place = _place_logits(by_place[:, h, some], rel_k[h], first, k.shape[2])
            else:
                place = _some_place_logits(by_place[:, h, some], rel_k[h], positions[some], k.shape[2])
            weights = (by_content[:, h, some] @ k[:, h].mT).add_(place).softmax(-1)
            parts.append(attention.attn_dropout(weights) @ v[:, h])
        out.append(torch.cat(parts, dim=2))
    y = attention.to_out(torch.cat(out, dim=1).transpose(1, 2).flatten(2))
    return feed_forward(kept + dropout(y))


def _by_head(t: torch.Tensor, heads: int) -> torch.Tensor:
    return t.unflatten(-1, (heads, -1)).transpose(-3, -2)


def _sizes(q: torch.Tensor, n_relative: int) -> tuple[int, int]:
    """How many heads and queries to take at a time."""
    heads, budget = (1, _ON_CPU) if q.device.type == "cpu" else (q.shape[1], _ELSEWHERE)
    return heads, max(16, budget // (len(q) * heads * n_relative))


def _place_logits(q: torch.Tensor, rel_k: torch.Tensor, first: int, n: int) -> torch.Tensor:
    """Logits of the relative positions of successive queries, from `first` on, and all n keys.

    Row r of `rel_k` is for a key at ``r - (n - 1)`` from its query. Of what m queries make with the rows that any of
    them needs, query i of them needs the n from ``m - 1 - i`` on: a step of one less than a row's length.
    """
    m = q.shape[2]
    rows = rel_k[:, n - first - m : 2 * n - 1 - first]
    logits = torch.einsum("bhmd,hrd->bhmr", q, rows).contiguous()
    b, h, m, r = logits.shape
    return logits.as_strided((b, h, m, n), (h * m * r, m * r, r - 1, 1), logits.storage_offset() + m - 1)


def _some_place_logits(q: torch.Tensor, rel_k: torch.Tensor, positions: torch.Tensor, n: int) -> torch.Tensor:
    """The same for queries at any positions."""
    logits = torch.einsum("bhmd,hrd->bhmr", q, rel_k)
    rows = torch.arange(n, device=q.device) - positions[:, None] + (n - 1)
    return logits.gather(-1, rows.expand(*logits.shape[:2], -1, -1))
