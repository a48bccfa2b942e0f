from ._setting_types import hints_of as hints_of, section_in as section_in
from .cells import check_cells as check_cells, read_cells as read_cells, shown as shown
from .columns import check_columns as check_columns, sorted_by as sorted_by
from .files import (
    line_at as line_at,
    open_bytes as open_bytes,
    replace_file as replace_file,
    text_lines as text_lines,
    write_durably as write_durably,
)
from .notices import collected as collected, dropped as dropped, warn as warn
from .settings import (
    Count as Count,
    Number as Number,
    Positive as Positive,
    Section as Section,
    SpecError as SpecError,
    Table as Table,
    Text as Text,
    Whole as Whole,
    in_one_message as in_one_message,
    key as key,
    map_marked as map_marked,
    metadata_of as metadata_of,
    parse as parse,
)
from .texts import duration as duration, printable as printable, spreadsheet_text as spreadsheet_text
from .toml import toml_key as toml_key, toml_line as toml_line, toml_text as toml_text, toml_value as toml_value
