"""Figures: each function takes a tidy table or arrays and an axis, draws, and returns the axis.

One category has one colour everywhere: contexts and CREs that raise expression are orange, those that lower it blue.
The colour-blind tell them apart, their greys differ, and where areas touch they are hatched too. What a table knows of
uncertainty is drawn: intervals of shuffles where one thing is shown, standard errors where several are averaged.
"""

from ._context_plots import plot_context_effects, plot_profile, plot_swap
from ._cre_plots import plot_cre_distances, plot_enrichment, plot_signal
from ._curve_plots import plot_distance_curves, plot_multiplicity
from ._fine_plots import plot_fine_mapping, plot_retention_curves
from ._kept_plots import plot_cre_logo, plot_kept_bp
from ._map_plots import plot_interaction_map, plot_tile_positions
from ._set_plots import plot_expectation, plot_greedy_trace, plot_greedy_traces, plot_set_sufficiency
from ._style import CATEGORY_COLORS, COLORS
from ._tile_plots import plot_effects_by_context, plot_necessity_sufficiency, plot_tile_effects

__all__ = [
    "CATEGORY_COLORS",
    "COLORS",
    "plot_context_effects",
    "plot_cre_distances",
    "plot_cre_logo",
    "plot_distance_curves",
    "plot_effects_by_context",
    "plot_enrichment",
    "plot_expectation",
    "plot_fine_mapping",
    "plot_greedy_trace",
    "plot_greedy_traces",
    "plot_interaction_map",
    "plot_kept_bp",
    "plot_multiplicity",
    "plot_necessity_sufficiency",
    "plot_profile",
    "plot_retention_curves",
    "plot_set_sufficiency",
    "plot_signal",
    "plot_swap",
    "plot_tile_effects",
    "plot_tile_positions",
]
