"""The file that a study begins with: every key, what it is for, and its default."""

from __future__ import annotations

import json
import textwrap

from ...support import Section, hints_of, metadata_of, section_in, toml_line
from .sections import StudySpec

_WIDTH = 118
_HEADER = """\
# A study: the perturbation tests of CREME on many loci, from this one file.
#
#   tangermeme-creme run study.toml --dry-run   checks this file, and says what will be computed
#   tangermeme-creme run study.toml             computes it; the same command goes on where it was stopped
#
# A study runs the function that it names in [model], whatever that is: read the file of a stranger before you run it.
# A dry run does not import or call it.
#
# Each key has its default. A commented key has no default, but an example; uncomment what you need. Model, genome and
# TSSs are examples: put in your own. Relative paths start in the folder of this file, "~" in your home folder.
"""


def study_template() -> str:
    """Return a commented TOML file with every key of a study, and examples for the keys that a study must give.

    Returns
    -------
    text: str
        As it stands, a study with every default: K562 CAGE of Enformer around the TSSs of a GTF.

    Examples
    --------
    >>> import tomllib
    >>> study = tomllib.loads(study_template())
    >>> study["tests"]["necessity"], study["loci"]["fasta"]
    ({'n': 10}, 'hg38.fa')
    """
    return "\n".join([_HEADER, *_section(StudySpec, "")]) + "\n"


def study_schema() -> str:
    """Return the JSON schema of a study, with which editors check and complete its TOML file.

    Examples
    --------
    >>> import json
    >>> json.loads(study_schema())["properties"]["seed"]["description"]
    'Seed of everything that is drawn at random.'
    """
    schema = StudySpec.model_json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def _section(section: type[Section], path: str, commented: bool = False) -> list[str]:
    """The lines of a section: its own keys, and then the sections in it."""
    lines, after = [], []
    for name, hint in hints_of(section).items():
        inner, field = section_in(hint), section.model_fields[name]
        if inner is None:
            lines += _key(section, name, commented)
            continue
        inner_path = f"{path}.{name}" if path else name
        hidden = commented or (field.default is None and not metadata_of(section, name).get("shown"))
        after += ["", *_comment(field.description), f"# [{inner_path}]" if hidden else f"[{inner_path}]"]
        after += _section(inner, inner_path, hidden)
    return lines + after


def _key(section: type[Section], name: str, commented: bool) -> list[str]:
    field = section.model_fields[name]
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    text = toml_line(name, metadata_of(section, name)["examples"][0] if default is None else default)
    if commented or (default is None and not field.is_required()):
        text = textwrap.indent(text, "# ")
    return [*_comment(field.description), *text.split("\n")]


def _comment(doc: str | None) -> list[str]:
    return textwrap.wrap(doc or "", _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
