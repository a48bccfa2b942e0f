"""Names of the files and folders of a study."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

MANIFEST_FILE = "manifest.jsonl"
SHARDS_FOLDER = "shards"
TABLES_FOLDER = "tables"

_UNSAFE = re.compile(r"[^A-Za-z0-9_+-]+")
_LONGEST = 48


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
