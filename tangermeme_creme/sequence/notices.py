"""Warnings that point at the caller's line, however deep they are raised."""

from __future__ import annotations

import contextlib
import sys
import warnings
from pathlib import Path

from tangermeme.utils import TangermemeWarning

_OURS = (str(Path(__file__).parents[1]), contextlib.__file__)


def warn(message: str) -> None:
    """Warn with a `TangermemeWarning` at the first line outside of this package.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("look")
    >>> caught[0].category.__name__, str(caught[0].message)
    ('TangermemeWarning', 'look')
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, TangermemeWarning, stacklevel=level)
