from .agreement import agreement_tolerance as agreement_tolerance, relative_difference as relative_difference
from .cache import ActivationCache as ActivationCache, Entry as Entry
from .codes_session import CodesSession as CodesSession, ProgressBar as ProgressBar
from .device import (
    autocasting as autocasting,
    model_on as model_on,
    resolve_device as resolve_device,
    resolve_dtype as resolve_dtype,
    rows_at_once as rows_at_once,
)
from .fingerprint import fingerprint_attributes as fingerprint_attributes, fingerprint_model as fingerprint_model
from .frozen import explain_in_place as explain_in_place, parameters_frozen as parameters_frozen
from .gradients import SpanObjective as SpanObjective
from .incremental import (
    IncrementalModel as IncrementalModel,
    OutputReach as OutputReach,
    Reach as Reach,
    SplitError as SplitError,
    measure_reach as measure_reach,
)
from .memory import explain_out_of_memory as explain_out_of_memory
from .options import (
    EngineOptions as EngineOptions,
    RunOptions as RunOptions,
    check_args as check_args,
    check_engine_options as check_engine_options,
    check_func as check_func,
    takes as takes,
    warn_of_cast_args as warn_of_cast_args,
    warn_of_unknown_bases as warn_of_unknown_bases,
)
from .outputs import (
    Objective as Objective,
    Output as Output,
    OutputRows as OutputRows,
    apply_objective as apply_objective,
    check_objective as check_objective,
    check_output as check_output,
    concatenate as concatenate,
    first_infinite as first_infinite,
    map_output as map_output,
    mean_objective as mean_objective,
    resolve_objective as resolve_objective,
)
from .session import EditSession as EditSession
from .work import Work as Work
