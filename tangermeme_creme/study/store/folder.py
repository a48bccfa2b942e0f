"""The folder of a study, opened: begun, gone on with, or refused."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..spec import StudyError
from .header import differences, study_id, with_annotation
from .manifest import NAME, Manifest
from .shards import SHARDS, Store, rebuilt_shards, remove_leftovers


def open_store(folder: Path, header: dict[str, Any], say: Callable[[str], None]) -> Store:
    """The store of a folder, for a study with this header.

    Shards that are damaged are named and forgotten. A folder without its manifest gets a new one, with the shards in it
    that are of this study.

    Raises
    ------
    StudyError
        If the folder is of another study; the message has the differences.
    """
    remove_leftovers(folder)
    manifest = Manifest.load(folder)
    if manifest is None:
        return _begin(folder, header, say)
    found = differences(manifest.header, header)
    if found:
        shown = "\n  ".join(found)
        raise StudyError(
            f"a folder holds one study; got {folder}, which was begun otherwise:\n  {shown}\nUndo the change to go on, "
            "or begin another folder with --new-folder."
        )
    store = Store(folder, manifest)
    if manifest.damaged:
        say(f"{manifest.damaged} lines of the manifest were damaged; their shards are computed again.")
    for problem in store.drop_damaged():
        say(f"{problem}; it is computed again.")
    changed = with_annotation(manifest.header, header)
    if changed != manifest.header:
        manifest.header = changed
        manifest.rewrite()
    return store


def free_folder(out: Path) -> Path:
    """`out`, or the first of out-2, out-3 and so on that has nothing in it."""
    k, path = 1, out
    while path.exists() and any(path.iterdir()):
        k += 1
        path = out.with_name(f"{out.name}-{k}")
    return path


def go_on(out: Path, new_folder: bool) -> str:
    """How to go on with a run that ended early."""
    again = f"set out to {str(out)!r} and run without a new folder" if new_folder else "run the same command again"
    return f"{again} to go on."


def disk_error(out: Path, error: OSError, new_folder: bool = False) -> str:
    """What to say of an error of the file system."""
    if out.exists() and not out.is_dir():
        return f"out must be a folder; got {str(out)!r}, which is a file."
    place = f" ({error.filename})" if error.filename else ""
    kept = f"What was finished is stored: {go_on(out, new_folder)}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {out} is full{place}. {kept}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"the folder of a study must be writable; got {out}: {error.strerror}{place}."
    return f"{out}: {error.strerror or error}{place}. {kept}"


def _begin(folder: Path, header: dict[str, Any], say: Callable[[str], None]) -> Store:
    if not (folder / SHARDS).exists():
        return Store(folder, Manifest.create(folder, header))
    shards, useless = rebuilt_shards(folder, study_id(header))
    if useless and not shards:
        raise StudyError(
            f"a folder with shards must have a manifest, or be of this study; got {folder}, in which {useless[0]}. "
            "Begin another folder with --new-folder."
        )
    manifest = Manifest(folder / NAME, header, shards)
    manifest.rewrite()  # at once: one with the header alone would say that there is nothing
    say(f"the manifest of {folder} was missing: made again from the {len(shards)} shards that are there.")
    for problem in useless:
        say(f"{problem}; it is computed again.")
    return Store(folder, manifest)
