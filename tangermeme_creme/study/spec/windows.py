"""The tracks of a study, and the length and the TSS of its windows, also where they are left out."""

from __future__ import annotations

from ...support import SpecError
from .sections import StudySpec

LENGTHS = {"enformer": 196_608, "borzoi": 524_288}


def track_names(spec: StudySpec) -> tuple[str, ...]:
    """Return the names of the tracks, in the order of the model's outputs.

    Parameters
    ----------
    spec: StudySpec

    Returns
    -------
    names: tuple of str

    Examples
    --------
    >>> from tangermeme_creme.study.spec import ModelSpec
    >>> model = ModelSpec(adapter="enformer", tracks={"K562": 5111, "CAGE": (4824, 5110)})
    >>> track_names(StudySpec(model=model))
    ('CAGE', 'K562')
    """
    return tuple(spec.model.tracks)


def window_length(spec: StudySpec) -> int:
    """Return the length of the windows in bp: the given one, or that of the published model.

    Parameters
    ----------
    spec: StudySpec

    Returns
    -------
    length: int

    Raises
    ------
    SpecError
        If the adapter is "function" and no length is given.

    Examples
    --------
    >>> from tangermeme_creme.study.spec import ModelSpec
    >>> window_length(StudySpec(model=ModelSpec(adapter="borzoi", tracks=("K562",))))
    524288
    """
    length = LENGTHS.get(spec.model.adapter) if spec.model.length is None else spec.model.length
    if length is None:
        raise SpecError('model.length must be given for adapter "function": a whole number, 1 or more.')
    return length


def window_center(spec: StudySpec) -> int:
    """Return the TSS in bp of the windows: the given one, or the middle.

    Parameters
    ----------
    spec: StudySpec

    Returns
    -------
    center: int

    Examples
    --------
    >>> from tangermeme_creme.study.spec import ModelSpec, TilesSpec
    >>> model = ModelSpec(adapter="enformer", tracks=("K562",))
    >>> window_center(StudySpec(model=model)), window_center(StudySpec(model=model, tiles=TilesSpec(center=90_000)))
    (98304, 90000)
    """
    return window_length(spec) // 2 if spec.tiles.center is None else spec.tiles.center
