"""Keys of a study that are each possible, and not together."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ...analysis import CALL_PRESETS, CATEGORIES, CONTEXT_PRESETS, classify_context
from ...models import BORZOI_TRACKS, ENFORMER_TRACKS
from ...operators import check_stages
from ...sequence import tile_grid
from .fields import SpecError
from .sections import StudySpec, track_names, window_length

_NEEDS = {
    "distance": "sufficiency",
    "multiplicity": "sufficiency",
    "fine_tile": "sufficiency",
    "set_sufficiency": "higher_order",
    "interactions": "necessity",
}
_PAPER_TRACKS = {"enformer": tuple(ENFORMER_TRACKS), "borzoi": tuple(BORZOI_TRACKS)}


def check_spec(spec: StudySpec) -> None:
    """Refuse a study whose keys do not go together, before anything is read or computed.

    Parameters
    ----------
    spec: StudySpec

    Raises
    ------
    SpecError
        The message names the key, and what is allowed. Of the keys of a test, those that depend on others count only
        where the test is included.

    Examples
    --------
    >>> from tangermeme_creme.study.spec import spec_from_dict
    >>> check_spec(spec_from_dict({"model": {"adapter": "enformer", "tracks": ["K562"]}}))
    Traceback (most recent call last):
    ...
    tangermeme_creme.study.spec.fields.SpecError: loci or windows must be given; got neither.
    """
    _check_model(spec)
    _check_tracks(spec)
    _check_sequences(spec)
    _check_thresholds(spec)
    _check_tests(spec)
    _check_sizes(spec)


def _check_model(spec: StudySpec) -> None:
    model, adapter = spec.model, spec.model.adapter
    for name, value in (("function", model.function), ("activity", model.activity)):
        module, colon, function = (value or "module:function").partition(":")
        if not colon or not function.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
            raise SpecError(f'model.{name} must be like "package.module:function"; got {value!r}.')
    if adapter == "function":
        if model.function is None:
            raise SpecError('model.function must be given for adapter "function": "package.module:function".')
        if model.weights is not None:
            raise SpecError(
                f'model.weights must be left out for adapter "function"; got {model.weights!r}: give them to the '
                "function, in model.arguments."
            )
        window_length(spec)
        return
    if model.function is not None:
        raise SpecError(f'model.function must be left out but for adapter "function"; got {model.function!r}.')
    if adapter == "borzoi" and not model.weights:
        raise SpecError('model.weights must be given for adapter "borzoi": a folder or a name, or an array of them.')
    if adapter == "enformer" and isinstance(model.weights, tuple):
        raise SpecError(f'model.weights must be one folder or name for adapter "enformer"; got {model.weights!r}.')
    for name in ("weights", "tracks", "length"):
        if name in model.arguments:
            raise SpecError(f"model.arguments must not have {name!r}, which is a key of [model]; got it.")
    if window_length(spec) % 128:
        raise SpecError(f'model.length must be a multiple of 128 bp for adapter "{adapter}"; got {model.length}.')


def _check_tracks(spec: StudySpec) -> None:
    tracks, adapter = spec.model.tracks, spec.model.adapter
    if not tracks:
        raise SpecError("model.tracks must name at least one; got none.")
    if isinstance(tracks, dict):
        if adapter == "function":
            raise SpecError(f'model.tracks must be an array of names for adapter "function"; got {tracks!r}.')
        for name, numbers in tracks.items():
            if numbers == ():
                raise SpecError(f"model.tracks.{name} must be at least one number; got none.")
    else:
        _check_apart(tracks, "model.tracks")
        for i, name in enumerate(tracks):
            if adapter != "function" and name not in _PAPER_TRACKS[adapter]:
                raise SpecError(
                    f"model.tracks[{i}] must be of {', '.join(_PAPER_TRACKS[adapter])}, or a table of names and "
                    f"numbers; got {name!r}."
                )
    for test in ("multiplicity", "higher_order", "interactions", "fine_tile"):
        chosen = getattr(spec.tests, test).tracks
        _check_apart(chosen, f"tests.{test}.tracks")
        _check_of(chosen, track_names(spec), f"tests.{test}.tracks", "model.tracks: ")


def _check_sequences(spec: StudySpec) -> None:
    loci, windows, annotation = spec.loci, spec.windows, spec.annotation
    if (loci is None) == (windows is None):
        raise SpecError(
            "loci or windows must be given; got neither." if loci is None else "loci must not be given with windows."
        )
    if loci is not None:
        if loci.max_offset is not None and spec.model.activity is None:
            raise SpecError(
                f"loci.max_offset must come with model.activity, which gives the offset; got {loci.max_offset} alone."
            )
        for name in ("min_activity", "max_offset"):
            value = getattr(loci, name)
            if value is not None and loci.top == 0:
                raise SpecError(f"loci.{name} must come with a loci.top of 1 or more; got {value} with loci.top 0.")
    if windows is not None and windows.loci is None:
        for name in ("bigwig", "bed", "gene_lists", "repeats"):
            if getattr(annotation, name):
                raise SpecError(
                    f"annotation.{name} must come with coordinates, from loci or windows.loci; got "
                    f"{getattr(annotation, name)!r} with {os.path.basename(windows.file)} alone."
                )


def _check_thresholds(spec: StudySpec) -> None:
    context, cres = spec.context, spec.cres
    thresholds = dict(CONTEXT_PRESETS[context.preset])
    for name in thresholds:
        value = getattr(context, name)
        thresholds[name] = thresholds[name] if value is None else value
    try:
        classify_context([], **thresholds)
    except ValueError as error:
        raise SpecError(f"[context] {error}") from error
    for name in ("enhancer_contexts", "silencer_contexts"):
        contexts = getattr(cres, name) or ()
        _check_of(contexts, CATEGORIES, f"cres.{name}")
        _check_apart(contexts, f"cres.{name}")


def _check_tests(spec: StudySpec) -> None:
    tests, include = spec.tests, spec.tests.include
    _check_apart(include, "tests.include")
    for name, needed in _NEEDS.items():
        if name in include and needed not in include:
            raise SpecError(f"tests.include must have {needed!r}, which {name!r} needs; got {list(include)}.")
    if not tests.higher_order.directions:
        raise SpecError("tests.higher_order.directions must name at least one of 'min', 'max'; got none.")
    _check_apart(tests.higher_order.directions, "tests.higher_order.directions")
    fine = tests.fine_tile
    _check_apart(fine.compare, "tests.fine_tile.compare")
    try:
        check_stages(fine.scales, fine.thresholds, fine.prune, below=False)
    except ValueError as error:
        raise SpecError(f"tests.fine_tile.{error}") from error
    silencers = spec.cres.silencer_contexts
    if silencers is None:
        silencers = CALL_PRESETS[spec.cres.preset].silencer_contexts
    if "fine_tile" in include and fine.score == "activity" and silencers:
        # The activity of a silencer rises as it is pruned: no threshold holds for both kinds.
        raise SpecError(
            "tests.fine_tile.score must be 'effect' or left out where silencers are called, in contexts "
            f"{', '.join(silencers)}; got 'activity'."
        )


def _check_sizes(spec: StudySpec) -> None:
    length, size, tests = window_length(spec), spec.tiles.size, spec.tests
    try:
        n_tiles = len(tile_grid(length, size).context)
    except ValueError:
        n_tiles = 0
    window = f"in a window of {length} bp"
    if n_tiles == 0:
        raise SpecError(f"tiles.size must leave room for a tile beside the one on the TSS {window}; got {size}.")
    for test, name in (("multiplicity", "copies"), ("higher_order", "rounds")):
        asked = getattr(getattr(tests, test), name)
        if test in tests.include and asked > n_tiles:
            raise SpecError(
                f"tests.{test}.{name} must be at most {n_tiles}, the context tiles of {size} bp {window}; got {asked}."
            )


def _check_apart(names: Sequence[str], path: str) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise SpecError(f"{path}[{i}] must be named once; got {name!r} again.")


def _check_of(names: Sequence[str], allowed: Sequence[str], path: str, what: str = "") -> None:
    for i, name in enumerate(names):
        if name not in allowed:
            raise SpecError(f"{path}[{i}] must be of {what}{', '.join(allowed)}; got {name!r}.")
