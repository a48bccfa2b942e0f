"""A study: the whole analysis as one file and one command."""

from .errors import StudyError
from .runner import run_study
from .spec import SpecError, StudySpec, read_spec
from .study import Study

__all__ = ["SpecError", "Study", "StudyError", "StudySpec", "read_spec", "run_study"]
