"""Draw every figure of a study from its tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from ...sequence import check_choice
from ...study.tables import ReadableStudy
from ...support import replace_file
from ..plots import RC
from ..tests import StudyTables, section_views


@dataclass(frozen=True)
class StudyFigure:
    """A figure and its texts.

    Parameters
    ----------
    name: str
        The name of its file, unique in the study.

    section: str
        The section of the page that shows it: the name of a test of a study, "contexts", "cres" or "annotation".

    title, caption: str
        What the figure shows, in a line and in a sentence.

    alt: str
        What can be seen in the figure, in numbers, for readers who cannot see it.

    figure: matplotlib.figure.Figure
    """

    name: str
    section: str
    title: str
    caption: str
    alt: str
    figure: Figure


def study_figures(study: ReadableStudy) -> list[StudyFigure]:
    """Draw the figures of the paper for a study: those whose tables have rows, with one panel per track.

    Costs no forward pass. Logos of kept bases need the genome or the windows of the study, and are left out if these
    files are no longer at their place.

    Parameters
    ----------
    study: Study

    Returns
    -------
    figures: list of StudyFigure
        Ordered by section, as on the page.

    Examples
    --------
    >>> import pandas as pd
    >>> from tangermeme_creme.study.spec import spec_from_dict
    >>> rows = pd.DataFrame({"example": ["a", "b"], "track": "K562", "context_effect": [0.9, 0.0], "ranked": True})
    >>> class OneTest:  # stands for a study that has done one test
    ...     model = {"adapter": "function", "function": "f:g", "tracks": ["K562"], "length": 99}
    ...     spec = spec_from_dict({"model": model, "windows": {"file": "X.npy"}})
    ...     def table(self, name):
    ...         tables = {"contexts": rows.assign(context=["other", "neutral"], selected=True)}
    ...         return tables.get(name, pd.DataFrame())
    >>> [(figure.name, figure.alt) for figure in study_figures(OneTest())]
    [('context_effects', 'K562: 2 loci, 1 neutral, 1 other; median effect 0.45.')]
    """
    tables = StudyTables(study)
    with rc_context(RC):
        return [
            StudyFigure(section=section, **drawn._asdict())
            for section, view in section_views().items()
            for drawn in (view.draw(tables) if view.draw else ())
        ]


def write_figures(
    figures: Iterable[StudyFigure], folder: str | os.PathLike[str], *, format: str = "png", dpi: int = 150
) -> list[Path]:
    """Write figures to files, each whole or not at all.

    Parameters
    ----------
    figures: iterable of StudyFigure
        As `study_figures` returns them.

    folder: path
        The folder is made if needed.

    format: str, optional
        "png", "svg" or "pdf". Default is "png".

    dpi: int, optional
        Resolution of PNG files. Default is 150.

    Returns
    -------
    paths: list of Path
        ``folder/name.format``, in the order of the figures.

    Raises
    ------
    ValueError
        If the format is another one.
    """
    check_choice("format", format, "png", "svg", "pdf")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[format]
    paths = []
    with rc_context({"svg.hashsalt": "tangermeme_creme"}):
        for figure in figures:
            save = partial(figure.figure.savefig, format=format, dpi=dpi, metadata=metadata, facecolor="white")
            paths.append(replace_file(folder / f"{figure.name}.{format}", save))
    return paths
