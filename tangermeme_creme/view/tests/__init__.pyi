from .panels import Drawn as Drawn
from .record import (
    Formulas as Formulas,
    PageTable as PageTable,
    SectionView as SectionView,
    SummaryTable as SummaryTable,
)
from .registry import section_views as section_views
from .study_tables import StudyTables as StudyTables
