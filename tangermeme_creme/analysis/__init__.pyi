from .calls import (
    call_cres as call_cres,
    classify_context as classify_context,
    join_tile_effects as join_tile_effects,
    select_contexts as select_contexts,
)
from .effects import (
    difference as difference,
    fold_change as fold_change,
    fraction_of_max as fraction_of_max,
    log_fold as log_fold,
    normalized_effect as normalized_effect,
    tile_difference as tile_difference,
    tile_effect_over_control as tile_effect_over_control,
    tile_effect_over_wt as tile_effect_over_wt,
    tile_log_fold as tile_log_fold,
)
from .palette import BASE_COLORS as BASE_COLORS, CATEGORY_COLORS as CATEGORY_COLORS
from .presets import (
    CALL_PRESETS as CALL_PRESETS,
    CATEGORIES as CATEGORIES,
    CONTEXT_PRESETS as CONTEXT_PRESETS,
    SCALES as SCALES,
    CallRule as CallRule,
    ContextThresholds as ContextThresholds,
    effect_in as effect_in,
)
from .values import (
    Values as Values,
    above_zero as above_zero,
    as_float as as_float,
    is_tensor as is_tensor,
    log_activity as log_activity,
    same_axes as same_axes,
)
