from .contexts import plot_context_effects as plot_context_effects, plot_profile as plot_profile, plot_swap as plot_swap
from .cres import (
    plot_cre_distances as plot_cre_distances,
    plot_enrichment as plot_enrichment,
    plot_signal as plot_signal,
)
from .curves import plot_distance_curves as plot_distance_curves, plot_multiplicity as plot_multiplicity
from .fine_mapping import plot_fine_mapping as plot_fine_mapping, plot_retention_curves as plot_retention_curves
from .kept import plot_cre_logo as plot_cre_logo, plot_kept_bp as plot_kept_bp
from .maps import plot_interaction_map as plot_interaction_map, plot_tile_positions as plot_tile_positions
from .sets import (
    plot_expectation as plot_expectation,
    plot_greedy_trace as plot_greedy_trace,
    plot_greedy_traces as plot_greedy_traces,
    plot_set_sufficiency as plot_set_sufficiency,
)
from .style import CATEGORY_COLORS as CATEGORY_COLORS, COLORS as COLORS, INK as INK, RC as RC, groups_of as groups_of
from .tiles import (
    plot_effects_by_context as plot_effects_by_context,
    plot_necessity_sufficiency as plot_necessity_sufficiency,
    plot_tile_effects as plot_tile_effects,
)
