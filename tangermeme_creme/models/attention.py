"""Run the transformer blocks of Enformer and Borzoi, with relative positions, for all queries or a subset."""

from __future__ import annotations

from typing import Any

import torch

# Logits per chunk: on a CPU they stay in its caches; on other devices they fit into memory.
_CPU_LOGITS, _DEVICE_LOGITS = 2**20, 2**28


def run_block(
    block: Any, x: torch.Tensor, features: torch.Tensor, positions: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute ``block(x)[:, positions]`` with the queries and all later steps for these positions only.

    The logits are computed for a few queries at a time, so that they never exist for all queries at once. Their
    relative part is read through a strided view instead of being shifted. The values equal those of the block's own
    forward.

    Parameters
    ----------
    block: torch.nn.Module
        A transformer block of enformer-pytorch or borzoi-pytorch: attention and feed-forward, each with a residual.

    x: torch.Tensor, shape=(N, n, dim)

    features: torch.Tensor, shape=(2 * n - 1, n_features)
        Features of the relative positions (key minus query), from ``1 - n`` to ``n - 1``.

    positions: torch.Tensor or None, shape=(m,), optional
        Positions of the queries. None is all. Default is None.

    Returns
    -------
    y: torch.Tensor, shape=(N, m, dim)
    """
    attend, feed_forward = block
    norm, attention, dropout = attend.fn
    normed = norm(x)
    query_input, residual = normed, x
    if positions is not None:
        query_input, residual = normed.index_select(1, positions), x.index_select(1, positions)
    q = _by_head(attention.to_q(query_input), attention.heads) * attention.scale
    k, v = (_by_head(to(normed), attention.heads) for to in (attention.to_k, attention.to_v))
    rel_k = _by_head(attention.to_rel_k(attention.pos_dropout(features)), attention.heads)
    content_q, relative_q = q + attention.rel_content_bias, q + attention.rel_pos_bias

    heads, size = _chunk_sizes(q, len(features))
    out = []
    for head in torch.arange(attention.heads, device="cpu").split(heads):
        h = slice(int(head[0]), int(head[-1]) + 1)
        parts = []
        for first in range(0, q.shape[2], size):
            chunk = slice(first, min(first + size, q.shape[2]))
            if positions is None:
                relative = _successive_relative_logits(relative_q[:, h, chunk], rel_k[h], first, k.shape[2])
            else:
                relative = _relative_logits(relative_q[:, h, chunk], rel_k[h], positions[chunk], k.shape[2])
            weights = (content_q[:, h, chunk] @ k[:, h].mT).add_(relative).softmax(-1)
            parts.append(attention.attn_dropout(weights) @ v[:, h])
        out.append(torch.cat(parts, dim=2))
    y = attention.to_out(torch.cat(out, dim=1).transpose(1, 2).flatten(2))
    return feed_forward(residual + dropout(y))


def _by_head(t: torch.Tensor, heads: int) -> torch.Tensor:
    return t.unflatten(-1, (heads, -1)).transpose(-3, -2)


def _chunk_sizes(q: torch.Tensor, n_relative: int) -> tuple[int, int]:
    """Return how many heads and how many queries to compute at a time."""
    heads, budget = (1, _CPU_LOGITS) if q.device.type == "cpu" else (q.shape[1], _DEVICE_LOGITS)
    return heads, max(16, budget // (len(q) * heads * n_relative))


def _successive_relative_logits(q: torch.Tensor, rel_k: torch.Tensor, first: int, n: int) -> torch.Tensor:
    """Compute the relative logits of m successive queries, from position `first` on, and all n keys.

    Row r of `rel_k` belongs to a key at distance ``r - (n - 1)`` from its query. The logits of each query are computed
    with all rows that any of the m queries needs; query i needs the n columns from ``m - 1 - i`` on. A view that steps
    by one less than the length of a row reads exactly these columns.
    """
    m = q.shape[2]
    rows = rel_k[:, n - first - m : 2 * n - 1 - first]
    logits = torch.einsum("bhmd,hrd->bhmr", q, rows).contiguous()
    b, h, m, r = logits.shape
    return logits.as_strided((b, h, m, n), (h * m * r, m * r, r - 1, 1), logits.storage_offset() + m - 1)


def _relative_logits(q: torch.Tensor, rel_k: torch.Tensor, positions: torch.Tensor, n: int) -> torch.Tensor:
    """Compute the relative logits of queries at any positions and all n keys."""
    logits = torch.einsum("bhmd,hrd->bhmr", q, rel_k)
    rows = torch.arange(n, device=q.device) - positions[:, None] + (n - 1)
    return logits.gather(-1, rows.expand(*logits.shape[:2], -1, -1))
