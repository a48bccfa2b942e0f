from .operators import context_dependence_test as context_dependence_test
from .operators import context_swap_test as context_swap_test
from .operators import distance_test as distance_test
from .operators import fine_tile_search as fine_tile_search
from .operators import higher_order_interaction_test as higher_order_interaction_test
from .operators import interaction_map as interaction_map
from .operators import multiplicity_test as multiplicity_test
from .operators import necessity_test as necessity_test
from .operators import sufficiency_test as sufficiency_test
from .operators import tile_set_sufficiency_test as tile_set_sufficiency_test

__version__: str
