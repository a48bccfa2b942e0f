from .operators import (
    context_dependence_test as context_dependence_test,
    context_swap_test as context_swap_test,
    distance_test as distance_test,
    fine_tile_search as fine_tile_search,
    higher_order_interaction_test as higher_order_interaction_test,
    interaction_map as interaction_map,
    multiplicity_test as multiplicity_test,
    necessity_test as necessity_test,
    sufficiency_test as sufficiency_test,
    tile_set_sufficiency_test as tile_set_sufficiency_test,
)

__version__: str
