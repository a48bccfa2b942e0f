"""Split a trained U-Net for incremental inference: its convolutions, and the rest for a few bins of a few tracks.

The network is `miniborzoi.py` of the folder that `examples/real_model.py` describes. Its tower returns activations at
strides 32, 64 and 128. The decoder reads the first two only around the requested bins; `keep` names these bins.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from tangermeme_creme.engine import IncrementalModel

LENGTH, BIN, N_BINS, FIRST_BP = 131_072, 32, 2048, 32_768


class MiniBorzoiTSS(IncrementalModel):
    """Predict the mean over bins, per track, shape (N, tracks), with a MiniBorzoi.

    The last transformer block and the decoder run for the requested bins only.

    Parameters
    ----------
    network: torch.nn.Module
        A MiniBorzoi. It is not changed.

    tracks, bins: sequence of int
        Output bins have 32 bp and begin at 32,768 bp of the window. All bins from the first to the last are computed.

    summed: bool, optional
        Whether the tracks are summed, to shape (N, 1). Default is False.
    """

    def __init__(
        self, network: torch.nn.Module, *, tracks: Sequence[int], bins: Sequence[int], summed: bool = False
    ) -> None:
        if not bins or not 0 <= min(bins) <= max(bins) < N_BINS:
            raise ValueError(f"bins must be in [0, {N_BINS}); got {list(bins)}.")
        head = _Head(network, list(tracks), list(bins), summed)
        super().__init__(_Tower(network), head, keep=[head.fine, head.middle, None])


class _Tower(torch.nn.Module):
    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.network.tower(X)


class _Head(torch.nn.Module):
    def __init__(self, network: torch.nn.Module, tracks: list[int], bins: list[int], summed: bool) -> None:
        super().__init__()
        self._network = [network]  # in a list, so that the parameters belong only to the tower
        self._tracks, self._summed = tracks, summed
        first, last = (FIRST_BP // BIN + b for b in (min(bins), max(bins)))
        self._bins = [FIRST_BP // BIN + b - first for b in bins]
        # The last step at either stride is a convolution over three bins, which needs one more bin on each side.
        self.fine = (first - 1, last + 2)
        self.middle = (self.fine[0] // 2 - 1, (self.fine[1] - 1) // 2 + 2)
        self.coarse = (self.middle[0] // 2, (self.middle[1] - 1) // 2 + 1)

    def forward(self, activations: tuple[torch.Tensor, ...]) -> torch.Tensor:
        network = self._network[0]
        fine, middle, x = activations
        x = x.transpose(1, 2)
        for i in range(2):
            normed = network.attention_norm[i](x)
            if i == 0:
                x = x + network.attention[i](normed)
            else:
                x = x[:, slice(*self.coarse)] + _attend(network.attention[i], normed, self.coarse)
            x = x + network.mlp[i](network.mlp_norm[i](x))
        x = x.transpose(1, 2)
        start = self.coarse[0]
        for i, (skip, wanted) in enumerate(((middle, self.middle), (fine, self.fine))):
            x = network.up[i](_gelu(network.up_norm[i](x))).repeat_interleave(2, dim=2)
            x = x[:, :, wanted[0] - 2 * start : wanted[1] - 2 * start]
            x = x + network.skip[i](_gelu(network.skip_norm[i](skip)))
            x = network.pointwise[i](network.depthwise[i](x)[:, :, 1:-1])  # the outermost bins lack a neighbour
            start = wanted[0] + 1
        x = _gelu(x[:, :, self._bins])
        y = F.softplus(F.conv1d(x, network.head.weight[self._tracks], network.head.bias[self._tracks]))
        y = y.mean(-1)
        return y.sum(1, keepdim=True) if self._summed else y


def _gelu(x: torch.Tensor) -> torch.Tensor:
    return F.gelu(x, approximate="tanh")


def _attend(attention: torch.nn.Module, x: torch.Tensor, span: tuple[int, int]) -> torch.Tensor:
    """Compute `attention` for the tokens of `span`: queries of these tokens, keys and values of all."""
    n, length, _ = x.shape
    q = attention._split(attention.to_q(x[:, slice(*span)])) * attention.key**-0.5
    k, v = attention._split(attention.to_k(x)), attention._split(attention.to_v(x))
    offset = torch.arange(1 - length, length, dtype=x.dtype, device=x.device)
    half = attention.positions // 2
    growth = torch.exp(torch.log(torch.tensor(length + 1.0, device=x.device)) / half)
    width = growth ** torch.arange(1, half + 1, device=x.device) - 1
    near = (width[None] > offset.abs()[:, None]).to(x.dtype)
    rel_k = attention._split(attention.to_rel_k(torch.cat([near, offset.sign()[:, None] * near], dim=-1)[None]))
    rel = (q + attention.position_bias) @ rel_k.transpose(-1, -2)
    i = torch.arange(*span, device=x.device)
    index = torch.arange(length, device=x.device)[None] - i[:, None] + length - 1
    rel = rel.gather(-1, index.expand(n, attention.heads, *index.shape))
    weights = ((q + attention.content_bias) @ k.transpose(-1, -2) + rel).softmax(dim=-1)
    return attention.to_out((weights @ v).transpose(1, 2).reshape(n, len(i), -1))
