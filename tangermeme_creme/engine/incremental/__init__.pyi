from .agreement import agreement_tolerance as agreement_tolerance, relative_difference as relative_difference
from .model import IncrementalModel as IncrementalModel, as_list as as_list
from .path import PartialPath as PartialPath
from .reach import (
    SplitError as SplitError,
    check_activations as check_activations,
    measure_reach as measure_reach,
    splice as splice,
)
from .split import split_at as split_at
from .verdict import fall_back_to_full as fall_back_to_full, may_run_in_part as may_run_in_part
from .windows import (
    EditWindow as EditWindow,
    OutputReach as OutputReach,
    Reach as Reach,
    group_by_blocks as group_by_blocks,
    merge_spans as merge_spans,
)
