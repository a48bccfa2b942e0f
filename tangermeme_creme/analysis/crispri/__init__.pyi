from .compare import (
    CrispriComparison as CrispriComparison,
    compare_with_crispri as compare_with_crispri,
    read_crispri as read_crispri,
)
from .precision_recall import resampled_precision as resampled_precision
