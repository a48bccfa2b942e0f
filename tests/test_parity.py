"""creme-nn 0.2.5, fed the shuffles that our operators draw, gives our operators' numbers, test by test.

Where the two are meant to differ, see `test_parity_departures.py` and `test_parity_pruning.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from reference import (
    TOLERANCE,
    BinsByTracks,
    Predictor,
    Replay,
    assert_agree,
    examples,
    import_reference,
    largest_gap,
    one_thread,
    to_reference,
)
from tangermeme.ersatz import dinucleotide_shuffle

from tangermeme_creme.operators import (
    context_dependence_test,
    context_swap_test,
    distance_test,
    fine_tile_search,
    higher_order_interaction_test,
    multiplicity_test,
    necessity_test,
    sufficiency_test,
)
from tangermeme_creme.sequence import Span, shuffle_backgrounds, tile_grid, tile_seed

creme = import_reference()

LENGTH, SIZE, N, SEED = 480, 48, 4, 11
GRID = tile_grid(LENGTH, SIZE)
TSS: Span = GRID.center
TILES: list[Span] = [(start, end) for start, end in GRID.context.tolist()]
CRE: Span = (310, 370)
POSITIONS = [0, 31, 90, 150, 264, 310, 355, 420]

X = examples(3, LENGTH, unknown=(330, 341))
MODEL = BinsByTracks(LENGTH)
EXAMPLES = pytest.mark.parametrize("i", range(len(X)))
CHOOSE = {"min": np.argmin, "max": np.argmax}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch, i: int) -> Replay:
    """The reference shuffles example i as we do."""
    replay = Replay(X[i : i + 1], N, SEED + i, TILES)
    monkeypatch.setattr(creme.shuffle, "dinuc_shuffle", replay)
    return replay


def predictor(model: torch.nn.Module = MODEL) -> Predictor:
    return Predictor(model, LENGTH)


@pytest.mark.parametrize("seed", [1, 2, 12345, tile_seed(SEED, *TILES[0]), 2**31 - 1])
@EXAMPLES
def test_unpatched_shuffles_of_one_seed_are_equal(i: int, seed: int) -> None:
    for whole in (X[i : i + 1], X[i : i + 1, :, 312:360]):
        theirs = creme.shuffle.dinuc_shuffle(to_reference(whole[0]), num_shufs=3, seed=seed)
        ours = dinucleotide_shuffle(whole, start=0, end=whole.shape[-1], n=3, random_state=seed, allow_N=True)[0]
        assert np.array_equal(to_reference(ours), theirs)


@pytest.mark.usefixtures("replay")
@EXAMPLES
def test_context_dependence_agrees(i: int) -> None:
    ours = context_dependence_test(MODEL, X, TSS, n=N, random_state=SEED)
    x = to_reference(X[i])
    y_wt, y_mut = creme.context_dependence_test(predictor(), x, TSS, N, mean=False)
    assert_agree(ours.y_wt[i], y_wt[0])
    assert_agree(ours.y_mut[i], y_mut)
    _, mean, std = creme.context_dependence_test(predictor(), x, TSS, N)
    assert_agree(ours.y_mut[i].mean(0), mean)
    assert_agree(ours.y_mut[i].std(0, correction=0), std)


def test_context_swap_agrees() -> None:
    sources, targets = X[:2], X[[2, 0]]
    pairs = context_swap_test(MODEL, sources, targets, TSS)
    matched = context_swap_test(MODEL, sources, targets, TSS, pairs="matched")
    theirs = predictor()
    assert_agree(matched.y_mut, creme.context_swap_test(theirs, to_reference(sources), to_reference(targets), TSS))
    for s, source in enumerate(sources):
        assert_agree(pairs.y_mut[s], creme.context_swap_test(theirs, to_reference(source), to_reference(targets), TSS))


@pytest.mark.usefixtures("replay")
@EXAMPLES
def test_necessity_agrees(i: int) -> None:
    ours = necessity_test(MODEL, X, TILES, n=N, random_state=SEED)
    x = to_reference(X[i])
    y_wt, y_mut = creme.necessity_test(predictor(), x, TILES, N, mean=False)
    assert_agree(ours.y_wt[i], y_wt[0])
    assert_agree(ours.y_mut[i], y_mut)
    _, mean, std = creme.necessity_test(predictor(), x, TILES, N)
    assert_agree(ours.y_mut[i].mean(1), mean)
    assert_agree(ours.y_mut[i].std(1, correction=0), std)


@pytest.mark.usefixtures("replay")
@EXAMPLES
def test_sufficiency_agrees(i: int) -> None:
    ours = sufficiency_test(MODEL, X, TSS, TILES, n=N, random_state=SEED)
    x = to_reference(X[i])
    y_wt, y_mut, y_control = creme.sufficiency_test(predictor(), x, TSS, TILES, N, mean=False)
    assert_agree(ours.y_wt[i], y_wt[0])
    assert_agree(ours.y_mut[i], y_mut)
    assert_agree(ours.y_control[i].expand(len(TILES), -1, -1, -1), y_control)  # there, once a tile
    _, mean, std, control_mean, control_std = creme.sufficiency_test(predictor(), x, TSS, TILES, N)
    assert_agree(ours.y_mut[i].mean(1), mean)
    assert_agree(ours.y_mut[i].std(1, correction=0), std)
    assert_agree(ours.y_control[i].mean(0), control_mean[0])
    assert_agree(ours.y_control[i].std(0, correction=0), control_std[0])


@pytest.mark.usefixtures("replay")
@EXAMPLES
def test_distance_agrees(i: int) -> None:
    ours = distance_test(MODEL, X, TSS, CRE, POSITIONS, n=N, random_state=SEED)
    x = to_reference(X[i])
    theirs = creme.distance_test(predictor(), x, TSS, CRE, POSITIONS, N, mean=False)
    assert_agree(ours.y_original[i], theirs["control"])
    assert_agree(ours.y_mut[i], theirs["mut"])
    theirs = creme.distance_test(predictor(), x, TSS, CRE, POSITIONS, N)
    assert_agree(ours.y_original[i].mean(0), theirs["mean_control"])
    assert_agree(ours.y_original[i].std(0, correction=0), theirs["std_control"])
    assert_agree(ours.y_mut[i].mean(1), theirs["mean_mut"])
    assert_agree(ours.y_mut[i].std(1, correction=0), theirs["std_mut"])


@pytest.mark.usefixtures("replay")
@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize("rounds", [None, 3])
@pytest.mark.parametrize("tracks", [1, 3])
@EXAMPLES
def test_higher_order_interaction_agrees(i: int, tracks: int, rounds: int | None, direction: str) -> None:
    # The reference looks at track 0 alone; with one track that is our default, the mean over all output axes.
    model = BinsByTracks(LENGTH, tracks=tracks)
    ours = higher_order_interaction_test(
        model, X, TILES, direction=direction, rounds=rounds, n=N, carry="closest", random_state=SEED,
        objective=None if tracks == 1 else lambda y: y[..., 0].mean(-1),
    )  # fmt: skip
    theirs = creme.higher_order_interaction_test(
        predictor(model), to_reference(X[i]), list(TILES), CHOOSE[direction], num_shuffle=N, num_rounds=rounds
    )
    assert len(theirs) == ours.order.shape[1] == (rounds or len(TILES))
    for r, step in theirs.items():
        assert TILES[ours.order[i, r]] == step["selected_tile"]
        assert_agree(ours.y_selected[i, r], step["selected_mean_pred"])
        y = ours.y_candidates[i, r]
        assert_agree(y[~y.isnan().any(1)], step["preds"])  # there, the tiles that are left only
        if tracks == 1:
            # Its initial prediction is the mean over all tracks, so it compares with several tracks to nothing.
            assert_agree(ours.y_start[i, r], step["initial_pred"])


@pytest.mark.usefixtures("replay")
@pytest.mark.parametrize("direction", ["min", "max"])
@EXAMPLES
def test_multiplicity_agrees(i: int, direction: str) -> None:
    positions = [start for start, _ in TILES]
    ours = multiplicity_test(MODEL, X, TSS, TILES[5], positions, direction=direction, copies=5, n=N, random_state=SEED)
    x = to_reference(X[i])
    theirs = creme.multiplicity_test(
        predictor(), x, TSS, TILES[5], x[slice(*TILES[5])], list(TILES), N, 5, CHOOSE[direction]
    )
    assert_agree(ours.y_control[i].mean(), theirs["only_tss_pred"])
    assert_agree(ours.y_original[i].mean(), theirs["tss_and_cre_pred"])
    assert ours.positions[i].tolist() == [start for start, _ in theirs["selected_tile_order"]]
    assert_agree(ours.y_selected[i], theirs["best_tss_signal"])
    for r, y_mut in enumerate(theirs["all_mutants"]):  # shape (n, positions that are left)
        y = ours.y_candidates[i, r]
        assert_agree(y[~y.isnan().any(1)], y_mut.T)


@pytest.mark.parametrize(("direction", "cre_type"), [("max", "enhancer"), ("min", "silencer")])
@EXAMPLES
def test_pruning_one_by_one_agrees(i: int, direction: str, cre_type: str) -> None:
    x, theirs = to_reference(X[i]), predictor()
    control = to_reference(shuffle_backgrounds(X[i : i + 1], n=N, random_state=SEED + i)[0].to_one_hot())
    control[:, slice(*TSS)] = x[slice(*TSS)]

    def with_cre(span: Span) -> float:
        whole = control.copy()
        whole[:, slice(*span)] = x[slice(*span)]
        return float(theirs.predict(whole).mean())

    # The span of 60 bp that enhances, or silences, this example's TSS most, and thresholds on the way to the control.
    spans = [(start, start + 60) for start in range(0, LENGTH - 59, 10) if start >= TSS[1] or start + 60 <= TSS[0]]
    cre = spans[CHOOSE[direction]([with_cre(span) for span in spans])]
    whole = with_cre(cre)
    effect = float(theirs.predict(control).mean()) / whole - 1
    assert (effect < 0) == (direction == "max") and abs(effect) > 1000 * TOLERANCE
    thresholds = [1 + 0.3 * effect, 1 + 0.7 * effect]

    ours = fine_tile_search(
        MODEL, X[i : i + 1], TSS, cre, scales=(12, 4), thresholds=thresholds, prune=(1, 1), direction=direction,
        score="activity", n=N, random_state=SEED + i,
    )  # fmt: skip
    summary = creme.prune_sequence(
        theirs, x, control.copy(), whole, *cre, [12, 4], thresholds, frac=1, N_batches=[1, 1], cre_type=cre_type
    )
    steps = 0
    for stage, scale in enumerate((12, 4)):
        trace = [step for step in ours.trace[0][1:] if step.stage == stage]
        # All but the last step, which crossed the threshold.
        assert_agree([step.score for step in trace], summary[scale]["scores"][:-1])
        assert [step.bp_kept for step in trace] == summary[scale]["bps"][:-1]
        removed = [list(span) for step in trace for span in step.removed]
        assert removed == summary[scale]["all_removed_tiles"][:-1].tolist()
        steps += len(trace)
    assert steps >= 3
    mask = np.zeros(60, dtype=bool)
    for start, end in summary[4]["insert_coords"]:
        mask[start - cre[0] : end - cre[0]] = True
    assert ours.mask[0].tolist() == mask.tolist()


@pytest.mark.usefixtures("replay")
@pytest.mark.parametrize("i", [0])
def test_agreement_can_fail(i: int) -> None:
    # The numbers hang on the shuffles and on the output axes, so that agreement says something.
    theirs = creme.context_dependence_test(predictor(), to_reference(X[i]), TSS, N, mean=False)[1]
    other = context_dependence_test(MODEL, X, TSS, n=N, random_state=SEED + 1).y_mut[i]
    assert largest_gap(other, theirs) > 1000 * TOLERANCE
    same = context_dependence_test(MODEL, X, TSS, n=N, random_state=SEED).y_mut[i]
    assert largest_gap(same.flip(1), theirs) > 1000 * TOLERANCE
    assert largest_gap(same.flip(2), theirs) > 1000 * TOLERANCE
    with pytest.raises(AssertionError, match="not close"):
        assert_agree(same + 2 * TOLERANCE, theirs)
    with pytest.raises(AssertionError, match="shape"):
        assert_agree(same[:1], theirs)
