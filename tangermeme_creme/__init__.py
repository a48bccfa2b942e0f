"""CREME in silico perturbation tests for any PyTorch sequence-to-function model, beside tangermeme."""

from .operators.context import context_dependence_test, context_swap_test
from .operators.distance import distance_test
from .operators.fine_tile import fine_tile_search
from .operators.interaction import higher_order_interaction_test
from .operators.interaction_map import interaction_map
from .operators.multiplicity import multiplicity_test
from .operators.necessity import necessity_test
from .operators.sufficiency import sufficiency_test, tile_set_sufficiency_test

__version__ = "0.1.0"

__all__ = [
    "context_dependence_test",
    "context_swap_test",
    "distance_test",
    "fine_tile_search",
    "higher_order_interaction_test",
    "interaction_map",
    "multiplicity_test",
    "necessity_test",
    "sufficiency_test",
    "tile_set_sufficiency_test",
]
