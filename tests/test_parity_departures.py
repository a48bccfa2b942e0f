"""Where tangermeme_creme departs from creme-nn 0.2.5: what the reference does, and what we do instead.

Those of `fine_tile_search` are in `test_parity_pruning.py`. Two faults of the reference have no test: that it keeps
tables of tiles x shuffles x L x 4 in float64, which is no number, and its FIMO baseline, which is not there.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from reference import (
    BinsByTracks,
    Predictor,
    Replay,
    assert_agree,
    examples,
    import_reference,
    one_thread,
    to_reference,
)
from tangermeme.ersatz import dinucleotide_shuffle

from tangermeme_creme.operators import (
    context_dependence_test,
    context_swap_test,
    distance_test,
    higher_order_interaction_test,
    multiplicity_test,
    necessity_test,
    sufficiency_test,
)
from tangermeme_creme.sequence import Span, shuffle_backgrounds, tile_grid

creme = import_reference()

LENGTH, SIZE, N, SEED = 480, 48, 3, 11
GRID = tile_grid(LENGTH, SIZE)
TSS: Span = GRID.center
TILES: list[Span] = [(start, end) for start, end in GRID.context.tolist()]
CRE: Span = TILES[5]
OVER_TSS = TSS[0] + 10

X = examples(1, LENGTH)
x = to_reference(X[0])
MODEL = BinsByTracks(LENGTH)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


def predictor(model: torch.nn.Module = MODEL) -> Predictor:
    return Predictor(model, LENGTH)


def rows_of(model: torch.nn.Module, run: Callable[[], Any]) -> int:
    """How many sequences the model sees while `run` runs."""
    rows: list[int] = []
    handle = model.register_forward_hook(lambda module, inputs, y: rows.append(len(y)))
    run()
    handle.remove()
    return sum(rows)


# Shuffles


def test_seed_zero_is_a_seed() -> None:
    first, second = (creme.shuffle.dinuc_shuffle(x, seed=0) for _ in range(2))
    assert not np.array_equal(first, second)
    first, second = (shuffle_backgrounds(X, n=1, random_state=0).to_one_hot() for _ in range(2))
    assert torch.equal(first, second)


def test_every_test_can_be_seeded() -> None:
    first, second = (creme.context_dependence_test(predictor(), x, TSS, N, mean=False)[1] for _ in range(2))
    assert not np.array_equal(first, second)
    first, second = (context_dependence_test(MODEL, X, TSS, n=N, random_state=SEED).y_mut for _ in range(2))
    assert torch.equal(first, second)


def test_unknown_bases_stay_unknown() -> None:
    unknown = x.copy()
    unknown[100:110] = 0.25
    theirs = creme.shuffle.dinuc_shuffle(unknown, seed=1)
    counts = x[:100].sum(0) + x[110:].sum(0)
    assert theirs.sum(0).tolist() == (counts + np.array([0, 0, 0, 10])).tolist()  # ten T more

    ours = X.clone()
    ours[:, :, 100:110] = 0
    shuffled = shuffle_backgrounds(ours, n=N, random_state=1).to_one_hot()[0]
    for background in shuffled:
        assert background.sum(1).tolist() == counts.tolist()
        assert int((background.sum(0) == 0).sum()) == 10
    with pytest.raises(ValueError, match=r"one-hot.*got 0\.25 at \[0, 0, 100\]"):
        context_dependence_test(MODEL, torch.from_numpy(unknown.T.copy())[None], TSS, n=N, random_state=1)


# Tiles


def reference_tile_range() -> Callable[[int, int], tuple[list[int], list[list[int]]]]:
    """`set_tile_range` out of the source of `creme.utils`, which imports much that `creme.creme` does not need."""
    spec = importlib.util.find_spec("creme.utils")
    assert spec is not None and spec.origin is not None
    module = ast.parse(Path(spec.origin).read_text())
    module.body = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "set_tile_range"]
    namespace: dict[str, Any] = {"np": np}
    exec(compile(module, spec.origin, "exec"), namespace)
    return namespace["set_tile_range"]


@pytest.mark.parametrize(
    ("length", "size", "fits"),
    [(196_608, 5000, False), (524_288, 5000, False), (480, 48, False), (481, 50, False), (500, 100, True)],
)
def test_exact_fit_of_the_last_tile_is_kept(length: int, size: int, fits: bool) -> None:
    center, context = reference_tile_range()(length, size)
    ours = tile_grid(length, size)
    assert list(ours.center) == center
    assert (int(ours.context[-1, 1]) == length) == fits
    assert ours.context.tolist()[: -1 if fits else None] == context


def test_sufficiency_control_is_drawn_and_predicted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    T = len(TILES)
    y_control = creme.sufficiency_test(predictor(), x, TSS, TILES, N, mean=False)[2]
    assert not np.array_equal(y_control[0], y_control[1])  # each tile has controls of its own

    replay, theirs = Replay(X, N, SEED), predictor()
    monkeypatch.setattr(creme.shuffle, "dinuc_shuffle", replay)
    creme.sufficiency_test(theirs, x, TSS, TILES, N)
    assert (replay.asked[LENGTH], theirs.rows) == (T * N, 1 + 2 * T * N)

    drawn: list[int] = []

    def shuffle_fn(X: torch.Tensor, start: int, end: int, n: int, random_state: int) -> torch.Tensor:
        drawn.append(n)
        return dinucleotide_shuffle(X, start=start, end=end, n=n, random_state=random_state)

    def ours() -> object:
        return sufficiency_test(
            MODEL, X, TSS, TILES, n=N, shuffle_fn=shuffle_fn, random_state=0, allow_stochastic=True
        )  # fmt: skip

    rows = rows_of(MODEL, ours)
    assert (sum(drawn), rows) == (N, 1 + N + T * N)


def test_distance_shares_every_background() -> None:
    start = CRE[0]
    unseeded = creme.distance_test(predictor(), x, TSS, CRE, [start], N, mean=False)
    assert not np.isclose(unseeded["control"], unseeded["mut"][0]).all((1, 2)).any()
    # With seed=True, shuffle n has seed n, and a seed of 0 counts as none.
    theirs = creme.distance_test(predictor(), x, TSS, CRE, [start], N, mean=False, seed=True)
    assert np.isclose(theirs["control"], theirs["mut"][0]).all((1, 2)).tolist() == [False] + [True] * (N - 1)

    ours = distance_test(MODEL, X, TSS, CRE, [start], n=N, random_state=0)
    assert_agree(ours.y_mut[:, 0], ours.y_original)
    # Without a patch: background k of the reference is the first that tangermeme draws for seed k.
    shared = torch.stack([dinucleotide_shuffle(X, n=1, random_state=k)[:, 0] for k in range(1, N)], dim=1)
    assert_agree(distance_test(MODEL, X, TSS, CRE, [start], n=N - 1, backgrounds=shared).y_mut[0], theirs["mut"][:, 1:])


def test_distance_predicts_the_tss_tile_alone() -> None:
    theirs = creme.distance_test(predictor(), x, TSS, CRE, [0], N, mean=False)
    assert set(theirs) == {"control", "mut"}  # control: with the CRE at its own place, our y_original
    ours = distance_test(MODEL, X, TSS, CRE, [0], n=N, random_state=SEED)
    assert torch.equal(ours.y_control, context_dependence_test(MODEL, X, TSS, n=N, random_state=SEED).y_mut)


def multiplicity_there(positions: list[Span], copies: int = 1) -> dict[str, Any]:
    return creme.multiplicity_test(predictor(), x, TSS, CRE, x[slice(*CRE)], positions, N, copies, np.argmax)


def test_a_tile_over_the_tss_is_refused() -> None:
    over = (OVER_TSS, OVER_TSS + SIZE)
    _, y_mut, _ = creme.sufficiency_test(predictor(), x, TSS, [over], N, mean=False)
    assert y_mut.shape == (1, N, *MODEL.shape)
    with pytest.raises(ValueError, match=rf"tiles must not overlap tss_tile .* got \[{over[0]}, {over[1]}\)"):
        sufficiency_test(MODEL, X, TSS, [over], n=N)

    assert creme.distance_test(predictor(), x, TSS, CRE, [OVER_TSS], N, mean=False)["mut"].shape == y_mut.shape
    with pytest.raises(ValueError, match=rf"positions must not overlap tss_tile .* got \[{over[0]}, {over[1]}\)"):
        distance_test(MODEL, X, TSS, CRE, [OVER_TSS], n=N)

    assert multiplicity_there([over])["selected_tile_order"] == [over]
    with pytest.raises(ValueError, match=rf"positions must not overlap tss_tile .* got \[{over[0]}, {over[1]}\)"):
        multiplicity_test(MODEL, X, TSS, CRE, [OVER_TSS], direction="max", copies=1, n=N)


def test_swap_takes_all_pairs_and_predicts_both_sides() -> None:
    sources, targets = examples(2, LENGTH), examples(3, LENGTH)
    with pytest.raises(ValueError, match="could not broadcast"):
        creme.context_swap_test(predictor(), to_reference(sources), to_reference(targets), TSS)
    ours = context_swap_test(MODEL, sources, targets, TSS)
    assert tuple(ours.y_mut.shape) == (2, 3, *MODEL.shape)
    with torch.no_grad():
        assert_agree(ours.y_source, MODEL(sources.double()))
        assert_agree(ours.y_target, MODEL(targets.double()))


# Greedy search


class Opposed(torch.nn.Module):
    """Track 0 of another model, and a track 1 that falls twice as much where track 0 rises."""

    n_fill = 0.0  # an unknown base is zeros on purpose

    def __init__(self) -> None:
        super().__init__()
        self.model = BinsByTracks(LENGTH, tracks=1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = self.model(X)
        return torch.cat([y, 100 - 2 * y], dim=-1)


def test_greedy_objective_is_the_mean_over_all_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Opposed()
    monkeypatch.setattr(creme.shuffle, "dinuc_shuffle", Replay(X, N, SEED, TILES))
    theirs = creme.higher_order_interaction_test(predictor(model), x, list(TILES), np.argmin, N, 1)[0]
    y_mut = necessity_test(model, X, TILES, n=N, random_state=SEED).y_mut[0]
    track, every = y_mut[..., 0].mean((1, 2)), y_mut.mean((1, 2, 3))
    assert theirs["selected_tile"] == TILES[track.argmin()]
    assert_agree(theirs["preds"].mean(1), track)
    with torch.no_grad():
        assert_agree(theirs["initial_pred"], model(X.double()).mean())  # which is over all tracks there, too

    ours = higher_order_interaction_test(model, X, TILES, direction="min", rounds=1, n=N, random_state=SEED)
    assert ours.order.item() == every.argmin() == track.argmax() != track.argmin()
    assert_agree(ours.y_candidates[0, 0].mean(1), every)
    assert_agree(ours.y_start[0, 0], theirs["initial_pred"])


def test_greedy_leaves_the_callers_tiles() -> None:
    tiles = [list(tile) for tile in TILES]
    creme.higher_order_interaction_test(predictor(), x, tiles, np.argmin, N)
    assert tiles == []
    tiles = [list(tile) for tile in TILES]
    higher_order_interaction_test(MODEL, X, tiles, direction="min", n=N)
    assert tiles == [list(tile) for tile in TILES]


def test_greedy_refuses_more_rounds_than_tiles() -> None:
    theirs = predictor()
    with pytest.raises(IndexError):
        creme.higher_order_interaction_test(theirs, x, TILES[:2], np.argmin, N, num_rounds=3)
    assert theirs.rows == 3 + (2 + 1) * N  # all that it found is lost

    def too_many() -> None:
        with pytest.raises(ValueError, match="rounds must be between 1 and the number of tiles, 2; got 3"):
            higher_order_interaction_test(MODEL, X, TILES[:2], direction="min", rounds=3, n=N)

    assert rows_of(MODEL, too_many) == 0


def test_greedy_refuses_tiles_that_overlap() -> None:
    tiles = [(0, 48), (24, 72)]
    assert len(creme.higher_order_interaction_test(predictor(), x, list(tiles), np.argmin, N)) == 2
    with pytest.raises(ValueError, match=r"tiles must not overlap each other; got \[0, 48\).* and \[24, 72\)"):
        higher_order_interaction_test(MODEL, X, tiles, direction="min", n=N)


# Multiplicity


def test_multiplicity_leaves_the_callers_positions() -> None:
    # The reference copies its list, so both do. It has no `remove` for the array that its docstring asks for.
    positions = [list(tile) for tile in TILES]
    multiplicity_there(positions, copies=2)
    assert positions == [list(tile) for tile in TILES]
    with pytest.raises(AttributeError, match="remove"):
        multiplicity_there(np.array(TILES))
    starts = np.array([start for start, _ in TILES])
    multiplicity_test(MODEL, X, TSS, CRE, starts, direction="max", copies=2, n=N)
    assert starts.tolist() == [start for start, _ in TILES]


def test_multiplicity_keeps_control_and_original_of_each_background() -> None:
    theirs = multiplicity_there(TILES[:2])
    assert np.ndim(theirs["only_tss_pred"]) == np.ndim(theirs["tss_and_cre_pred"]) == 0
    ours = multiplicity_test(MODEL, X, TSS, CRE, [24, 72], direction="max", copies=1, n=N)
    assert tuple(ours.y_control.shape) == tuple(ours.y_original.shape) == (1, N)


def test_multiplicity_refuses_more_copies_than_positions() -> None:
    with pytest.raises(ValueError, match="empty sequence"):  # numpy's argmax, after the last position was used
        multiplicity_there(TILES[:2], copies=3)
    with pytest.raises(ValueError, match="copies must be between 1 and the number of positions, 2; got 3"):
        multiplicity_test(MODEL, X, TSS, CRE, [24, 72], direction="max", copies=3, n=N)


def test_multiplicity_refuses_positions_that_overlap() -> None:
    assert len(multiplicity_there([(0, 48), (24, 72)], copies=2)["selected_tile_order"]) == 2
    with pytest.raises(ValueError, match=r"positions must not overlap each other; got \[0, 48\).* and \[24, 72\)"):
        multiplicity_test(MODEL, X, TSS, CRE, [0, 24], direction="max", copies=2, n=N)
