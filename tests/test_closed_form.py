"""Every test on `RegulatoryToy`, against answers that are worked out without the network."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import tangermeme_creme as creme
from tangermeme_creme.models import Readout
from tangermeme_creme.models.toy import (
    RESPONSES,
    Element,
    RegulatoryToy,
    expected_activity,
    moved,
    simulate_sequence,
    within,
    without,
)
from tangermeme_creme.sequence import Span, tile_grid

L, SIZE = 16_384, 1_024
GRID = tile_grid(L, SIZE)
TSS = GRID.center
TILES: list[Span] = [(int(start), int(end)) for start, end in GRID.context]
SETTINGS = {"basal": 4.0, "ceiling": 20.0, "reach": (2_000.0, 4_000.0)}


def in_tile(kind: str, tile: int, copies: int = 1) -> Element:
    return Element(kind, TILES[tile][0] + 300, copies)


PROMOTER = Element("promoter", L // 2)
NEAR, FAR, UP = in_tile("enhancer", 8, 2), in_tile("enhancer", 11, 3), in_tile("enhancer", 5)
SILENCER, ONLY_A = in_tile("silencer", 9), in_tile("enhancer_a", 7, 2)
LOCUS = [PROMOTER, NEAR, FAR, UP, SILENCER, ONLY_A]


def expected(elements: list[Element], response: str) -> np.ndarray:
    return expected_activity(elements, length=L, response=response, **SETTINGS)


def toy(response: str) -> Readout:
    network = RegulatoryToy(L, response=response, **SETTINGS)
    return Readout(network, bins=[network.tss_bin])


def window(elements: list[Element] = LOCUS) -> torch.Tensor:
    return simulate_sequence(L, elements, random_state=0)


def close(measured: torch.Tensor, answer: object) -> None:
    np.testing.assert_allclose(measured.numpy(), np.asarray(answer), rtol=2e-5)


every_response = pytest.mark.parametrize("response", RESPONSES)


@every_response
def test_context_dependence_leaves_the_promoter_alone(response: str) -> None:
    y_wt, y_mut = creme.context_dependence_test(toy(response), window(), TSS, n=4, random_state=0)
    close(y_wt[0], expected(LOCUS, response))
    close(y_mut[0], [expected([PROMOTER], response)] * 4)


@every_response
def test_context_swap_puts_the_promoter_among_the_elements_of_the_target(response: str) -> None:
    silent = [NEAR, SILENCER]  # no promoter of its own
    result = creme.context_swap_test(toy(response), window(), torch.cat([window(), window(silent)]), TSS)
    close(result.y_target, [expected(LOCUS, response), [0, 0]])
    close(result.y_mut[0], [expected(LOCUS, response), expected([PROMOTER, *silent], response)])
    back = creme.context_swap_test(toy(response), window(silent), window(), TSS)
    close(back.y_mut[0, 0], [0, 0])


@every_response
def test_necessity_takes_each_tile_away(response: str) -> None:
    _, y_mut = creme.necessity_test(toy(response), window(), TILES, n=3, random_state=0)
    for t, tile in enumerate(TILES):
        close(y_mut[0, t], [expected(without(LOCUS, [tile]), response)] * 3)


@every_response
def test_sufficiency_leaves_the_promoter_and_one_tile(response: str) -> None:
    _, y_control, y_mut = creme.sufficiency_test(toy(response), window(), TSS, TILES, n=3, random_state=0)
    close(y_control[0], [expected([PROMOTER], response)] * 3)
    for t, tile in enumerate(TILES):
        close(y_mut[0, t], [expected(within(LOCUS, [TSS, tile]), response)] * 3)


@every_response
def test_distance_curve_is_the_kernel(response: str) -> None:
    cre, starts = TILES[11], [start for start, _ in TILES]
    result = creme.distance_test(toy(response), window(), TSS, cre, starts, n=3, random_state=0)
    close(result.y_original[0], [expected([PROMOTER, FAR], response)] * 3)
    curve = result.y_mut[0].mean(1)
    close(curve, [expected([PROMOTER, moved(FAR, start - cre[0])], response) for start in starts])
    # Next to the TSS, on its downstream side, an enhancer does most; it falls off faster upstream.
    mean = curve.mean(1)
    assert int(mean.argmax()) == len(TILES) // 2
    for k in range(1, len(TILES) // 2):
        assert mean[len(TILES) // 2 + k] > mean[len(TILES) // 2 - 1 - k]


def by_brute_force(direction: str, rounds: int, response: str) -> tuple[list[int], list[float]]:
    """The greedy order and its activities, from the closed form alone."""
    pick = min if direction == "min" else max
    order: list[int] = []
    trace: list[float] = []
    for _ in range(rounds):
        left = [t for t in range(len(TILES)) if t not in order]
        value = {t: expected(without(LOCUS, [TILES[u] for u in [*order, t]]), response).mean() for t in left}
        order.append(pick(value, key=lambda t: round(value[t], 6)))
        trace.append(value[order[-1]])
    return order, trace


@every_response
@pytest.mark.parametrize(("direction", "rounds"), [("min", 4), ("max", 1)])
@pytest.mark.parametrize("carry", ["closest", "all"])
def test_greedy_search_takes_the_closed_form_order(response: str, direction: str, rounds: int, carry: str) -> None:
    result = creme.higher_order_interaction_test(
        toy(response),
        window(),
        TILES,
        direction=direction,
        rounds=rounds,
        n=2,
        carry=carry,
        n_holdout=2,
        random_state=0,
    )
    order, trace = by_brute_force(direction, rounds, response)
    assert result.order[0].tolist() == order
    close(result.y_selected[0], trace)
    close(result.y_start[0], [expected(LOCUS, response).mean(), *trace])
    assert result.y_holdout is not None
    close(result.y_holdout[0], trace)


@every_response
def test_a_set_of_all_tiles_with_elements_is_the_wild_type(response: str) -> None:
    order = [8, 11, 5, 9, 7]
    y_wt, _, y_mut = creme.tile_set_sufficiency_test(toy(response), window(), TSS, TILES, order, n=3, random_state=0)
    for r in range(len(order)):
        kept = within(LOCUS, [TSS, *(TILES[t] for t in order[: r + 1])])
        close(y_mut[0, r], [expected(kept, response)] * 3)
    close(y_mut[0, -1, 0], y_wt[0])


@every_response
def test_multiplicity_fills_the_best_places_in_order(response: str) -> None:
    cre, starts, copies = TILES[8], [start for start, _ in TILES], 8
    result = creme.multiplicity_test(
        toy(response), window(), TSS, cre, starts, direction="max", copies=copies, n=2, random_state=0
    )
    close(result.y_control[0], [expected([PROMOTER], response).mean()] * 2)
    close(result.y_original[0], [expected([PROMOTER, NEAR], response).mean()] * 2)
    # Drives add up, so that the best places are those where a single copy does most.
    single = {start: expected([PROMOTER, moved(NEAR, start - cre[0])], "additive").mean() for start in starts}
    best = sorted(starts, key=lambda start: -single[start])[:copies]
    assert result.positions[0].tolist() == best
    placed = [moved(NEAR, start - cre[0]) for start in best]
    close(result.y_selected[0], [expected([PROMOTER, *placed[: k + 1]], response).mean() for k in range(copies)])


def test_multiplicity_saturates_where_the_response_does() -> None:
    starts = [start for start, _ in TILES]

    def gains(response: str) -> torch.Tensor:
        result = creme.multiplicity_test(
            toy(response), window(), TSS, TILES[8], starts, direction="max", copies=8, n=2, random_state=0
        )
        trace = torch.cat([result.y_control.mean(1), result.y_selected[0]])
        assert float(trace[-1]) <= 20.0 or response != "saturating"
        return trace.diff()

    ceiling, straight = gains("saturating"), gains("multiplicative")
    assert float(ceiling[-1]) < 0.1 * float(ceiling[0])
    assert float(straight[-1]) > float(straight[0])


@every_response
def test_fine_tile_search_keeps_the_motifs_and_little_else(response: str) -> None:
    # Four copies in a row within one 50 bp sub-tile and its neighbour; the rest of the CRE carries nothing.
    enhancer = Element("enhancer", TILES[8][0] + 410, 4)
    X = window([PROMOTER, enhancer])
    result = creme.fine_tile_search(
        toy(response), X, TSS, TILES[8], scales=(500, 50), thresholds=(0.99, 0.99), prune=(1, 10), score="effect",
        n=2, random_state=0,
    )  # fmt: skip
    inside = result.mask[0, 410 : 410 + enhancer.end - enhancer.start]
    assert bool(inside.all())
    # The fewest sub-tiles of 50 bp that cover the motifs.
    first, last = 410 // 50, (410 + enhancer.end - enhancer.start - 1) // 50
    assert int(result.mask.sum()) == 50 * (last - first + 1)
    assert result.trace[0][-1].score == pytest.approx(1.0, abs=1e-5)


def test_fine_tile_search_of_a_silencer_keeps_its_motifs() -> None:
    silencer = Element("silencer", TILES[8][0] + 410, 2)
    X = window([PROMOTER, silencer])
    result = creme.fine_tile_search(
        toy("additive"),
        X,
        TSS,
        TILES[8],
        scales=(500, 50),
        thresholds=(0.99, 0.99),
        direction="min",
        n=2,
        random_state=0,
    )
    assert bool(result.mask[0, 410 : 410 + silencer.end - silencer.start].all())
    assert int(result.mask.sum()) == 50


def test_fine_tile_search_drops_the_weakest_copies_down_to_the_threshold() -> None:
    # Additive: of k equal copies in one bin, each is 1/k of the effect, so 0.7 keeps the fewest with at least 0.7.
    copies = [Element("enhancer", 9 * 1024 + 110 + 200 * k) for k in range(4)]
    cre = (9 * 1024, 10 * 1024)
    network = RegulatoryToy(L, bin_size=1024, **SETTINGS)
    model = Readout(network, bins=[network.tss_bin])
    X = window([PROMOTER, *copies])
    result = creme.fine_tile_search(
        model, X, (8 * 1024, 9 * 1024), cre, scales=(100, 50), thresholds=(0.9, 0.7), prune=(1, 1), score="effect",
        n=2, random_state=0,
    )  # fmt: skip
    held = [bool(result.mask[0, e.start - cre[0] : e.end - cre[0]].all()) for e in copies]
    assert sum(held) == 3
    assert int(result.mask.sum()) == 150
    assert result.trace[0][-1].score == pytest.approx(0.75, abs=1e-5)
    assert all(step.score > threshold for step in result.trace[0] for threshold in [(0.9, 0.7)[step.stage]])


def test_interactions_are_what_the_responses_say() -> None:
    """Two tiles together against each alone: additive, superadditive on the log link, subadditive when saturated."""
    pair = [TILES[8], TILES[11]]
    for response, sign in (("additive", 0), ("multiplicative", 1), ("saturating", -1)):
        start = [PROMOTER, in_tile("enhancer", 8, 3), in_tile("enhancer", 11, 6)]
        control, *single = (
            expected(within(start, [TSS, *tiles]), response).mean() for tiles in ([], *[[t] for t in pair])
        )
        both = expected(start, response).mean()
        surplus = (both - control) - sum(value - control for value in single)
        assert np.sign(round(surplus, 6)) == sign
        result = creme.tile_set_sufficiency_test(toy(response), window(start), TSS, pair, [0, 1], n=2, random_state=0)
        alone = creme.sufficiency_test(toy(response), window(start), TSS, pair, n=2, random_state=0)
        measured = result.y_mut[0, 1].mean() - alone.y_mut[0].mean((1, 2)).sum() + alone.y_control.mean()
        assert float(measured) == pytest.approx(surplus, rel=1e-4, abs=1e-4)


def test_elements_do_not_overlap() -> None:
    for one, other in itertools.combinations(LOCUS, 2):
        assert one.end <= other.start or other.end <= one.start
