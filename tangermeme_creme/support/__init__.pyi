from .columns import check_columns as check_columns
from .files import line_at as line_at
from .files import open_bytes as open_bytes
from .files import replace_file as replace_file
from .notices import collected as collected
from .notices import warn as warn
