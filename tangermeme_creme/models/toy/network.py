"""Define a regulatory network with hand-set weights, whose predictions are known in closed form."""

from __future__ import annotations

import math

import torch

from ...engine.incremental import IncrementalModel

# Every motif has four CGs, so that neither a CG-free background nor a dinucleotide shuffle makes a motif by
# accident. No motif starts with G or ends with C, so that planting a motif makes no CG at its edges. No motif
# overlaps itself, and no two motifs share more than four bases in a row at any shift on either strand.
MOTIFS: dict[str, str] = {
    "promoter": "CGCGACTGCGAACGTA",
    "enhancer": "CGACGCACCGGCGCTA",
    "enhancer_a": "CGACCGCGTAGACGAT",
    "enhancer_b": "CGCGCAATCGGCACGG",
    "silencer": "CCGTCCGCTCGATACG",
}

CELLS: tuple[str, str] = ("A", "B")

# The amount that one motif adds to the drive of cell types A and B. A promoter adds nothing: it opens the gate.
WEIGHTS: dict[str, tuple[float, float]] = {
    "promoter": (0.0, 0.0),
    "enhancer": (1.0, 1.0),
    "enhancer_a": (1.0, 0.0),
    "enhancer_b": (0.0, 1.0),
    "silencer": (-1.0, -1.0),
}

RESPONSES: tuple[str, ...] = ("additive", "multiplicative", "saturating")


def check_toy_settings(
    length: int, bin_size: int, response: str, basal: float, ceiling: float, reach: tuple[float, float]
) -> None:
    """Refuse settings that a `RegulatoryToy` cannot have; the error states the rule and the value.

    Examples
    --------
    >>> check_toy_settings(1000, 128, "additive", 1.0, 20.0, (10_000, 20_000))
    Traceback (most recent call last):
    ...
    ValueError: length must be a positive multiple of bin_size (128); got 1000
    """
    if bin_size < 1:
        raise ValueError(f"bin_size must be positive; got {bin_size}")
    if length < 1 or length % bin_size:
        raise ValueError(f"length must be a positive multiple of bin_size ({bin_size}); got {length}")
    if response not in RESPONSES:
        raise ValueError(f"response must be one of {', '.join(RESPONSES)}; got {response!r}")
    if not 0 < basal < math.inf:
        raise ValueError(f"basal must be positive and finite; got {basal}")
    if not basal < ceiling < math.inf:
        raise ValueError(f"ceiling must be finite and above basal ({basal}); got {ceiling}")
    if len(reach) != 2 or not all(0 < r < math.inf for r in reach):
        raise ValueError(f"reach must be two positive distances (upstream, downstream) in bp; got {reach}")


