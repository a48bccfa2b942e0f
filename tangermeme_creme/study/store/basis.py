"""What the tests of a locus depend on beside the locus itself: the draw of loci, which may change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pandas as pd


def contexts_of(contexts: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return the category of each locus in each track in which it was selected."""
    selected: dict[str, dict[str, str]] = {}
    for row in contexts[contexts["selected"]].itertuples():
        selected.setdefault(str(row.example), {})[str(row.track)] = str(row.context)
    return selected


def basis_of(context: Mapping[str, str], sources: str = "") -> str:
    """Hash what the tests of a locus depend on beside the locus: its categories and, for the swap test, the sources."""
    return content_hash([context, sources])


def content_hash(content: object) -> str:
    """Hash nested lists, dictionaries and values; the order of keys does not count."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
