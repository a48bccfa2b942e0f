"""Find motif hits in sequences by FIMO of memelite, and the bases that they cover."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from ...sequence import Spans, check_one_width, pack, span_codes, span_per_example, to_one_hot
from ...support import shown
from ._meme import read_meme

Motifs = str | os.PathLike[str] | Mapping[str, Any]

# One-hot sequences of about this many bases are scanned at a time.
_BASES = 2**25

_COLUMNS = ["example", "motif", "start", "end", "strand", "score", "p_value"]


def motif_hits(
    X: torch.Tensor | PackedSequence, motifs: Motifs, threshold: float = 1e-4, *, span: Spans | None = None
) -> pd.DataFrame:
    """Scan both strands for motifs by FIMO [1]_ of memelite, as the motif baseline of the paper does by FIMO.

    Calls no model. A hit on the reverse strand covers the bases whose reverse complement matches. An unknown base adds
    0 to a score.

    Departure from the baseline of the reference, which loses hits on the reverse strand: they are returned here.

    Parameters
    ----------
    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences of any numeric dtype. All-zero columns are unknown bases.

    motifs: path, or mapping of str to array, shape=(4, w)
        A MEME file, or probabilities of A, C, G and T by position.

    threshold: float, optional
        Hits have a p-value below it, against uniform bases. Default is 1e-4, as in FIMO.

    span: (start, end), or shape=(N, 2), or None, optional
        0-based half-open span in bp that hits lie in, for all examples or one per example, all of one width. None is
        the full sequence. Default is None.

    Returns
    -------
    hits: pandas.DataFrame
        One row per hit: `example`, `motif`, `start` and `end` in bp of the window, 0-based and half-open, `strand`,
        `score` in bits, `p_value`; sorted by example, start, end and motif.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.

    ValueError
        If X is not one-hot, the file holds no motif, an unreadable one or two of one name, a motif is not
        probabilities, the threshold is not a probability, or the span leaves the sequence.

    References
    ----------
    .. [1] Grant CE, Bailey TL, Noble WS. FIMO: scanning for occurrences of a given motif. Bioinformatics 2011.

    Examples
    --------
    >>> motif = torch.eye(4)[:, [0, 0, 1, 2, 0, 3, 0]]   # AACGATA
    >>> X = torch.eye(4)[:, [3, 3, 0, 3, 1, 2, 3, 3]][None]   # TTATCGTT, its reverse complement from base 1 on
    >>> list(motif_hits(X, {"GATA": motif})[["start", "end", "strand"]].itertuples(index=False, name=None))
    [(1, 8, '-')]
    """
    from memelite import fimo

    packed = pack(X)
    check_p_value(threshold, "threshold")
    named = read_motifs(motifs)
    spans = span_per_example((0, packed.length) if span is None else span, len(packed), packed.length, "span")
    width = check_one_width(spans, "span")
    tables = []
    for rows in torch.arange(len(packed)).split(max(1, _BASES // width)):
        here = to_one_hot(span_codes(packed[rows], spans[rows]))
        with _threads_of_torch_kept():
            hits = pd.concat(fimo(named, here.numpy(), threshold=threshold))
        example = rows.numpy()[hits["sequence_name"].to_numpy(dtype=np.int64)]
        offset = spans[:, 0].numpy()[example]
        start, end = (hits[name].to_numpy(dtype=np.int64) + offset for name in ("start", "end"))
        hits = hits.rename(columns={"motif_name": "motif", "p-value": "p_value"})
        tables.append(hits.assign(example=example, start=start, end=end)[_COLUMNS])
    types = {
        "example": int,
        "motif": object,
        "start": int,
        "end": int,
        "strand": object,
        "score": float,
        "p_value": float,
    }
    table = pd.concat(tables).astype(types)
    return table.sort_values(["example", "start", "end", "motif", "strand"], ignore_index=True)


def motif_mask(
    X: torch.Tensor | PackedSequence, motifs: Motifs, threshold: float = 1e-4, *, span: Spans | None = None
) -> torch.Tensor:
    """Mark the bases that lie in a motif hit on either strand.

    `retention_curve` takes the mask as the ranking of the motif baseline. Parameters and errors as in `motif_hits`.

    Returns
    -------
    mask: torch.Tensor, shape=(N, W), dtype=bool
        W is the width of the span, or L.

    Examples
    --------
    >>> motif = torch.eye(4)[:, [0, 0, 1, 2, 0, 3, 0]]   # AACGATA
    >>> X = torch.eye(4)[:, [3, 3, 0, 3, 1, 2, 3, 3]][None]   # TTATCGTT
    >>> motif_mask(X, {"GATA": motif}).int()
    tensor([[0, 1, 1, 1, 1, 1, 1, 1]], dtype=torch.int32)
    """
    packed = pack(X)
    hits = motif_hits(packed, motifs, threshold, span=span)
    spans = span_per_example((0, packed.length) if span is None else span, len(packed), packed.length, "span")
    return mask_of_hits(hits, spans)


def mask_of_hits(hits: pd.DataFrame, spans: torch.Tensor) -> torch.Tensor:
    """Mark the bases of spans, shape (N, 2), of one width W, that lie in a hit, shape (N, W).

    Examples
    --------
    >>> hits = pd.DataFrame({"example": [1, 1], "start": [5, 6], "end": [7, 8]})
    >>> mask_of_hits(hits, torch.tensor([[0, 4], [4, 8]])).int().tolist()
    [[0, 0, 0, 0], [0, 1, 1, 1]]
    """
    changes = np.zeros((len(spans), int(spans[0, 1] - spans[0, 0]) + 1), dtype=np.int64)
    example = hits["example"].to_numpy(dtype=np.int64)
    offset = spans[:, 0].numpy()[example]
    np.add.at(changes, (example, hits["start"].to_numpy(dtype=np.int64) - offset), 1)
    np.add.at(changes, (example, hits["end"].to_numpy(dtype=np.int64) - offset), -1)
    return torch.from_numpy(changes.cumsum(1)[:, :-1] > 0)


@contextmanager
def _threads_of_torch_kept() -> Iterator[None]:
    """Restore PyTorch's number of threads, which parallel loops of Numba raise to that of all cores."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def check_p_value(value: float, name: str) -> None:
    """Refuse a number outside (0, 1].

    >>> check_p_value(1e-4, "threshold")
    """
    if not 0 < value <= 1:
        raise ValueError(f"{name} must be a p-value in (0, 1]; got {value}.")


