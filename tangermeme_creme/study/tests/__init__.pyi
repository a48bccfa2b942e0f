from .columns import further_inputs as further_inputs
from .costs import Cost as Cost, Extent as Extent
from .frames import LocusTables as LocusTables, on_scale as on_scale, summarized as summarized
from .locus import LocusState as LocusState, StudyModel as StudyModel, locus_seed as locus_seed
from .record import StudyFacts as StudyFacts, StudyTest as StudyTest
from .registry import GIVEN_BY as GIVEN_BY, TESTS as TESTS, needed_tests as needed_tests
from .summary import (
    KINDS as KINDS,
    SCALE_WORDS as SCALE_WORDS,
    UNDEFINED as UNDEFINED,
    ResultTables as ResultTables,
    Summary as Summary,
    columns_of as columns_of,
    described as described,
    in_order as in_order,
)
