from .of_study import StudyFigure as StudyFigure, study_figures as study_figures, write_figures as write_figures
