from .adaptive import AdaptiveResult as AdaptiveResult, adaptive_n as adaptive_n
from .groups import compare_groups as compare_groups
from .named_effects import EFFECTS as EFFECTS
from .resampling import Estimate as Estimate, expanded_tail as expanded_tail
from .summary import estimate_effect as estimate_effect, summarize_effects as summarize_effects
