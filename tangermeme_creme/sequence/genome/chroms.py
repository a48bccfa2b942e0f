"""Match names of chromosomes: "chr1" and "1" name the same chromosome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from ...support import shown


def plain_chrom(name: Any) -> str:
    """Return a chromosome name without "chr", with "M" for "MT"; names of one chromosome give the same plain name.

    Examples
    --------
    >>> [plain_chrom(name) for name in ("chr1", 1, "MT", "chrM", "chr_hap")]
    ['1', '1', 'M', 'M', '_hap']
    """
    plain = str(name).removeprefix("chr")
    return "M" if plain == "MT" else plain


def match_chroms(names: Iterable[Any], known: Iterable[str]) -> dict[str, str]:
    """Map each name to the known name of the same chromosome: the same name, or else one with the same `plain_chrom`.

    Names without a match are left out.

    Examples
    --------
    >>> match_chroms(["chr1", "MT", "chrUn"], ["1", "2", "chrM"])
    {'chr1': '1', 'MT': 'chrM'}
    """
    exact = dict.fromkeys(known)
    plain = {plain_chrom(name): name for name in exact}
    matches = {name: name if name in exact else plain.get(plain_chrom(name)) for name in map(str, names)}
    return {name: match for name, match in matches.items() if match is not None}


def known_chroms(names: Sequence[Any], known: Iterable[str], where: str, what: str = "loci") -> dict[str, str]:
    """Map names as `match_chroms` does, and refuse names without a match.

    Parameters
    ----------
    names: sequence
        One name per row.

    known: iterable of str

    where, what: str
        Words for the source of the known names and for the rows, in errors.

    Raises
    ------
    ValueError
        If a name has no match; the message gives the first row without a match, the number of these rows, and known
        names.

    Examples
    --------
    >>> known_chroms(["1", "2", "1"], ["chr1", "chr2"], "genome.fa")
    {'1': 'chr1', '2': 'chr2'}
    """
    known = list(known)
    matches = match_chroms(names, known)
    missing = [i for i, name in enumerate(names) if str(name) not in matches]
    if missing:
        has = ", ".join(islice(known, 4)) + (", ..." if len(known) > 4 else "")
        lacking = sorted({str(names[i]) for i in missing})
        more = ", ".join(name[:60] for name in lacking[:4]) + (", ..." if len(lacking) > 4 else "")
        raise ValueError(
            f"{what} must be on chromosomes of {where}, which has {has or 'none'}; got {shown(names[missing[0]])} at "
            f"row {missing[0]}, and {len(missing)} of {len(names)} rows on chromosomes it lacks ({more}): leave these "
            "rows out, or take files of one assembly."
        )
    return matches
