from .basis import basis_of as basis_of, content_hash as content_hash, contexts_of as contexts_of
from .folder import (
    disk_error as disk_error,
    free_folder as free_folder,
    how_to_resume as how_to_resume,
    open_store as open_store,
)
from .header import make_header as make_header, rounding_changes as rounding_changes, study_id as study_id
from .lock import folder_lock as folder_lock
from .manifest import Failure as Failure, Manifest as Manifest, Shard as Shard, TableFile as TableFile
from .merge import (
    merge_table as merge_table,
    merged_bytes as merged_bytes,
    stage_table as stage_table,
    write_table as write_table,
)
from .names import (
    LOG_FILE as LOG_FILE,
    MANIFEST_FILE as MANIFEST_FILE,
    TABLES_FOLDER as TABLES_FOLDER,
    file_name as file_name,
    table_path as table_path,
)
from .parquet import read_arrow as read_arrow, to_bytes as to_bytes
from .probe import probe_change as probe_change
from .shards import Store as Store, file_problem as file_problem, shard_note as shard_note
