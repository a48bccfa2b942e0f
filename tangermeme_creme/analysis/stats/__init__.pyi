from .adaptive import AdaptiveResult as AdaptiveResult
from .adaptive import adaptive_n as adaptive_n
from .named_effects import EFFECTS as EFFECTS
from .resampling import expanded_tail as expanded_tail
from .rows import one_row_each as one_row_each
from .summary import compare_groups as compare_groups
from .summary import estimate_effect as estimate_effect
from .summary import summarize_effects as summarize_effects
