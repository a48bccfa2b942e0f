"""The file that a study begins with: every key, what it is for, and its default."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from typing import Any, get_args, get_type_hints

from .files import StudySpec

_WIDTH = 118
_HEADER = """\
# A study: the perturbation tests of CREME on many loci, from this one file.
#
#   tangermeme-creme run study.toml --dry-run   checks this file, and says what will be computed
#   tangermeme-creme run study.toml             computes it; the same command goes on where it was stopped
#
# Each key has its default. A commented key has none, but an example; uncomment what you need. Model, genome and TSSs
# are examples: put in your own. Relative paths start in the folder of this file, "~" in your home folder.
"""


def study_template() -> str:
    """A commented TOML with every key of a study, and examples where a study must say something.

    Returns
    -------
    text: str
        Read as it is, it is a study of all defaults, of Enformer's K562 CAGE around the TSSs of a GTF.

    Examples
    --------
    >>> import tomllib
    >>> study = tomllib.loads(study_template())
    >>> study["tests"]["necessity"], study["loci"]["fasta"]
    ({'n': 10}, 'hg38.fa')
    """
    return "\n".join([_HEADER, *_section(StudySpec, "")]) + "\n"


def _section(cls: type, path: str, commented: bool = False) -> list[str]:
    """The lines of a section: its own keys, and then the sections in it."""
    lines, after = [], []
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):
        inner = _section_class(hints[field.name])
        if inner is None:
            lines += _key(field, commented)
            continue
        name = f"{path}.{field.name}" if path else field.name
        hidden = commented or (field.default is None and not field.metadata.get("shown"))
        after += ["", *_comment(field.metadata["doc"]), f"# [{name}]" if hidden else f"[{name}]"]
        after += _section(inner, name, hidden)
    return lines + after


def _section_class(hint: Any) -> type | None:
    """The dataclass of a field that is a section, one that may be left out too."""
    for member in (hint, *get_args(hint)):
        if isinstance(member, type) and dataclasses.is_dataclass(member):
            return member
    return None


def _key(field: dataclasses.Field[Any], commented: bool) -> list[str]:
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    given = default is not None and default is not dataclasses.MISSING
    value = default if given else field.metadata["example"]
    text = f"{field.name} = {_toml(value)}"
    if len(text) > _WIDTH:  # an array of short strings
        items = textwrap.fill(_toml(value)[1:-1], _WIDTH, initial_indent="    ", subsequent_indent="    ")
        text = f"{field.name} = [\n{items},\n]"
    if commented or default is None:
        text = textwrap.indent(text, "# ")
    return [*_comment(field.metadata["doc"]), *text.split("\n")]


def _comment(doc: str) -> list[str]:
    return textwrap.wrap(doc, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _toml(value: Any) -> str:
    if isinstance(value, dict):  # of names that need no quotes
        pairs = (f"{name} = {_toml(part)}" for name, part in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)  # strings, numbers and booleans are written alike
