"""Warn at the line of the caller, collect warnings for a log, and drop those that another one sums up."""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from .texts import printable

_OURS = (str(Path(__file__).parents[1]), contextlib.__file__)
_collector: ContextVar[list[str] | None] = ContextVar("collector", default=None)
_dropped: ContextVar[tuple[str, ...]] = ContextVar("dropped", default=())


@contextlib.contextmanager
def collected() -> Iterator[list[str]]:
    """Collect the messages of `warn` in this thread and block, instead of warning.

    Examples
    --------
    >>> with collected() as messages:
    ...     warn("look")
    >>> messages
    ['look']
    """
    messages: list[str] = []
    token = _collector.set(messages)
    try:
        yield messages
    finally:
        _collector.reset(token)


@contextlib.contextmanager
def dropped(*patterns: str, category: type[Warning] = Warning) -> Iterator[None]:
    """Drop warnings whose message has one of these patterns, in this thread and block.

    The filters of `warnings` alone would not keep them from `collected`, and so from the log of a study.

    Examples
    --------
    >>> with collected() as messages, dropped("no effect"):
    ...     warn("tile 3 has no effect")
    ...     warn("look")
    >>> messages
    ['look']
    """
    token = _dropped.set((*_dropped.get(), *patterns))
    try:
        with warnings.catch_warnings():
            for pattern in patterns:
                warnings.filterwarnings("ignore", message=f".*{pattern}", category=category)
            yield
    finally:
        _dropped.reset(token)


def warn(message: str) -> None:
    """Warn with a `TangermemeWarning` at the first line outside of this package. Control characters are escaped.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("look")
    >>> caught[0].category.__name__, str(caught[0].message)
    ('TangermemeWarning', 'look')
    """
    if any(re.search(pattern, message) for pattern in _dropped.get()):
        return
    message = printable(message)
    collector = _collector.get()
    if collector is not None:
        collector.append(message)
        return
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        level, frame = level + 1, frame.f_back
    from tangermeme.utils import TangermemeWarning  # imports torch, which readers of tables do not need

    warnings.warn(message, TangermemeWarning, stacklevel=level)
