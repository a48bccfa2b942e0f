"""Set up the documentation: sphinx-build -W --keep-going docs docs/_build/html

CREME_DOCS_EXECUTE chooses which notebooks MyST-NB runs: "force" (default) runs all, "cache" only changed ones, "off"
none. The build and the pages need no network.
"""

from __future__ import annotations

import argparse
import os
import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import tangermeme_creme
from tangermeme_creme import cli
from tangermeme_creme.study.spec import study_template

project = "tangermeme_creme"
author = "The tangermeme_creme developers"
copyright = f"2026, {author}"
version = release = tangermeme_creme.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
# README.md lists the pages for readers of the files; jupyter_execute holds executed notebooks.
exclude_patterns = ["README.md", "_build", "jupyter_execute"]
nitpicky = False

# Pages
html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["reference.css"]
html_copy_source = False
html_show_sourcelink = False
myst_heading_anchors = 4

# Notebooks
nb_execution_mode = os.environ.get("CREME_DOCS_EXECUTE", "force")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True  # so that files of notebooks stay out of the sources
nb_merge_streams = True
nb_output_stderr = "warn"  # a page that warns fails the build
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # tqdm, in a notebook without widgets
nb_ipywidgets_js: dict[str, Any] = {}  # the default loads scripts from the network

# Docstrings give types and shapes in words, so signatures have only names and defaults
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
napoleon_google_docstring = False
napoleon_use_param = False  # parameters that share a description stay together, and words of types are not links
napoleon_use_rtype = False
napoleon_custom_sections = [("Fields", "params_style")]
add_module_names = False
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"


class CommandHelp(Directive):
    """Show `tangermeme-creme --help`, and the help of each command under its own heading."""

    def run(self) -> list[nodes.Node]:
        parser = cli.build_parser()
        (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        shown: list[nodes.Node] = [_literal(_help(parser))]
        for name, command in commands.choices.items():
            title = f"{parser.prog} {name}"
            section = nodes.section(ids=[nodes.make_id(title)], names=[nodes.fully_normalize_name(title)])
            section += [nodes.title("", title), _literal(_help(command))]
            self.state.document.note_implicit_target(section)
            shown.append(section)
        return shown


class StudyTemplate(Directive):
    """Show the file that `tangermeme-creme init` writes."""

    def run(self) -> list[nodes.Node]:
        return [_literal(study_template(), "toml")]


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=88)  # independent of the terminal
    return parser.format_help()


def _literal(text: str, language: str = "none") -> nodes.literal_block:
    return nodes.literal_block(text, text, language=language)


def adapt_docstring(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Change a docstring so that napoleon and docutils read it as intended."""
    if what == "data" and lines[:1] == (type(thing).__doc__ or "").split("\n")[:1]:  # the docstring of dict or tuple
        lines.clear()
    text = "\n".join(lines)
    text = re.sub(r"shape=\([^()]*(?:\([^()]*\)[^()]*)*\)", lambda shape: shape[0].replace("*", r"\*"), text)
    label = re.sub(r"\W", "-", name)  # footnote names must be unique on a page
    text = re.sub(r"(?<!\w)\[(\d+)\](?=_)|(?<=^\.\. )\[(\d+)\]", rf"[#{label}-\1\2]", text, flags=re.MULTILINE)
    if isinstance(thing, type) and issubclass(thing, tuple) and hasattr(thing, "_fields"):
        text = text.replace("Parameters\n----------", "Fields\n------")
    if _is_section(thing):
        text += _keys(thing)
    lines[:] = text.split("\n")
    if what in ("data", "attribute", "property"):
        _values[name] = list(lines)


_values: dict[str, list[str]] = {}


def restore_values(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Undo the change that napoleon makes to the docstring of a value: it reads words before a colon as a type."""
    lines[:] = _values.pop(name, lines)


def _is_section(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseModel)


def _keys(section: type[BaseModel]) -> str:
    """List the keys of a section of a study with their defaults and descriptions."""
    rows = []
    for name, field in section.model_fields.items():
        rows += [f"{name}: {_default(field)}", f"    {field.description}", ""]
    return "\n".join(["", "", "Fields", "------", *rows])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "optional" if field.default_factory else f"default ``{field.default!r}``"


def drop_factories(app: Sphinx, what: str, name: str, thing: Any, *_: Any) -> tuple[str, None] | None:
    """Leave out the signature of a section of a study: its keys state their defaults."""
    return ("", None) if _is_section(thing) else None


def skip_fields(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Skip fields of named tuples and dataclasses: the docstrings of their classes describe them."""
    return True if type(thing).__name__ in ("_tuplegetter", "member_descriptor") else None


def resolve_bare_name(app: Sphinx, env: Any, node: pending_xref, contnode: nodes.Node) -> nodes.Node | None:
    """Link a bare name, such as `necessity_test`, to the one function or class of that name."""
    if node.get("refdomain") != "py":
        return None
    domain, target = env.domains["py"], node["reftarget"]
    kinds = {"class", "exception"}
    if node["reftype"] == "obj":  # a name in backticks, not in a Raises section
        kinds |= {"function", "method", "property"} if "." in target else {"function"}
    places = [
        (name, entry)
        for name, entry in domain.objects.items()
        if name.endswith(f".{target}") and entry.objtype in kinds and not entry.aliased
    ]
    if len(places) != 1:
        return None
    name, entry = places[0]
    refnode = nodes.reference("", "", contnode, internal=True, reftitle=name)
    refnode["refuri"] = f"{app.builder.get_relative_uri(node['refdoc'], entry.docname)}#{entry.node_id}"
    return refnode


def setup(app: Sphinx) -> None:
    app.add_directive("command-help", CommandHelp)
    app.add_directive("study-template", StudyTemplate)
    app.connect("autodoc-process-docstring", adapt_docstring, priority=100)  # before napoleon
    app.connect("autodoc-process-docstring", restore_values, priority=900)  # after napoleon
    app.connect("autodoc-process-signature", drop_factories)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("missing-reference", resolve_bare_name)
