from .every import StudyFigure as StudyFigure
from .every import study_figures as study_figures
from .every import write_figures as write_figures
