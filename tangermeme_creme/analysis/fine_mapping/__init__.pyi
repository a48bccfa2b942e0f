from ._comparison_tables import FineMappingComparison as FineMappingComparison
from .attribution import captum_attribution as captum_attribution
from .compare import compare_fine_mapping as compare_fine_mapping
from .curves import area_under_curve as area_under_curve, fewest_bp as fewest_bp, summarize_curves as summarize_curves
from .methods import METHODS as METHODS, rank as rank
from .motifs import motif_hits as motif_hits, motif_mask as motif_mask
from .overlap import overlap_table as overlap_table, spans_of_mask as spans_of_mask, truth_mask as truth_mask
from .rankings import random_ranking as random_ranking
from .retention import RetentionResult as RetentionResult, retention_curve as retention_curve
