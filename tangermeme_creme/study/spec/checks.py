"""Keys of a study that are each possible, and not together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ...analysis import CATEGORIES
from ...models import BORZOI_TRACKS, ENFORMER_TRACKS
from ...support import SpecError, in_one_message
from ..tests import TESTS, StudyFacts, needed_tests
from .sections import StudySpec
from .thresholds import call_rule, context_thresholds
from .windows import track_names, window_center, window_length

_PAPER_TRACKS = {"enformer": tuple(ENFORMER_TRACKS), "borzoi": tuple(BORZOI_TRACKS)}


def check_spec(spec: StudySpec) -> None:
    """Refuse a study whose keys do not go together, before anything is read or computed.

    Parameters
    ----------
    spec: StudySpec

    Raises
    ------
    SpecError
        The message names each key and what is allowed. Of the keys of a test, those that depend on others count only
        where the test is included.

    Examples
    --------
    >>> from tangermeme_creme.study.spec import spec_from_dict
    >>> check_spec(spec_from_dict({"model": {"adapter": "enformer", "tracks": ["K562"]}}))
    Traceback (most recent call last):
    ...
    tangermeme_creme.support.settings.SpecError: loci or windows must be given; got neither.
    """
    problems = [*_model(spec), *_tracks(spec), *_sequences(spec), *_scale(spec), *_thresholds(spec), *_tests(spec)]
    if problems:
        raise SpecError(in_one_message(problems))


def _model(spec: StudySpec) -> Iterator[str]:
    model, adapter = spec.model, spec.model.adapter
    for name, value in (("function", model.function), ("activity", model.activity)):
        module, colon, function = (value or "module:function").partition(":")
        if not colon or not function.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
            yield f'model.{name} must be like "package.module:function"; got {value!r}.'
    if adapter == "function":
        if model.function is None:
            yield 'model.function must be given for adapter "function": "package.module:function".'
        if model.weights is not None:
            yield (
                f'model.weights must be left out for adapter "function"; got {model.weights!r}: give them to the '
                "function, in model.arguments."
            )
        for i, names in enumerate(model.args):
            if not names:
                yield f"model.args[{i}] must name at least one column; got none."
        yield from _length(spec)
        return
    for name in ("function", "args"):
        if value := getattr(model, name):
            yield f'model.{name} must be left out but for adapter "function"; got {value!r}.'
    if adapter == "borzoi" and not model.weights:
        yield 'model.weights must be given for adapter "borzoi": a folder or a name, or an array of them.'
    if adapter == "enformer" and isinstance(model.weights, tuple):
        yield f'model.weights must be one folder or name for adapter "enformer"; got {model.weights!r}.'
    for name in ("weights", "tracks", "length"):
        if name in model.arguments:
            yield f"model.arguments must not have {name!r}, which is a key of [model]; got it."
    yield from _length(spec)


def _length(spec: StudySpec) -> Iterator[str]:
    adapter, length = spec.model.adapter, spec.model.length
    if adapter == "function" and length is None:
        yield 'model.length must be given for adapter "function": a whole number, 1 or more.'
    elif adapter != "function" and window_length(spec) % 128:
        yield f'model.length must be a multiple of 128 bp for adapter "{adapter}"; got {length}.'


def _tracks(spec: StudySpec) -> Iterator[str]:
    tracks, adapter = spec.model.tracks, spec.model.adapter
    if not tracks:
        yield "model.tracks must name at least one; got none."
    if isinstance(tracks, dict):
        if adapter == "function":
            yield f'model.tracks must be an array of names for adapter "function"; got {tracks!r}.'
        for name, numbers in tracks.items():
            if numbers == ():
                yield f"model.tracks.{name} must be at least one number; got none."
    else:
        yield from _named_twice(tracks, "model.tracks")
        for i, name in enumerate(tracks):
            if adapter != "function" and name not in _PAPER_TRACKS[adapter]:
                yield (
                    f"model.tracks[{i}] must be of {', '.join(_PAPER_TRACKS[adapter])}, or a table of names and "
                    f"numbers; got {name!r}."
                )


def _sequences(spec: StudySpec) -> Iterator[str]:
    loci, windows, annotation = spec.loci, spec.windows, spec.annotation
    if (loci is None) == (windows is None):
        yield (
            "loci or windows must be given; got neither." if loci is None else "loci must not be given with windows."
        )
    if loci is not None:
        if loci.max_offset is not None and spec.model.activity is None:
            yield (
                f"loci.max_offset must come with model.activity, which gives the offset; got {loci.max_offset} alone."
            )
        for name in ("min_activity", "max_offset"):
            value = getattr(loci, name)
            if value is not None and loci.top == 0:
                yield f"loci.{name} must come with a loci.top of 1 or more; got {value} with loci.top 0."
    if windows is not None and windows.loci is None:
        for name in ("bigwig", "bed", "gene_lists", "repeats"):
            if getattr(annotation, name):
                yield (
                    f"annotation.{name} must come with coordinates, from loci or windows.loci; got "
                    f"{getattr(annotation, name)!r} with {os.path.basename(windows.file)} alone."
                )
        if spec.model.args:
            yield (
                f"model.args must come with windows.loci, a table with these columns; got {list(spec.model.args)} with "
                f"{os.path.basename(windows.file)} alone."
            )


def _scale(spec: StudySpec) -> Iterator[str]:
    """Refuse thresholds of ratios on another scale."""
    scale, called = spec.effects.scale, "sufficiency" in spec.tests.include
    if scale == "ratio":
        return
    needed = {"context": ("enhancing", "neutral", "silencing"), "cres": ("enhancer", "silencer") if called else ()}
    for section, names in needed.items():
        missing = [name for name in names if getattr(getattr(spec, section), name) is None]
        if missing:
            yield (
                f"{section}.{', '.join(missing)} must be given for effects.scale {scale!r}, in its units: the presets "
                "have thresholds of ratios; got none."
            )


def _thresholds(spec: StudySpec) -> Iterator[str]:
    from ...analysis import classify_context  # needs torch, which reading a study does not

    try:
        classify_context([], **context_thresholds(spec.context))
    except ValueError as error:
        yield f"[context] {error}"
    for name in ("enhancer_contexts", "silencer_contexts"):
        contexts = getattr(spec.cres, name) or ()
        yield from _not_of(contexts, CATEGORIES, f"cres.{name}")
        yield from _named_twice(contexts, f"cres.{name}")


def _tests(spec: StudySpec) -> Iterator[str]:
    include, tracks = spec.tests.include, track_names(spec)
    yield from _named_twice(include, "tests.include")
    for name in include:
        for needed in needed_tests(name):
            if needed not in include:
                yield f"tests.include must have {needed!r}, which {name!r} needs; got {list(include)}."
    for name in TESTS:
        settings = getattr(spec.tests, name)
        for key, value in settings:
            if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
                yield from _named_twice(value, f"tests.{name}.{key}")
        yield from _not_of(getattr(settings, "tracks", ()), tracks, f"tests.{name}.tracks", "model.tracks: ")
    if any(_length(spec)):
        return  # how many tiles fit is not known
    length, size, center = window_length(spec), spec.tiles.size, window_center(spec)
    low, high = size // 2, length - (size - size // 2)
    if size <= length and not low <= center <= high:
        yield f"tiles.center must leave the tile on the TSS in the window, from {low} to {high}; got {center}."
        return
    n_tiles = _count_tiles(length, size, center)
    if n_tiles == 0:
        window = f"in a window of {length} bp"
        yield f"tiles.size must leave room for a tile beside the one on the TSS {window}; got {size}."
        return
    study = StudyFacts(include, length, size, n_tiles, call_rule(spec.cres).silencer_contexts, spec.effects.scale)
    for name, test in TESTS.items():
        for problem in test.check(getattr(spec.tests, name), study):
            yield f"tests.{name}.{problem}"


def _count_tiles(length: int, size: int, center: int) -> int:
    from ...sequence import tile_grid  # needs torch

    try:
        return len(tile_grid(length, size, center).context)
    except ValueError:
        return 0


def _named_twice(names: Sequence[str], path: str) -> Iterator[str]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield f"{path}[{i}] must be named once; got {name!r} again."


def _not_of(names: Sequence[str], allowed: Sequence[str], path: str, what: str = "") -> Iterator[str]:
    for i, name in enumerate(names):
        if name not in allowed:
            yield f"{path}[{i}] must be of {what}{', '.join(allowed)}; got {name!r}."