class RegulatoryToy(IncrementalModel):
    """Predict the activity of a TSS in two cell types from the motifs around the TSS.

    Exact matches of `MOTIFS` on the forward strand are counted in bins; a match counts in the bin of its first base.
    Bin ``i`` of cell ``c`` then has the drive ``D = sum_j k(d) * sum_m WEIGHTS[m][c] * count[m, j]``. The distance is
    ``d = (j - i) * bin_size`` bp, and ``k(d)`` is ``exp(-d / reach[1])`` for d >= 0 (the motif lies
    downstream) and ``exp(d / reach[0])`` for d < 0 (upstream). A gate, ``min(promoter count in bin i, 1)``,
    multiplies the response:

    - "additive": ``max(basal + D, 0)``
    - "multiplicative" (log link): ``basal * exp(D)``
    - "saturating": ``ceiling * sigmoid(D + logit(basal / ceiling))``

    All three give `basal` at D = 0. ``model(X)``, shape=(N, bins, 2), is the activity of each bin in cell types A
    and B, at least 0. The toy is an `IncrementalModel`: `local` counts motifs, `head` computes the activity.
    `expected_activity` gives the same activities without the network.

    Parameters
    ----------
    length: int
        Length of the window in bp, a positive multiple of `bin_size`.

    bin_size: int, optional
        Width of an output bin in bp. Default is 128.

    response: {"additive", "multiplicative", "saturating"}, optional
        Function from drive to activity. Default is "additive".

    basal: float, optional
        Activity of a promoter without other motifs, positive. Default is 1.0.

    ceiling: float, optional
        Highest activity of the saturating response, above `basal`. Default is 20.0.

    reach: tuple of float, optional
        Distances in bp at which the weight of an upstream and of a downstream motif falls to 1/e. Default is
        (10_000, 20_000).

    Attributes
    ----------
    bins: int
        Number of output bins.

    tss_bin: int
        Bin of the window's centre, bp ``length // 2``.

    Raises
    ------
    ValueError
        If a setting is invalid, or, at a prediction, X has another shape; the message gives the rule and the value.

    Examples
    --------
    >>> from tangermeme_creme.models.toy import Element, simulate_sequence
    >>> model = RegulatoryToy(2048, response="multiplicative")
    >>> X = simulate_sequence(2048, [Element("promoter", 1024)], random_state=0).float()
    >>> model(X).shape
    torch.Size([1, 16, 2])
    >>> model(X)[0, model.tss_bin]
    tensor([1., 1.])
    """

    def __init__(
        self,
        length: int,
        *,
        bin_size: int = 128,
        response: str = "additive",
        basal: float = 1.0,
        ceiling: float = 20.0,
        reach: tuple[float, float] = (10_000, 20_000),
    ) -> None:
        check_toy_settings(length, bin_size, response, basal, ceiling, reach)
        bins = length // bin_size
        super().__init__(MotifCounts(bin_size), RegulatoryHead(bins, bin_size, response, basal, ceiling, reach))
        self.length, self.bin_size, self.bins = length, bin_size, bins
        self.n_fill = 0.0  # an unknown base is in no motif
        self.tss_bin = (length // 2) // bin_size


class MotifCounts(torch.nn.Module):
    """Count the exact matches of each of `MOTIFS` in bins; a match counts in the bin of its first base.

    Position-local: a base changes only the counts of the bins that hold it and the 15 bases before it. A motif that
    runs off the end of the sequence does not count.

    Parameters
    ----------
    bin_size: int
        Width of a bin in bp.

    Examples
    --------
    >>> X = torch.zeros(1, 4, 32)
    >>> X[0, ["ACGT".index(base) for base in MOTIFS["enhancer"]], torch.arange(10, 26)] = 1
    >>> MotifCounts(8)(X)[0, list(MOTIFS).index("enhancer")]
    tensor([0., 1., 0., 0.])
    """

    bias: torch.Tensor

    def __init__(self, bin_size: int) -> None:
        super().__init__()
        codes = torch.tensor([["ACGT".index(base) for base in motif] for motif in MOTIFS.values()])
        weight = torch.nn.functional.one_hot(codes, 4).mT.float()
        self.bin_size, self.width = bin_size, weight.shape[-1]
        # A parameter, because tangermeme's `predict` takes the dtype of the first parameter.
        self.weight = torch.nn.Parameter(weight.contiguous(), requires_grad=False)
        self.register_buffer("bias", torch.full((len(weight),), 1.0 - self.width))
        self.relu = torch.nn.ReLU()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Count the motifs of sequences, shape=(N, 4, L), in bins, shape=(N, n_motifs, L // bin_size)."""
        if X.ndim != 3 or X.shape[1] != 4 or X.shape[2] == 0 or X.shape[2] % self.bin_size:
            rule = f"X must have shape (N, 4, L), with L a positive multiple of bin_size ({self.bin_size})"
            raise ValueError(f"{rule}; got {tuple(X.shape)}")

        # Unknown bases after the end let every position be scanned; no motif matches them.
        padded = torch.nn.functional.pad(X.float(), (0, self.width - 1))
        # Always in float32: the counts are exact, and convolutions of 16 taps in bfloat16 are wrong on CPUs with AMX
        # (https://github.com/pytorch/pytorch/issues/163347).
        with torch.autocast(X.device.type, enabled=False):
            matches = torch.nn.functional.conv1d(padded, self.weight.float(), self.bias.float())
        matches = self.relu(matches).to(self.weight.dtype)
        counts: torch.Tensor = matches.unflatten(2, (X.shape[2] // self.bin_size, self.bin_size)).sum(dim=3)
        return counts


class RegulatoryHead(torch.nn.Module):
    """Compute the activity of every bin from motif counts; `RegulatoryToy` describes the formulas and the settings.

    Examples
    --------
    >>> counts = torch.zeros(1, len(MOTIFS), 3)
    >>> counts[0, :2] = torch.tensor([[0., 1., 0.], [0., 2., 0.]])   # a promoter and two enhancers in bin 1
    >>> RegulatoryHead(3, 128, "additive", 1.0, 20.0, (1e4, 2e4))(counts)[0, :, 0]
    tensor([0., 3., 0.])
    """

    weight: torch.Tensor
    kernel: torch.Tensor

    def __init__(
        self,
        bins: int,
        bin_size: int,
        response: str,
        basal: float,
        ceiling: float,
        reach: tuple[float, float],
    ) -> None:
        super().__init__()
        self.response, self.basal, self.ceiling = response, basal, ceiling
        self.promoter = list(MOTIFS).index("promoter")
        self.register_buffer("weight", torch.tensor(list(WEIGHTS.values())).T.contiguous())
        # kernel[j, i] is the weight of a motif in bin j for bin i.
        position = torch.arange(bins) * float(bin_size)
        distance = position[:, None] - position[None, :]
        decay = torch.where(distance < 0, distance / reach[0], -distance / reach[1])
        self.register_buffer("kernel", decay.exp())

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        """Compute activity, shape=(N, bins, 2), from counts, shape=(N, n_motifs, bins)."""
        if counts.ndim != 3 or counts.shape[1:] != (self.weight.shape[1], len(self.kernel)):
            rule = f"counts must have shape (N, {self.weight.shape[1]}, {len(self.kernel)})"
            raise ValueError(f"{rule}: the motifs and bins of the window; got {tuple(counts.shape)}")

        drive = (self.weight @ counts) @ self.kernel
        gate = counts[:, self.promoter, None].clamp(max=1)
        if self.response == "additive":
            activity = (self.basal + drive).clamp(min=0)
        elif self.response == "multiplicative":
            activity = self.basal * drive.exp()
        else:
            midpoint = math.log(self.ceiling / self.basal - 1)  # -logit(basal / ceiling)
            activity = self.ceiling * (drive - midpoint).sigmoid()
        # Closed bins are set to 0 first: in half precision a strong drive overflows to inf, and 0 * inf is NaN.
        return (gate * activity.masked_fill(gate == 0, 0)).mT
