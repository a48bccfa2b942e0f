"""Names of chromosomes: "chr1" and "1" are one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any


def plain_chrom(name: Any) -> str:
    """A name without "chr"; that of a mitochondrion is "M". Two names are those of one chromosome if these are equal.

    Examples
    --------
    >>> [plain_chrom(name) for name in ("chr1", 1, "MT", "chrM", "chr_hap")]
    ['1', '1', 'M', 'M', '_hap']
    """
    plain = str(name).removeprefix("chr")
    return "M" if plain == "MT" else plain


def match_chroms(names: Iterable[Any], known: Iterable[str]) -> dict[str, str]:
    """The known name of each name that has one: as it is, or else one with the same `plain_chrom`.

    Names without a match are left out.

    Examples
    --------
    >>> match_chroms(["chr1", "MT", "chrUn"], ["1", "2", "chrM"])
    {'chr1': '1', 'MT': 'chrM'}
    """
    exact = dict.fromkeys(known)
    plain = {plain_chrom(name): name for name in exact}
    found = {name: name if name in exact else plain.get(plain_chrom(name)) for name in map(str, names)}
    return {name: other for name, other in found.items() if other is not None}


def known_chroms(names: Sequence[Any], known: Iterable[str], where: str, what: str = "loci") -> dict[str, str]:
    """As `match_chroms`, where every name must have a match.

    Parameters
    ----------
    names: sequence
        One a row.

    known: iterable of str

    where, what: str
        What has the known names, and the names, in an error.

    Raises
    ------
    ValueError
        If a name has no match; the message gives the first such row, how many there are, and names that are known.

    Examples
    --------
    >>> known_chroms(["1", "2", "1"], ["chr1", "chr2"], "genome.fa")
    {'1': 'chr1', '2': 'chr2'}
    """
    known = list(known)
    found = match_chroms(names, known)
    missing = [i for i, name in enumerate(names) if str(name) not in found]
    if missing:
        shown = ", ".join(islice(known, 4)) + (", ..." if len(known) > 4 else "")
        lacking = sorted({str(names[i]) for i in missing})
        more = ", ".join(lacking[:4]) + (", ..." if len(lacking) > 4 else "")
        raise ValueError(
            f"{what} must be on chromosomes of {where}, which has {shown or 'none'}; got {names[missing[0]]!r} at row "
            f"{missing[0]}, and {len(missing)} of {len(names)} rows on chromosomes it lacks ({more}): leave these "
            "rows out, or take files of one assembly."
        )
    return found
