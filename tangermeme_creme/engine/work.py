"""Counts of the predictions that were made and of the bases that ran."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Work:
    """Count what one session has run, or what all sessions that share a cache have run.

    Parameters
    ----------
    n_full: int
        Predictions of sequences that ran through the whole network.

    n_partial: int
        Predictions that used cached activations: an edited sequence ran in part, an unedited one did not run again.

    positions: int
        Bases that ran through `local`, including those of base sequences; for a model without a `local`, all bases.

    equivalents: float
        `positions` in units of full sequences.

    n_checks: float
        What measured and checked the model, once per model, in units of full sequences; not in the other counts.

    arithmetic: float
        The floating-point operations of `local` and `head`, in units of whole predictions, as PyTorch counts them:
        those of convolutions and matrix products. For a model without any, as `equivalents`.

    Examples
    --------
    >>> print(Work(n_full=1, n_partial=380, positions=2_677_248, equivalents=13.617, arithmetic=83.8))
    381 predictions, 1 in full and 380 in part: 2,677,248 bp, 13.6 full sequences (3.6% of the bases, 22.0% of the \
arithmetic)
    """

    n_full: int = 0
    n_partial: int = 0
    positions: int = 0
    equivalents: float = 0.0
    n_checks: float = 0
    arithmetic: float = 0.0

    def ran(self, sequences: int, width: int, length: int) -> None:
        """Count `sequences` stretches of `width` bp out of `length` bp that ran."""
        self.positions += sequences * width
        self.equivalents += sequences * width / length

    def add(self, other: Work) -> None:
        """Add the counts of another."""
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def fraction(self) -> float:
        """The bases that ran, as a fraction of running every sequence in full; NaN before the first prediction."""
        total = self.n_full + self.n_partial
        return self.equivalents / total if total else float("nan")

    @property
    def arithmetic_fraction(self) -> float:
        """The arithmetic that ran, as a fraction of running every sequence in full; NaN before the first prediction."""
        total = self.n_full + self.n_partial
        return self.arithmetic / total if total else float("nan")

    def __str__(self) -> str:
        checks = f"; {self.n_checks:.1f} more to check the model" if self.n_checks else ""
        return (
            f"{self.n_full + self.n_partial:,} predictions, {self.n_full:,} in full and {self.n_partial:,} in part: "
            f"{self.positions:,} bp, {self.equivalents:,.1f} full sequences ({self.fraction:.1%} of the bases, "
            f"{self.arithmetic_fraction:.1%} of the arithmetic){checks}"
        )