def read_motifs(motifs: Motifs) -> dict[str, np.ndarray]:
    """Read motifs by name, shape (4, w), from a MEME file or a mapping, and check them.

    Raises
    ------
    FileNotFoundError, ValueError
        As `motif_hits`.

    Examples
    --------
    >>> read_motifs({"A": [[1.0], [0.0], [0.0], [0.0]]})["A"].shape
    (4, 1)
    """
    named = dict(motifs) if isinstance(motifs, Mapping) else read_meme(Path(motifs))
    if not named:
        raise ValueError("motifs must hold at least one motif; got none.")
    checked = {}
    for name, values in named.items():
        if not str(name).strip():
            raise ValueError("motifs must have a name; got none.")
        matrix = np.asarray(values, dtype=np.float64)
        rule = "motifs must be probabilities of A, C, G and T, shape (4, w)"
        if matrix.ndim != 2 or matrix.shape[0] != 4 or matrix.shape[1] == 0:
            raise ValueError(f"{rule}; got shape {matrix.shape} for {shown(name)}.")
        # Files have few digits, so that a column may not sum to exactly one.
        bad = ~((matrix >= 0).all(0) & (abs(matrix.sum(0) - 1) < 0.02))
        if bad.any():
            column = int(bad.argmax())
            raise ValueError(f"{rule}; got {matrix[:, column].tolist()} at position {column} of {shown(name)}.")
        checked[str(name)] = matrix
    return checked
