from .checks import check_spec as check_spec
from .errors import SpecError as SpecError, StudyError as StudyError
from .files import (
    read_spec as read_spec,
    spec_differences as spec_differences,
    spec_from_dict as spec_from_dict,
    spec_hash as spec_hash,
    spec_to_dict as spec_to_dict,
)
from .sections import (
    AnnotationSpec as AnnotationSpec,
    ContextSpec as ContextSpec,
    CresSpec as CresSpec,
    EffectsSpec as EffectsSpec,
    LociSpec as LociSpec,
    ModelSpec as ModelSpec,
    OutputSpec as OutputSpec,
    RunSpec as RunSpec,
    StudySpec as StudySpec,
    TestsSpec as TestsSpec,
    TilesSpec as TilesSpec,
    WindowsSpec as WindowsSpec,
)
from .template import study_schema as study_schema, study_template as study_template
from .thresholds import call_rule as call_rule, context_thresholds as context_thresholds
from .windows import track_names as track_names, window_center as window_center, window_length as window_length
