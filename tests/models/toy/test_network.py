"""Test the toy network against naive loops and the closed form."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from tangermeme.predict import predict
from toy_cases import LENGTH, MIXED, PROMOTER, TSS, element_sets, sequence

from tangermeme_creme.models.toy import (
    CELLS,
    MOTIFS,
    RESPONSES,
    WEIGHTS,
    Element,
    RegulatoryToy,
    expected_activity,
    motif_starts,
    moved,
    simulate_sequence,
    without,
)


@settings(max_examples=40, deadline=None)
@given(
    element_sets(),
    st.sampled_from(RESPONSES),
    st.floats(0.1, 5),
    st.floats(6, 50),
    st.tuples(st.floats(200, 50_000), st.floats(200, 50_000)),
)
def test_toy_predicts_the_closed_form(
    elements: list[Element], response: str, basal: float, ceiling: float, reach: tuple[float, float]
) -> None:
    kwargs = {"response": response, "basal": basal, "ceiling": ceiling, "reach": reach}
    model = RegulatoryToy(LENGTH, **kwargs)
    y = model(sequence(elements))[0, model.tss_bin]
    np.testing.assert_allclose(y, expected_activity(elements, length=LENGTH, **kwargs), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("response", RESPONSES)
def test_toy_predicts_every_bin_as_a_naive_loop_does(response: str) -> None:
    elements = [*MIXED, Element("promoter", 100), Element("promoter", 3000, copies=2)]
    reach, basal, ceiling = (700.0, 2500.0), 1.5, 9.0
    expected = np.zeros((LENGTH // 128, 2))
    for i, c in itertools.product(range(len(expected)), range(2)):
        drive, promoters = 0.0, 0
        for element, start in ((e, s) for e in elements for s in motif_starts(e)):
            d = (start // 128 - i) * 128
            drive += WEIGHTS[element.kind][c] * math.exp(-d / reach[1] if d >= 0 else d / reach[0])
            promoters += element.kind == "promoter" and d == 0
        logit = math.log(basal / ceiling / (1 - basal / ceiling))
        activity = {
            "additive": max(basal + drive, 0),
            "multiplicative": basal * math.exp(drive),
            "saturating": ceiling / (1 + math.exp(-(drive + logit))),
        }[response]
        expected[i, c] = min(promoters, 1) * activity
    model = RegulatoryToy(LENGTH, response=response, basal=basal, ceiling=ceiling, reach=reach)
    y = model(sequence(elements))
    np.testing.assert_allclose(y[0], expected, rtol=1e-5)
    assert np.count_nonzero(expected) == 6


@pytest.mark.parametrize("response", RESPONSES)
def test_toy_gives_basal_without_a_drive(response: str) -> None:
    model = RegulatoryToy(LENGTH, response=response, basal=2.5)
    y = model(sequence([PROMOTER]))
    torch.testing.assert_close(y[0, model.tss_bin], torch.tensor([2.5, 2.5]))
    assert torch.count_nonzero(y) == 2


def test_toy_falls_off_faster_upstream() -> None:
    model = RegulatoryToy(LENGTH, reach=(500, 1000))
    up = model(sequence([PROMOTER, Element("enhancer", TSS - 1024)]))[0, model.tss_bin, 0]
    down = model(sequence([PROMOTER, Element("enhancer", TSS + 1024)]))[0, model.tss_bin, 0]
    assert up.item() == pytest.approx(1 + math.exp(-1024 / 500))
    assert down.item() == pytest.approx(1 + math.exp(-1024 / 1000))


@pytest.mark.parametrize(
    ("kind", "moves"),
    [("enhancer", (1, 1)), ("enhancer_a", (1, 0)), ("enhancer_b", (0, 1)), ("silencer", (-1, -1))],
)
def test_toy_elements_move_their_cell_types(kind: str, moves: tuple[int, int]) -> None:
    model = RegulatoryToy(LENGTH, basal=3.0)
    y = model(sequence([PROMOTER, Element(kind, TSS + 24)]))[0, model.tss_bin]
    assert len(CELLS) == y.shape[-1]
    assert y.tolist() == [3 + move for move in moves]


def test_toy_without_a_promoter_is_silent() -> None:
    y = RegulatoryToy(LENGTH, response="multiplicative")(sequence(without(MIXED, [(TSS, TSS + 16)])))
    assert torch.count_nonzero(y) == 0


def test_toy_promoter_opens_only_its_own_bin() -> None:
    model = RegulatoryToy(LENGTH)
    y = model(sequence([moved(PROMOTER, 128)]))
    assert torch.nonzero(y[0, :, 0]).flatten().tolist() == [model.tss_bin + 1]


def test_toy_a_second_promoter_changes_nothing() -> None:
    model = RegulatoryToy(LENGTH)
    one, two = (model(sequence([*MIXED[1:], PROMOTER._replace(copies=n)])) for n in (1, 2))
    assert torch.equal(one, two)


def test_toy_additive_stops_at_zero() -> None:
    y = RegulatoryToy(LENGTH)(sequence([PROMOTER, Element("silencer", TSS + 24, copies=3)]))
    assert torch.count_nonzero(y) == 0


@pytest.mark.parametrize(
    ("length", "bin_size", "tss_bin"), [(196608, 128, 768), (640, 128, 2), (128, 128, 0), (24, 8, 1)]
)
def test_toy_tss_bin_holds_the_centre(length: int, bin_size: int, tss_bin: int) -> None:
    model = RegulatoryToy(length, bin_size=bin_size)
    assert (model.tss_bin, model.bins) == (tss_bin, length // bin_size)


@pytest.mark.parametrize("response", RESPONSES)
def test_toy_forward_is_head_of_local(response: str) -> None:
    model = RegulatoryToy(LENGTH, response=response)
    X = torch.cat([sequence(MIXED, seed) for seed in range(3)])
    assert model.local(X).shape == (3, len(MOTIFS), 32)
    assert model(X).shape == (3, 32, 2)
    assert torch.equal(model(X), model.head(model.local(X)))


@pytest.mark.parametrize("response", RESPONSES)
def test_toy_does_not_depend_on_the_batch(response: str) -> None:
    model = RegulatoryToy(LENGTH, response=response)
    X = torch.cat([sequence([moved(e, 24 * i) for e in MIXED], i) for i in range(5)])
    whole = predict(model, X, batch_size=5, device="cpu")
    assert torch.equal(predict(model, X, batch_size=2, device="cpu"), whole)
    assert torch.equal(predict(model, X.flip(0), batch_size=3, device="cpu").flip(0), whole)


def test_toy_takes_no_examples() -> None:
    assert RegulatoryToy(LENGTH)(torch.zeros(0, 4, LENGTH)).shape == (0, 32, 2)


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-6), (torch.float16, 0.01), (torch.bfloat16, 0.1)])
def test_toy_works_in_other_precisions(response: str, dtype: torch.dtype, rtol: float) -> None:
    elements = [PROMOTER, Element("enhancer_a", 2600, copies=2), Element("silencer", 1000)]
    expected = expected_activity(elements, length=LENGTH, response=response)
    X = simulate_sequence(LENGTH, elements, random_state=0)
    model = RegulatoryToy(LENGTH, response=response).to(dtype)
    y = predict(model, X, device="cpu")
    assert y.dtype == dtype
    np.testing.assert_allclose(y[0, model.tss_bin].double(), expected, rtol=rtol)

    y = predict(RegulatoryToy(LENGTH, response=response), X, dtype=dtype, device="cpu")
    np.testing.assert_allclose(y[0, model.tss_bin].double(), expected, rtol=rtol)


def test_toy_takes_integer_sequences() -> None:
    X = simulate_sequence(LENGTH, MIXED, random_state=0)
    assert torch.equal(RegulatoryToy(LENGTH)(X), RegulatoryToy(LENGTH)(X.float()))


def test_toy_half_precision_overflow_stays_in_the_open_bin() -> None:
    model = RegulatoryToy(LENGTH, response="multiplicative").half()
    y = model(sequence([PROMOTER, Element("enhancer", TSS + 128, copies=20)]).half())
    assert y[0, model.tss_bin].isinf().all()
    y[0, model.tss_bin] = 0
    assert torch.count_nonzero(y) == 0


def test_toy_holds_a_fixed_parameter_and_draws_no_random_number() -> None:
    state = torch.random.get_rng_state()
    model = RegulatoryToy(LENGTH)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert [p.requires_grad for p in model.parameters()] == [False]


def test_toy_passes_gradients_to_its_input() -> None:
    X = sequence(MIXED).requires_grad_()
    RegulatoryToy(LENGTH, response="saturating")(X).sum().backward()
    assert X.grad is not None
    used = torch.nonzero(X.grad.abs().sum(dim=1)[0]).flatten()
    assert set(used.tolist()) == {s + i for e in MIXED for s in motif_starts(e) for i in range(16)}


@pytest.mark.parametrize(
    ("length", "kwargs", "match"),
    [
        (1000, {}, r"positive multiple of bin_size \(128\); got 1000"),
        (0, {}, r"positive multiple of bin_size \(128\); got 0"),
        (-128, {}, "got -128"),
        (1024, {"bin_size": 0}, "bin_size must be positive; got 0"),
        (1024, {"response": "linear"}, "response must be one of additive, .*; got 'linear'"),
        (1024, {"basal": 0.0}, r"basal must be positive and finite; got 0\.0"),
        (1024, {"basal": float("nan")}, "basal must be positive and finite; got nan"),
        (1024, {"basal": 20.0}, r"ceiling must be finite and above basal \(20\.0\); got 20\.0"),
        (1024, {"ceiling": float("inf")}, "got inf"),
        (1024, {"reach": (0, 100)}, r"reach must be two positive distances .*; got \(0, 100\)"),
        (1024, {"reach": (100,)}, r"got \(100,\)"),
    ],
)
def test_toy_refuses_a_bad_setting(length: int, kwargs: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        RegulatoryToy(length, **kwargs)
    with pytest.raises(ValueError, match=match):
        expected_activity([], length=length, **kwargs)


@pytest.mark.parametrize("shape", [(4, 1024), (1, 5, 1024), (1, 4, 1000), (1, 4, 0)])
def test_toy_refuses_sequences_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"got {shape}")):
        RegulatoryToy(1024)(torch.zeros(shape))


def test_toy_head_refuses_the_bins_of_another_window() -> None:
    with pytest.raises(ValueError, match=r"shape \(N, 5, 8\): the motifs and bins .*; got \(1, 5, 16\)"):
        RegulatoryToy(1024)(torch.zeros(1, 4, 2048))
