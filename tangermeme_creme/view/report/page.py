"""One page per study: its results, how to read them, and every locus that was tested."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from ...study.tables import ReadableStudy
from ...support import replace_file
from ..figures import StudyFigure, study_figures
from ..plots import CATEGORY_COLORS
from .exported import exported_files
from .loci import LOCI, gene_names, loci_of, selected_loci
from .sections import sections_of
from .study_summary import summary_of

NAME = "report.html"
_FIRST_OPEN = 12  # up to this number of loci the first one is open


def write_page(
    study: ReadableStudy,
    path: str | os.PathLike[str] | None = None,
    *,
    figures: Sequence[StudyFigure] | None = None,
) -> Path:
    """Write a study as one HTML file that needs nothing else: no network, no other file, no server.

    The page has a section for each test that has rows, with figures, summaries and tables. It has a part for each locus
    that was drawn for the tests (the first 2,000). It shows at most 5,000 rows per table, or 2,000 if the reader has to
    open the table: those with the largest effects. Paths of the machine are cut to their last names. The same study
    gives the same bytes.

    Parameters
    ----------
    study: Study

    path: path or None, optional
        The file to write; its folder is made if needed. None writes `report/report.html` in the folder of the study.
        Default is None.

    figures: sequence of StudyFigure or None, optional
        The figures to show. None shows `study_figures(study)`. Default is None.

    Returns
    -------
    path: Path

    Raises
    ------
    ImportError
        If Jinja2 is not installed.

    ValueError
        If no section has the name that a figure gives.
    """
    environment = _environment()
    page = study.folder / "report" / NAME if path is None else Path(path)
    tables = {name: study.table(name) for name in study.tables}
    names = selected_loci(tables)
    genes = gene_names(tables)
    named = all(gene in name for name, gene in genes.items())  # the names of the loci include their genes
    numbers = {name: k for k, name in enumerate(names[:LOCI], start=1)}
    css, js = _styles(), _text("report.js")
    text = environment.get_template("report.html.j2").render(
        name=study.folder.resolve().name,
        policy=_policy(css, js),
        css=css,
        js=js,
        summary=summary_of(study, tables),
        sections=sections_of(
            study.spec, tables, study_figures(study) if figures is None else figures, numbers, {} if named else genes
        ),
        loci=list(loci_of(study.spec, tables, names[:LOCI])),
        n_loci=len(names),
        first_open=len(names) <= _FIRST_OPEN,
        files=exported_files(study.folder, page),
        categories=set(CATEGORY_COLORS),
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    return replace_file(page, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def _environment() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(
            'the page of a study must have Jinja2; got none: install it with pip install "tangermeme-creme[report]".'
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tangermeme_creme.view.report", "templates"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
    )  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment


def _styles() -> str:
    """Return the style sheet. The class of each category sets `--kind` to the colour of the category."""
    colors = "".join(f".{name}{{--kind:{color}}}\n" for name, color in CATEGORY_COLORS.items())
    return _text("report.css") + colors


def _policy(css: str, js: str) -> str:
    """Allow the page its style sheet, its script and the images that it holds, and no request."""
    style, script = (
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in (css, js)
    )
    allowed = f"default-src 'none'; img-src data:; style-src {style}; script-src {script}"
    return f"{allowed}; base-uri 'none'; form-action 'none'"


def _text(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
