"""How to read each part of a report: what its numbers are, what they mean, and what they do not tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...study.spec import StudySpec, call_rule, context_thresholds


@dataclass(frozen=True)
class Prose:
    """A title, formulas by name, how to read the numbers, and what they do not tell."""

    title: str
    formulas: tuple[tuple[str, str], ...]
    reading: str
    limits: str


def _contexts(spec: StudySpec) -> Prose:
    at = context_thresholds(spec.context)
    return Prose(
        "Contexts",
        (("context effect", "(WT - MUT) / WT"),),
        "All but the TSS tile is shuffled, keeping dinucleotides. WT is the prediction of the sequence as it is, "
        f"MUT the mean over shuffles. Near 1 the activity is lost without the context: above {at['enhancing']:g} "
        f"the context is called enhancing, within {at['neutral']:g} of 0 neutral, below {at['silencing']:g}, where "
        "the activity rises without it, silencing, and other in between. Of each category loci are drawn for all "
        "tests that follow.",
        "Which part of the context acts. And shuffled sequences are unlike those a network has learned from, so an "
        "effect may in part be its answer to what it has never seen; this holds for every test with shuffled "
        "backgrounds.",
    )


def _swap(spec: StudySpec) -> Prose:
    return Prose(
        "Contexts swapped",
        (("fold over source", "MUT / WT of the source"),),
        "The TSS tile of one locus, the source, stands in the context of another. At 1 that context serves it as "
        "well as its own, above 1 better, below 1 worse. The summary leaves out loci in their own context.",
        "Why a context fits: contexts of one category differ in more than their category. A source that is weak in "
        "its own context has large folds in any other.",
    )


def _necessity(spec: StudySpec) -> Prose:
    return Prose(
        "Necessity",
        (("necessity", "(WT - MUT) / WT"),),
        "One tile is shuffled and all else stays. Above 0 the activity falls without the tile, which the model "
        "needs for it here; at 1 all of it is lost. Below 0 the activity rises: the tile holds it down. Intervals "
        "are bootstraps at 95% over shuffles.",
        "Whether the tile can do anything by itself: necessary is not sufficient. A tile whose work another takes "
        "over when it is gone looks unnecessary.",
    )


def _sufficiency(spec: StudySpec) -> Prose:
    return Prose(
        "Sufficiency",
        (("over WT", "(MUT - CONTROL) / WT"), ("over control", "(MUT - CONTROL) / CONTROL")),
        "The TSS tile and one tile more stand in shuffled backgrounds; CONTROL is the TSS tile alone in the same "
        "ones. Over WT is the part of the wild type's activity that the tile brings back; over control is the "
        "change that it "
        "makes, negative where it lowers the activity. " + _calls(spec),
        "Whether the tile is needed where it stands: sufficient is not necessary. Backgrounds are unlike genomes, "
        "and where the control is small a small change is a large effect over it. The tiles that are called were "
        "called for the same numbers, so the largest are on average too large: the winner is also lucky.",
    )


def _cres(spec: StudySpec) -> Prose:
    most = spec.cres.max_per_locus
    kept = f" No more than {most} of a locus and track are kept, the strongest." if most else ""
    return Prose(
        "CREs",
        (("effect of enhancers", "(MUT - CONTROL) / WT"), ("effect of silencers", "(MUT - CONTROL) / CONTROL")),
        f"The tiles that were called by their sufficiency. {_calls(spec)}{kept} Distances are from the base of the "
        "TSS to the middle of the tile, positive downstream.",
        "That other tiles do nothing: a call is a threshold. Effects are of the shuffles by which the tiles were "
        "called, and are on average too large.",
    )


def _distance(spec: StudySpec) -> Prose:
    return Prose(
        "Distance",
        (("fold over control", "MUT / CONTROL"), ("fraction of max", "MUT / largest MUT of this CRE")),
        "Each CRE stands in the place of every tile, with the TSS tile, in shuffled backgrounds. Fold over control "
        "says what it does there: above 1 it raises the activity, below 1 it lowers it. Fraction of max is the "
        "shape of that curve, 1 at the place where the activity is highest.",
        "Fraction of max does not say how strong a CRE is: its largest value is 1 however weak it is. For "
        "silencers the largest activity is where they do least; read their fold over control.",
    )


def _multiplicity(spec: StudySpec) -> Prose:
    return Prose(
        "Copies",
        (("fold over control", "MUT / CONTROL"),),
        "Copies of one CRE are put into backgrounds with the TSS tile, one after another, each at the place where "
        "it raises the activity most (enhancers) or lowers it most (silencers). A Hill curve through the "
        "activities says whether they level off: yes if the plateau is reached within the copies tested, flat if "
        "they hardly change.",
        "What copies do at places that were not chosen: each place is the best of many, so a curve is near the "
        "most that copies can do. A plateau that was not reached is an extrapolation.",
    )


def _higher_order(spec: StudySpec) -> Prose:
    return Prose(
        "Sets of tiles, shuffled",
        (
            ("observed", "MUT / WT"),
            ("additive", "(WT + sum of single effects) / WT"),
            ("multiplicative", "the same of logarithms"),
        ),
        "In each round the tile whose shuffling lowers the activity most (min), or raises it most (max), is "
        "shuffled and stays so. A trace above the additive expectation is superadditive and one below it "
        "subadditive, if their mean squared error is above 0.1; below 0.05 it is additive, and ambiguous in "
        "between. It is nonmultiplicative if that of logarithms is above 0.04 (min) or 0.01 (max).",
        "The best set: the search follows one path. The tile that is chosen is also the one with the luckiest "
        "shuffles; holdout, where it is there, is the same trace by shuffles that had no part in the choice.",
    )


def _set_sufficiency(spec: StudySpec) -> Prose:
    return Prose(
        "Sets of tiles, added",
        (("fold over WT", "MUT / WT"), ("fold over control", "MUT / CONTROL")),
        "The tiles that a search chose are put into shuffled backgrounds with the TSS tile, one after another in "
        "that order. At a fold over WT of 1 they bring back the wild type's activity together.",
        "The smallest set that is sufficient: tiles were chosen by what their loss does, not by what they bring. "
        "Backgrounds are unlike genomes here too.",
    )


def _interactions(spec: StudySpec) -> Prose:
    return Prose(
        "Pairs of tiles",
        (
            ("epistasis", "observed fold - additive expectation"),
            ("log epistasis", "log observed fold - log multiplicative expectation"),
        ),
        "The most necessary tiles of a locus are shuffled two by two. At 0 the two add up, or multiply. An "
        "interaction is positive or negative if it is more than 0.05 from 0 and its interval leaves out 0, none if "
        "the whole interval is within 0.05 of 0, else unclear: more shuffles would tell.",
        "Whether the elements touch: this is the arithmetic of predictions. Of many pairs without interaction a "
        "few in a hundred have an interval that leaves out 0 by chance. Two tiles that add up do not multiply, so "
        "the two scales cannot both be 0 where both tiles act.",
    )


def _fine_mapping(spec: StudySpec) -> Prose:
    return Prose(
        "Fine mapping",
        (("activity score", "MUT / WHOLE"), ("effect score", "(MUT - CONTROL) / (WHOLE - CONTROL)")),
        "The bases of a CRE are given up piece by piece, those first whose loss hurts least, for as long as the "
        "score stays on the right side of its threshold; WHOLE is the whole CRE with the TSS tile. The fewer bp "
        "are kept, the more the effect is in one place. Where methods were compared, each orders the bases its own "
        "way, and fewest bp is the least that it needs for a score of 0.8.",
        "That the other bases do nothing: the search is greedy, and of two stretches that do the same it keeps "
        "one. What is kept is what the model uses in these backgrounds, not a map of binding sites.",
    )


def _annotation(spec: StudySpec) -> Prose:
    return Prose(
        "Annotation",
        (("log2 fold", "log2(mean of the first group / mean of the second)"),),
        "What files say of the places of CREs in the genome: signal of bigWig tracks, overlap with BED regions and "
        "repeats, and lists of genes. Neutral tiles are drawn from those without a call. Groups are compared by "
        "two-sided Mann-Whitney U tests; auc is how often a value of the first group is the larger.",
        "What causes what: CREs differ from other tiles in distance to the TSS and in sequence too. Tiles of "
        "overlapping windows are not independent, so p values are too small where many genes are close together.",
    )


def _failures(spec: StudySpec) -> Prose:
    return Prose(
        "Failures",
        (),
        "What raised an error and is missing above. The same command of the run tries it again.",
        "Whether the rest is sound: what failed may be what is unusual.",
    )


def _calls(spec: StudySpec) -> str:
    rule = call_rule(spec.cres)
    up, down = (" and ".join(names) for names in (rule.enhancer_contexts, rule.silencer_contexts))
    return (
        f"A tile is called an enhancer above {rule.enhancer:g} over WT in {up} contexts, and a silencer below "
        f"{rule.silencer:g} over control in {down} ones."
    )


PROSE: dict[str, Callable[[StudySpec], Prose]] = {
    "contexts": _contexts,
    "swap": _swap,
    "necessity": _necessity,
    "sufficiency": _sufficiency,
    "cres": _cres,
    "distance": _distance,
    "multiplicity": _multiplicity,
    "higher_order": _higher_order,
    "set_sufficiency": _set_sufficiency,
    "interactions": _interactions,
    "fine_mapping": _fine_mapping,
    "annotation": _annotation,
    "failures": _failures,
}
