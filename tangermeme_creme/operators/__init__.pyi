from .activity import (
    predict_activity as predict_activity,
    rank_by_activity as rank_by_activity,
    select_active as select_active,
)
from .context import context_dependence_test as context_dependence_test, context_swap_test as context_swap_test
from .distance import distance_test as distance_test
from .fine_tile import fine_tile_search as fine_tile_search
from .higher_order import higher_order_interaction_test as higher_order_interaction_test
from .multiplicity import multiplicity_test as multiplicity_test
from .necessity import necessity_test as necessity_test
from .pairs import interaction_map as interaction_map
from .pruning import check_stages as check_stages
from .results import (
    ContextResult as ContextResult,
    DistanceResult as DistanceResult,
    FineTileResult as FineTileResult,
    FineTileStep as FineTileStep,
    GreedyResult as GreedyResult,
    InteractionMapResult as InteractionMapResult,
    MultiplicityResult as MultiplicityResult,
    NecessityResult as NecessityResult,
    SetSufficiencyResult as SetSufficiencyResult,
    SufficiencyResult as SufficiencyResult,
    SwapResult as SwapResult,
)
from .run import OperatorRun as OperatorRun, as_span as as_span, prepare_run as prepare_run
from .scores import (
    NO_EFFECT as NO_EFFECT,
    CreScore as CreScore,
    check_threshold as check_threshold,
    direction_per_example as direction_per_example,
    scored_by_effect as scored_by_effect,
    warn_of_no_effect as warn_of_no_effect,
)
from .sufficiency import sufficiency_test as sufficiency_test, tile_set_sufficiency_test as tile_set_sufficiency_test
from .tidy import Labels as Labels, labelled as labelled
