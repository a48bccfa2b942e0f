"""Settings of the documentation: sphinx-build -W --keep-going docs docs/_build/html

CREME_DOCS_EXECUTE is how MyST-NB runs the notebooks: "force" (default) runs each, "cache" those that have changed,
"off" none. The build needs no network, and neither do the pages.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
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
# README.md is the list of pages for those who read them as files; notebooks that were run lie beside what is built.
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
nb_execution_in_temp = True  # what a notebook writes stays out of the sources
nb_merge_streams = True
nb_output_stderr = "warn"  # pages warn of nothing
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # tqdm, in a notebook without widgets
nb_ipywidgets_js: dict[str, Any] = {}  # by default scripts from the network

# Docstrings, which say types and shapes in words: signatures have names and defaults alone
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
napoleon_google_docstring = False
napoleon_use_param = False  # names that share a description stay together, and words of types are no links
napoleon_use_rtype = False
napoleon_custom_sections = [("Fields", "params_style")]
add_module_names = False
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"


class CommandHelp(Directive):
    """What `tangermeme-creme --help` prints, and the help of each of its commands under a heading of its own."""

    def run(self) -> list[nodes.Node]:
        parser = cli._parser()
        (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        found: list[nodes.Node] = [_literal(_help(parser))]
        for name, command in commands.choices.items():
            title = f"{parser.prog} {name}"
            section = nodes.section(ids=[nodes.make_id(title)], names=[nodes.fully_normalize_name(title)])
            section += [nodes.title("", title), _literal(_help(command))]
            self.state.document.note_implicit_target(section)
            found.append(section)
        return found


class StudyTemplate(Directive):
    """The file that `tangermeme-creme init` writes."""

    def run(self) -> list[nodes.Node]:
        return [_literal(study_template(), "toml")]


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=88)  # whatever the terminal has
    return parser.format_help()


def _literal(text: str, language: str = "none") -> nodes.literal_block:
    return nodes.literal_block(text, text, language=language)


def adapt_docstring(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make of a docstring what napoleon and docutils read as it is meant."""
    if what == "data" and lines[:1] == (type(thing).__doc__ or "").split("\n")[:1]:  # of dict or tuple, not its own
        lines.clear()
    text = "\n".join(lines)
    text = re.sub(r"shape=\([^()]*(?:\([^()]*\)[^()]*)*\)", lambda shape: shape[0].replace("*", r"\*"), text)
    label = re.sub(r"\W", "-", name)  # footnotes of all docstrings of a page must have names of their own
    text = re.sub(r"(?<!\w)\[(\d+)\](?=_)|(?<=^\.\. )\[(\d+)\]", rf"[#{label}-\1\2]", text, flags=re.MULTILINE)
    if isinstance(thing, type) and issubclass(thing, tuple) and hasattr(thing, "_fields"):
        text = text.replace("Parameters\n----------", "Fields\n------")
    if isinstance(thing, type) and dataclasses.is_dataclass(thing):
        text += _keys(thing)
    lines[:] = text.split("\n")
    if what in ("data", "attribute", "property"):
        _values[name] = list(lines)


_values: dict[str, list[str]] = {}


def restore_values(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Undo what napoleon makes of the docstring of a value: it takes words before a colon for its type."""
    lines[:] = _values.pop(name, lines)


def _keys(section: type) -> str:
    """The fields of a section of a study, of which each says itself what it is for."""
    told = []
    for field in dataclasses.fields(section):
        if doc := field.metadata.get("doc"):
            kind = str(field.type).replace('"', "'")
            told += [f"{field.name}: ``{kind}``{_default(field)}", f"    {doc}", ""]
    return "\n".join(["", "Fields", "------", *told]) if told else ""


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f", default ``{field.default!r}``"
    return "" if field.default_factory is dataclasses.MISSING else ", optional"


def drop_factories(app: Sphinx, what: str, name: str, thing: Any, *_: Any) -> tuple[str, None] | None:
    """The fields of a section of a study say their defaults; its signature would say <factory>."""
    return ("", None) if isinstance(thing, type) and dataclasses.is_dataclass(thing) and _keys(thing) else None


def skip_fields(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Fields of named tuples and dataclasses are told of in the docstrings of their classes."""
    return True if type(thing).__name__ in ("_tuplegetter", "member_descriptor") else None


def resolve_bare_name(app: Sphinx, env: Any, node: pending_xref, contnode: nodes.Node) -> nodes.Node | None:
    """Link `necessity_test`, wherever it is named, to the one function or class of that name."""
    if node.get("refdomain") != "py":
        return None
    domain, target = env.domains["py"], node["reftarget"]
    kinds = {"class", "exception"}
    if node["reftype"] == "obj":  # in backticks, and not what is raised
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
