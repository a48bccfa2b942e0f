"""TSSs from a GTF file, read as a stream."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ...support import line_at, open_bytes

Path = str | os.PathLike[str]

_BLOCK = 2**22
_ATTRIBUTE = re.compile(rb'([\w.-]+)\s+(?:"([^"]*)"|([^";\s]+))')

# Spellings of GENCODE, Ensembl and NCBI, the one that is preferred first.
_TYPE = (b"gene_type", b"gene_biotype", b"biotype")
_NAME = (b"gene_name", b"gene", b"gene_symbol", b"gene_id")
_ID = (b"gene_id", b"gene_name", b"gene")
_TRANSCRIPT = (b"transcript_id", b"transcript_name")


class Record(NamedTuple):
    """The line of a feature; `gene_type` is None where it has none, and `offset` is the byte where it starts."""

    chrom: str
    tss: int
    strand: str
    gene_name: str
    gene_id: str
    transcript_id: str
    gene_type: str | None
    offset: int


def read_records(path: Path, feature: str) -> Iterator[Record]:
    """The lines of a feature, in the order of the file. No more than some megabytes are in memory at a time.

    Raises
    ------
    ValueError
        If a line is broken, or the file is; the message names both.
    """
    for offset, line in _lines(path, feature):
        fields = line.rstrip(b"\r").split(b"\t")
        if len(fields) > 2 and fields[2] != feature.encode():
            continue  # the word stands in another column
        if len(fields) != 9:
            _refuse(path, offset, line, "a GTF line must have nine columns, parted by tabs")
        chrom, _, _, start, end, _, strand, _, text = fields
        attributes = {key: quoted or bare for key, quoted, bare in _ATTRIBUTE.findall(text)}
        if not (start.isdigit() and end.isdigit() and 1 <= int(start) <= int(end)):
            _refuse(path, offset, line, "start and end of a GTF line must be whole numbers, 1 <= start <= end")
        if strand not in (b"+", b"-"):
            _refuse(path, offset, line, "the strand of a TSS must be '+' or '-'")
        if text.count(b'"') % 2:
            _refuse(path, offset, line, "the quotes of a GTF line must be closed (is the file cut short?)")
        if not any(key in attributes for key in _ID):
            _refuse(path, offset, line, 'a GTF line must have attributes such as gene_id "..."; (GFF3 is not read)')
        name, gene, transcript = (_first(attributes, keys) for keys in (_NAME, _ID, _TRANSCRIPT))
        kind = _first(attributes, _TYPE) or None
        tss = int(start) - 1 if strand == b"+" else int(end) - 1
        yield Record(chrom.decode(errors="replace"), tss, strand.decode(), name, gene, transcript, kind, offset)


def types_of_genes(path: Path) -> dict[str, str]:
    """The type of each gene by its identifier, from lines of genes: NCBI's transcripts do not repeat it."""
    return {record.gene_id: record.gene_type for record in read_records(path, "gene") if record.gene_type}


def features_of(path: Path, n_lines: int = 100_000) -> list[str]:
    """The features among the first lines of a file, the most frequent first, for errors."""
    found: Counter[bytes] = Counter()
    with open_bytes(path) as file:
        for _, line in zip(range(n_lines), file):
            fields = line.split(b"\t")
            if len(fields) == 9 and not line.startswith(b"#"):
                found[fields[2]] += 1
    return [name.decode(errors="replace") for name, _ in found.most_common()]


def _lines(path: Path, feature: str) -> Iterator[tuple[int, bytes]]:
    """Lines in which the feature stands between tabs, and where they start. Searching is faster than splitting."""
    needle = f"\t{feature}\t".encode()
    offset, rest = 0, b""
    with open_bytes(path) as file:
        while True:
            block = file.read(_BLOCK)
            text = rest + block
            stop = text.rfind(b"\n") + 1 if block else len(text)
            place = text.find(needle, 0, stop)
            while place >= 0:
                start = text.rfind(b"\n", 0, place) + 1
                end = text.find(b"\n", place, stop)
                end = stop if end < 0 else end
                if text[start : start + 1] != b"#":
                    yield offset + start, text[start:end]
                place = text.find(needle, end, stop)
            if not block:
                return
            offset, rest = offset + stop, text[stop:]


def _first(attributes: dict[bytes, bytes], keys: tuple[bytes, ...]) -> str:
    return next((attributes[key].decode(errors="replace") for key in keys if attributes.get(key)), "")


def _refuse(path: Path, offset: int, line: bytes, rule: str) -> None:
    shown = line[:120].decode(errors="replace")
    raise ValueError(f"{rule}; got {shown!r} in line {line_at(path, offset)} of {os.fspath(path)}.")
