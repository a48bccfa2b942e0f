"""Seeds and file names of loci, from what they are called and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

_UNSAFE = re.compile(r"[^A-Za-z0-9_+-]+")
_LONGEST = 48


def locus_seed(seed: int, example: str) -> int:
    """The seed of a locus: of the study's and of the name of the locus, so that no other locus plays a part.

    Examples
    --------
    >>> locus_seed(0, "GATA2") == locus_seed(0, "GATA2") != locus_seed(1, "GATA2")
    True
    """
    digest = hashlib.sha256(f"{seed}\n{example}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def file_name(examples: Sequence[str]) -> str:
    """A file name for some loci: a readable beginning, and a hash that tells all names apart.

    Of letters, digits, "_", "+" and "-" alone, whatever the loci are called, and of no more than 70 characters.

    Examples
    --------
    >>> file_name(["../../x"]), file_name(["GATA2", "HBG1"])
    ('x-fe4c40527413e91e', 'GATA2-and-1-more-0e8bff2e633964f8')
    """
    readable = _UNSAFE.sub("_", examples[0])[:_LONGEST].strip("_-") or "locus"
    more = f"-and-{len(examples) - 1}-more" if len(examples) > 1 else ""
    digest = hashlib.sha256("\n".join(f"{len(name)} {name}" for name in examples).encode(errors="surrogatepass"))
    return f"{readable}{more}-{digest.hexdigest()[:16]}"
