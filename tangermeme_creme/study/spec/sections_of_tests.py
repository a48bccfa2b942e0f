"""The sections of a study that say how each test is done."""

# `key` is dataclasses.field, with documentation.
# ruff: noqa: RUF009

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from .fields import key

TESTS = (
    "swap",
    "necessity",
    "sufficiency",
    "distance",
    "multiplicity",
    "higher_order",
    "set_sufficiency",
    "interactions",
    "fine_tile",
)

Compared = Literal[
    "saliency",
    "saliency_absolute",
    "input_x_gradient",
    "input_x_gradient_absolute",
    "integrated_gradients",
    "integrated_gradients_absolute",
    "corrected_saliency",
    "corrected_saliency_absolute",
    "deep_lift_shap",
    "deep_lift_shap_absolute",
    "random",
]

_SHUFFLES = "Shuffles of a tile."
_BACKGROUNDS = "Shuffled backgrounds a locus."
_TRACKS = "The tracks to do it for, by name; an empty array is all of them."


@dataclass(frozen=True, kw_only=True)
class SwapSpec:
    """The TSS tiles of some loci in the contexts of others."""

    sources: int = key(200, doc="The most loci of each category whose TSS tile goes into all contexts.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class NecessitySpec:
    """Each tile shuffled."""

    n: int = key(10, doc=_SHUFFLES, minimum=1)


@dataclass(frozen=True, kw_only=True)
class SufficiencySpec:
    """Each tile with the TSS in shuffled backgrounds."""

    n: int = key(10, doc=_BACKGROUNDS, minimum=1)


@dataclass(frozen=True, kw_only=True)
class DistanceSpec:
    """Each CRE moved along the window."""

    n: int = key(10, doc=_BACKGROUNDS, minimum=1)


@dataclass(frozen=True, kw_only=True)
class MultiplicitySpec:
    """Copies of each CRE added, one after the other."""

    n: int = key(10, doc=_BACKGROUNDS, minimum=1)
    copies: int = key(15, doc="How many copies are added.", minimum=1)
    tracks: tuple[str, ...] = key((), doc=_TRACKS)


@dataclass(frozen=True, kw_only=True)
class HigherOrderSpec:
    """Tile after tile shuffled, each time the one that moves the prediction furthest."""

    n: int = key(10, doc=_SHUFFLES, minimum=1)
    rounds: int = key(0, doc="How many tiles; 0 is all of them.", minimum=0)
    directions: tuple[Literal["min", "max"], ...] = key(
        ("min", "max"), doc='"min" looks for sets of enhancers, "max" of silencers.'
    )
    carry: Literal["closest", "all"] = key(
        "closest", doc='What a round starts from: the shuffle closest to the mean, or "all" of them.'
    )
    n_holdout: int = key(0, doc="Fresh shuffles that estimate each chosen tile anew.", minimum=0)
    tracks: tuple[str, ...] = key((), doc=_TRACKS)


@dataclass(frozen=True, kw_only=True)
class SetSufficiencySpec:
    """The tiles that higher_order chose, together in shuffled backgrounds."""

    n: int = key(10, doc=_BACKGROUNDS, minimum=1)


@dataclass(frozen=True, kw_only=True)
class InteractionsSpec:
    """Pairs of tiles shuffled."""

    n: int = key(10, doc=_SHUFFLES, minimum=1)
    tiles: int = key(6, doc="How many tiles, the strongest by necessity; all pairs among them.", minimum=2)
    tracks: tuple[str, ...] = key((), doc=_TRACKS)


@dataclass(frozen=True, kw_only=True)
class FineTileSpec:
    """Each CRE pruned to the bases that carry its effect."""

    n: int = key(10, doc=_BACKGROUNDS, minimum=1)
    scales: tuple[int, ...] = key((500, 50), doc="Length in bp of the sub-tiles of each stage.")
    thresholds: tuple[float, ...] = key((0.9, 0.7), doc="The score that each stage stays above.")
    prune: tuple[int, ...] = key((1, 10), doc="How many sub-tiles each stage removes at a time.")
    score: Literal["activity", "effect"] | None = key(
        None, doc="What the score is of. Left out, activity for enhancers and effect for silencers.", example="effect"
    )
    compare: tuple[Compared, ...] = key(
        (),
        doc="Compare the search with these: saliency, input_x_gradient, integrated_gradients, corrected_saliency or "
        'deep_lift_shap, each also with "_absolute" added, or random.',
    )
    draws: int = key(10, doc="Of the comparison: how many random rankings.", minimum=1)
    tracks: tuple[str, ...] = key((), doc=_TRACKS)


@dataclass(frozen=True, kw_only=True)
class TestsSpec:
    """Which tests are done, and how."""

    __test__: ClassVar[bool] = False  # pytest would take it for a test, by its name

    include: tuple[str, ...] = key(TESTS, doc="The tests to do, after that of context.", choices=TESTS)
    swap: SwapSpec = key(SwapSpec, doc="Contexts of some loci around the TSSs of others.")
    necessity: NecessitySpec = key(NecessitySpec, doc="Each tile shuffled.")
    sufficiency: SufficiencySpec = key(SufficiencySpec, doc="Each tile with the TSS, in shuffled backgrounds.")
    distance: DistanceSpec = key(DistanceSpec, doc="Each CRE moved along the window. Needs sufficiency.")
    multiplicity: MultiplicitySpec = key(
        MultiplicitySpec, doc="Copies of each CRE added one by one. Needs sufficiency."
    )
    higher_order: HigherOrderSpec = key(HigherOrderSpec, doc="Tiles shuffled one after the other, greedily.")
    set_sufficiency: SetSufficiencySpec = key(
        SetSufficiencySpec, doc="The tiles so chosen, together in shuffled backgrounds. Needs higher_order."
    )
    interactions: InteractionsSpec = key(InteractionsSpec, doc="Pairs of tiles shuffled. Needs necessity.")
    fine_tile: FineTileSpec = key(
        FineTileSpec, doc="Each CRE pruned to the bases that carry its effect. Needs sufficiency."
    )
