"""Names of the files and folders of a study."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

MANIFEST_FILE = "manifest.jsonl"
SHARDS_FOLDER = "shards"
TABLES_FOLDER = "tables"
LOCK_FILE = "lock"
LOG_FILE = "log.txt"

# Says who holds the lock. It is not the lock file, because on Windows fasteners locks the byte at the end of that file:
# if the file grew, a second process would lock another byte. Besides, Windows does not let others read a locked byte.
WRITER_FILE = "writer.txt"

_UNSAFE = re.compile(r"[^A-Za-z0-9_+-]+")
_LONGEST = 48


def table_path(folder: Path, name: str) -> Path:
    """Return the path of a merged table in the folder of a study."""
    return folder / TABLES_FOLDER / f"{name}.parquet"


def file_name(examples: Sequence[str]) -> str:
    """Name a file after loci: a readable beginning, then a hash that no other list of loci has.

    Whatever the loci are called, the name has only letters, digits, "_", "+" and "-", and at most 85 of them.

    Examples
    --------
    >>> file_name(["../../x"]), file_name(["GATA2", "HBG1"])
    ('x-fe4c40527413e91e', 'GATA2-and-1-more-0e8bff2e633964f8')
    """
    readable = _UNSAFE.sub("_", examples[0])[:_LONGEST].strip("_-") or "locus"
    more = f"-and-{len(examples) - 1}-more" if len(examples) > 1 else ""
    # With the length of each name before it, no two lists give the same text to the hash.
    digest = hashlib.sha256("\n".join(f"{len(name)} {name}" for name in examples).encode(errors="surrogatepass"))
    return f"{readable}{more}-{digest.hexdigest()[:16]}"
