from .compare import CrispriComparison as CrispriComparison
from .compare import compare_with_crispri as compare_with_crispri
from .compare import read_crispri as read_crispri
from .precision_recall import resampled_precision as resampled_precision
