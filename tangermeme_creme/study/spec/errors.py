"""What a study refuses to go on with."""

from __future__ import annotations


class StudyError(RuntimeError):
    """A study cannot begin or go on. What it has stored is kept; the message says what to do."""
