from .classes import (
    classify_interaction as classify_interaction,
    classify_multiplicative as classify_multiplicative,
    classify_traces as classify_traces,
)
from .pairs import (
    THRESHOLD as THRESHOLD,
    PairExpectation as PairExpectation,
    call_interactions as call_interactions,
    epistasis as epistasis,
    epistasis_difference as epistasis_difference,
    expected_pair as expected_pair,
    log_epistasis as log_epistasis,
)
from .saturation import Saturation as Saturation, fit_saturation as fit_saturation, saturation_table as saturation_table
from .traces import (
    additive_trace as additive_trace,
    greedy_traces as greedy_traces,
    multiplicative_trace as multiplicative_trace,
)
