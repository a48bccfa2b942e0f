"""Read the letters of FASTA files as bases: one rule for genomes and for files of windows."""

from __future__ import annotations

import numpy as np

OTHER_CODES = "NRYSWKMBDHV-"  # IUPAC codes of unknown bases, and a gap

_URACIL, _NOT_IUPAC = 5, 255
_CODE = np.full(256, _NOT_IUPAC, dtype=np.uint8)
for _letters, _code in [*((base, code) for code, base in enumerate("ACGT")), (OTHER_CODES, 4), ("U", _URACIL)]:
    for _letter in _letters + _letters.lower():
        _CODE[ord(_letter)] = _code


def one_hot_letters(text: str, record: str, file: str, first: int = 0) -> tuple[np.ndarray, int]:
    """Convert letters to one-hot, and count the U among them, which become T.

    Lower case is read as upper case. IUPAC codes other than A, C, G, T and U become unknown bases, all-zero columns.

    Parameters
    ----------
    text: str

    record, file: str
        Names of the record and of the file, for errors.

    first: int, optional
        Place of the first letter in the record. Default is 0.

    Returns
    -------
    X: numpy.ndarray, shape=(4, L), dtype=int8

    n_uracil: int

    Raises
    ------
    ValueError
        If a letter is not an IUPAC code of bases.

    Examples
    --------
    >>> X, n_uracil = one_hot_letters("AcUN", "chr1", "genome.fa")
    >>> X.argmax(0).tolist(), X.sum(0).tolist(), n_uracil
    ([0, 1, 3, 0], [1, 1, 1, 0], 1)
    """
    codes = _CODE[np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8)]
    bad = codes == _NOT_IUPAC
    if bad.any():
        k = int(bad.argmax())
        place = f"{record}:{first + k} of {file}"
        raise ValueError(f"a FASTA file must hold bases, by their IUPAC codes; got {text[k]!r} at {place}.")
    uracil = codes == _URACIL
    X = np.where(uracil, np.uint8(3), codes) == np.arange(4, dtype=np.uint8)[:, None]
    return X.astype(np.int8), int(uracil.sum())
