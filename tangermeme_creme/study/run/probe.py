"""Predict a few sequences before a study runs: whether its model fits, repeats itself, and is the one it began with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from ...engine import EditSession, agreement_tolerance, relative_difference, resolve_device, resolve_dtype, rows_at_once
from ..spec import StudyError

if TYPE_CHECKING:
    from .loaded_study import LoadedStudy

_COMPANY = 8  # sequences, at most, of the batch that is compared with sequences alone
_ALLOW = "[model] allow_stochastic = true takes such a model"


def take_probe(study: LoadedStudy, locus: pd.DataFrame) -> dict[str, Any] | None:
    """Predict the window of a locus and a random sequence, which `probe_change` compares between runs and workers.

    Costs two passes.

    Returns
    -------
    probe: dict or None
        `predictions`, by the names of the sequences, and `tolerance`. None for a model that may be stochastic.
    """
    if study.spec.model.allow_stochastic:
        return None
    names, codes = _sequences(study, locus)
    return _as_probe(
        study, names, [_predicted(study, model, codes, locus, batch_size=1) for _, model in _models(study)]
    )


def checked_probe(study: LoadedStudy, locus: pd.DataFrame) -> tuple[dict[str, Any] | None, float]:
    """Take a probe, and refuse a model that predicts a sequence differently a second time, or in a batch.

    Costs three passes and, where several sequences are predicted at a time, up to eight more.

    Returns
    -------
    probe: dict or None
        As of `take_probe`.

    rounding: float
        The largest difference between predictions alone and in a batch, relative to the largest; 0 is no difference.

    Raises
    ------
    StudyError
        If the model does not give one number per track, or a difference is more than rounding, unless
        `model.allow_stochastic` allows that.
    """
    names, codes = _sequences(study, locus)
    device, allowed = resolve_device(study.engine["device"]), study.spec.model.allow_stochastic
    at_once = min(_COMPANY, rows_at_once(study.spec.run.batch_size, study.length, device))
    company = torch.cat([codes, *(codes[:1].roll(k, 1) for k in range(1, at_once - 1))])
    predictions, rounding = [], 0.0
    for what, model in _models(study):
        limit = _tolerance(study, model)
        alone = _predicted(study, model, codes, locus, batch_size=1)
        predictions.append(alone)
        again = _predicted(study, model, codes[:1], locus, batch_size=1)
        if (off := relative_difference(again, alone[:1])) > limit and not allowed:
            raise StudyError(
                f"{what} must predict a sequence the same way each time; got two predictions of a window that differ "
                f"by {off:.2g} of the largest, where rounding is up to {limit:g}: is dropout on? {_ALLOW}."
            )
        if at_once == 1:
            continue
        together = _predicted(study, model, company, locus, batch_size=at_once)[: len(codes)]
        off = relative_difference(together, alone)
        if off > limit and not allowed:
            raise StudyError(
                f"{what} must predict a sequence the same way alone and in a batch of {at_once}; got predictions that "
                f"differ by {off:.2g} of the largest, where rounding is up to {limit:g}: does it normalize over the "
                f"batch, or drop out, in evaluation? {_ALLOW}, and run.batch_size = 1 predicts sequences alone."
            )
        rounding = max(rounding, off)
    return None if allowed else _as_probe(study, names, predictions), rounding


def _as_probe(study: LoadedStudy, names: list[str], predictions: list[torch.Tensor]) -> dict[str, Any]:
    """Name the predictions of each model, and say how far rounding may move them."""
    named: dict[str, list[float]] = {}
    for (what, model), y in zip(_models(study), predictions):
        by = "" if model is study.model else f" by {what}"
        named |= {f"{name}{by}": row.tolist() for name, row in zip(names, y)}
    return {"predictions": named, "tolerance": max(_tolerance(study, model) for _, model in _models(study))}


def _models(study: LoadedStudy) -> Iterator[tuple[str, torch.nn.Module]]:
    """The models of a study, each with its name in messages."""
    yield "the model", study.model
    if study.activity_model is not study.model:
        yield "model.activity", study.activity_model


def _sequences(study: LoadedStudy, locus: pd.DataFrame) -> tuple[list[str], torch.Tensor]:
    """Names and base codes of the window of a locus and of a random sequence, which is the same on every computer."""
    window = study.windows.read(locus).to_codes()
    bases = np.random.RandomState(0).randint(0, 4, size=(1, study.length))  # its stream is frozen for good
    names = [f"the window of {locus['example'].iloc[0]}", "a random sequence"]
    return names, torch.cat([window, torch.from_numpy(bases).to(window.dtype)])


def _tolerance(study: LoadedStudy, model: torch.nn.Module) -> float:
    return agreement_tolerance(resolve_dtype(model, study.engine["dtype"]), resolve_device(study.engine["device"]))


def _predicted(
    study: LoadedStudy, model: torch.nn.Module, codes: torch.Tensor, locus: pd.DataFrame, *, batch_size: int
) -> torch.Tensor:
    """Predict sequences with the further inputs of a locus: one number per sequence and track, shape (N, tracks)."""
    args = study.args(locus)
    options = {**study.engine, "incremental": False, "batch_size": batch_size}
    options["args"] = None if args is None else [arg.expand(len(codes), -1) for arg in args]
    with EditSession(model, PackedSequence.from_codes(codes), **options) as session:
        y = session.predict()
    if model is not study.model:
        if isinstance(y, torch.Tensor) or len(y) != 2:
            raise StudyError("model.activity must return an offset too, as a PeakReadout does; got activities only.")
        y = y[0]
    n = len(study.tracks)
    if not isinstance(y, torch.Tensor) or tuple(y.shape[1:]) != (n,):
        got = f"(N, {', '.join(map(str, y.shape[1:]))})" if isinstance(y, torch.Tensor) else f"{len(y)} outputs"
        raise StudyError(
            f"the model must give one number for each of {n} tracks, shape (N, {n}); got {got}: see model.tracks, or "
            "wrap it in a Readout."
        )
    return y
