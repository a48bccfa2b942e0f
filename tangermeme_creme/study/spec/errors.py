"""What a study refuses."""

from __future__ import annotations

from ...support import SpecError

__all__ = ["SpecError", "StudyError"]


class StudyError(RuntimeError):
    """A study cannot begin or go on. What it has stored is kept; the message says what to do."""
