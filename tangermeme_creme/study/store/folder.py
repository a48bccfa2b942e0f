"""Open the folder of a study: begin it, continue it, or refuse it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..spec import StudyError
from .header import differences, study_id, updated_header
from .manifest import FORMAT, Manifest
from .names import SHARDS_FOLDER, TABLES_FOLDER, table_path
from .shards import Store, file_problem, rebuilt_shards, remove_leftovers


def open_store(folder: Path, header: dict[str, Any], say: Callable[[str], None]) -> Store:
    """Open the store of a folder for the study with this header.

    Damaged shards are named to `say` and forgotten, so that they are computed again. A manifest that is lost, or cut
    short, is made again from the shards of this study in the folder. Damaged tables are named: a run makes all tables.

    Raises
    ------
    StudyError
        If the folder holds another study; the message lists the differences.
    """
    remove_leftovers(folder)
    manifest = Manifest.load(folder)
    if manifest is None:
        return _begin(folder, header, say)
    changes = differences(manifest.header, header)
    if changes:
        shown = "\n  ".join(changes)
        raise StudyError(
            f"a folder holds one study; got {folder}, which was begun otherwise:\n  {shown}\nUndo the change to go on, "
            "or begin another folder with --new-folder."
        )
    store = Store(folder, manifest)
    if manifest.damaged:
        say(f"{manifest.damaged} lines of the manifest were damaged.")
    problems, recovered = store.drop_damaged(), store.recover(study_id(header))
    if recovered:
        say(f"{len(recovered)} shards that the manifest lacked were in the folder, whole: they are not computed again.")
    for problem, shard in problems:
        whole = any((shard.stage, shard.examples) == (other.stage, other.examples) for other in recovered)
        say(f"{problem}; {'its table lies in another file' if whole else 'it is computed again'}.")
    for name, file in sorted(manifest.tables.items()):
        if problem := file_problem(table_path(folder, name), file.sha256):
            say(f"{TABLES_FOLDER}/{name}.parquet {problem}; it is made again.")
    updated = updated_header(manifest.header, header)
    if updated != manifest.header or manifest.format != FORMAT:
        manifest.header = updated
        manifest.rewrite()
    return store


def free_folder(out: Path) -> Path:
    """Return `out`, or the first of out-2, out-3 and so on that is missing or empty."""
    k, path = 1, out
    while path.exists() and any(path.iterdir()):
        k += 1
        path = out.with_name(f"{out.name}-{k}")
    return path


def how_to_resume(out: Path, new_folder: bool) -> str:
    """Tell people how to continue a run that ended early."""
    again = f"set out to {str(out)!r} and run without a new folder" if new_folder else "run the same command again"
    return f"{again} to go on."


def disk_error(out: Path, error: OSError, new_folder: bool = False) -> str:
    """Tell people about an error of the file system, and what to do about it."""
    if out.exists() and not out.is_dir():
        return f"out must be a folder; got {str(out)!r}, which is a file."
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
    at = f" ({name})" if name else ""
    stored = f"What was finished is stored: {how_to_resume(out, new_folder)}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {out} is full{at}. {stored}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"the folder of a study must be writable; got {out}: {error.strerror}{at}."
    return f"{out}: {error.strerror or error}{at}. {stored}"


def _begin(folder: Path, header: dict[str, Any], say: Callable[[str], None]) -> Store:
    """Open a folder without a manifest: a new one, or one whose manifest was lost."""
    if not (folder / SHARDS_FOLDER).exists():
        return Store(folder, Manifest.create(folder, header))
    shards, useless = rebuilt_shards(folder, study_id(header))
    if useless and not shards:
        raise StudyError(
            f"a folder with shards must have a manifest, or be of this study; got {folder}, in which {useless[0]}. "
            "Begin another folder with --new-folder."
        )
    # Written at once: after a kill, a manifest with the header alone would say that there are no shards.
    manifest = Manifest.create(folder, header, shards)
    say(f"the manifest of {folder} was missing: made again from the {len(shards)} shards that are there.")
    for problem in useless:
        say(f"{problem}; it is computed again.")
    return Store(folder, manifest)
