"""Every figure of a study, from its tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from ...study.tables import ReadableStudy
from ...support import replace_file
from ..plots import RC
from .of_tests import SECTIONS
from .panels import Given


@dataclass(frozen=True)
class StudyFigure:
    """A figure and what is said of it.

    Parameters
    ----------
    name: str
        Unique in the study, and the name of its file.

    section: str
        The part of a report it belongs to: "contexts", "swap", "necessity", "sufficiency", "cres", "distance",
        "multiplicity", "higher_order", "set_sufficiency", "interactions", "fine_mapping" or "annotation".

    title, caption: str
        What is shown, in a line and in a sentence.

    alt: str
        What there is to be seen, in numbers, for those who cannot see it.

    figure: matplotlib.figure.Figure
    """

    name: str
    section: str
    title: str
    caption: str
    alt: str
    figure: Figure


def study_figures(study: ReadableStudy) -> list[StudyFigure]:
    """Every figure that the tables of a study have rows for: those of the paper, with a panel a track.

    Costs no forward pass. Logos of kept bases need the sequences, from the genome or the windows of the study, and are
    left out where these files are not there any more.

    Parameters
    ----------
    study: Study

    Returns
    -------
    figures: list of StudyFigure
        By section, in the order of the tests.

    Examples
    --------
    >>> import pandas as pd
    >>> from tangermeme_creme.study.spec import spec_from_dict
    >>> rows = pd.DataFrame({"example": ["a", "b"], "track": "K562", "context_effect": [0.9, 0.0], "ranked": True})
    >>> class Tables:  # of a study that has done one test
    ...     model = {"adapter": "function", "function": "f:g", "tracks": ["K562"], "length": 99}
    ...     spec = spec_from_dict({"model": model, "windows": {"file": "X.npy"}})
    ...     def table(self, name):
    ...         made = {"contexts": rows.assign(context=["other", "neutral"], selected=True)}
    ...         return made.get(name, pd.DataFrame())
    >>> [(figure.name, figure.alt) for figure in study_figures(Tables())]
    [('context_effects', 'K562: 2 loci, 1 neutral, 1 other; median effect 0.45.')]
    """
    given = Given(study)
    found = []
    with rc_context(RC):
        for section, draw in SECTIONS:
            found += [StudyFigure(section=section, **one._asdict()) for one in draw(given)]
    return found


def write_figures(
    figures: Iterable[StudyFigure], folder: str | os.PathLike[str], *, format: str = "png", dpi: int = 150
) -> list[Path]:
    """Write figures as files, each whole or not at all.

    Parameters
    ----------
    figures: iterable of StudyFigure
        Of `study_figures`.

    folder: path
        Made if needed.

    format: str, optional
        "png", "svg" or "pdf". Default is "png".

    dpi: int, optional
        Of a PNG. Default is 150.

    Returns
    -------
    paths: list of Path
        ``folder/name.format``, in the order of figures.

    Raises
    ------
    ValueError
        If the format is none of these.
    """
    if format not in ("png", "svg", "pdf"):
        raise ValueError(f"format must be png, svg or pdf; got {format!r}.")
    made = Path(folder)
    made.mkdir(parents=True, exist_ok=True)
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[format]
    paths = []
    with rc_context({"svg.hashsalt": "tangermeme_creme"}):
        for one in figures:
            save = partial(one.figure.savefig, format=format, dpi=dpi, metadata=metadata, facecolor="white")
            paths.append(replace_file(made / f"{one.name}.{format}", save))
    return paths
