"""Read TSSs from a GTF file as a stream."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ...support import line_at, open_bytes

GtfPath = str | os.PathLike[str]

_READ_BYTES = 2**22  # bytes per read
_ATTRIBUTE = re.compile(rb'([\w.-]+)\s+(?:"([^"]*)"|([^";\s]+))')

# Attribute names of GENCODE, Ensembl and NCBI; the first one that a line has is read.
_TYPE = (b"gene_type", b"gene_biotype", b"biotype")
_NAME = (b"gene_name", b"gene", b"gene_symbol", b"gene_id")
_ID = (b"gene_id", b"gene_name", b"gene")
_TRANSCRIPT = (b"transcript_id", b"transcript_name")


class GtfRecord(NamedTuple):
    """Hold one GTF line; `gene_type` is None if the line has none, and `offset` is the byte where the line starts."""

    chrom: str
    tss: int
    strand: str
    gene_name: str
    gene_id: str
    transcript_id: str
    gene_type: str | None
    offset: int


def read_records(path: GtfPath, feature: str) -> Iterator[GtfRecord]:
    """Read the lines of one feature, in the order of the file, with a few megabytes in memory at a time.

    Raises
    ------
    ValueError
        If a line or the file is broken; the message names the file and the line.
    """
    for offset, line in _lines(path, feature):
        fields = line.rstrip(b"\r").split(b"\t")
        if len(fields) > 2 and fields[2] != feature.encode():
            continue  # the feature's name stands in another column
        if len(fields) != 9:
            _refuse_line(path, offset, line, "a GTF line must have nine columns, separated by tabs")
        chrom, _, _, start, end, _, strand, _, text = fields
        attributes = {key: quoted or bare for key, quoted, bare in _ATTRIBUTE.findall(text)}
        if not (start.isdigit() and end.isdigit() and 1 <= int(start) <= int(end)):
            _refuse_line(path, offset, line, "start and end of a GTF line must be whole numbers, 1 <= start <= end")
        if strand not in (b"+", b"-"):
            _refuse_line(path, offset, line, "the strand of a TSS must be '+' or '-'")
        if text.count(b'"') % 2:
            _refuse_line(path, offset, line, "the quotes of a GTF line must be closed (is the file cut short?)")
        if not any(key in attributes for key in _ID):
            rule = 'a GTF line must have attributes such as gene_id "..."; (GFF3 is not read)'
            _refuse_line(path, offset, line, rule)
        name, gene, transcript = (_first_attribute(attributes, keys) for keys in (_NAME, _ID, _TRANSCRIPT))
        kind = _first_attribute(attributes, _TYPE) or None
        tss = int(start) - 1 if strand == b"+" else int(end) - 1
        yield GtfRecord(chrom.decode(errors="replace"), tss, strand.decode(), name, gene, transcript, kind, offset)


def types_of_genes(path: GtfPath) -> dict[str, str]:
    """Read the type of each gene, by its identifier, from gene lines: NCBI's transcript lines have no type."""
    return {record.gene_id: record.gene_type for record in read_records(path, "gene") if record.gene_type}


def features_of(path: GtfPath, n_lines: int = 100_000) -> list[str]:
    """List the features in the first lines of a file, the most frequent first, for errors."""
    counts: Counter[bytes] = Counter()
    with open_bytes(path) as file:
        for _, line in zip(range(n_lines), file):
            fields = line.split(b"\t")
            if len(fields) == 9 and not line.startswith(b"#"):
                counts[fields[2]] += 1
    return [name.decode(errors="replace") for name, _ in counts.most_common()]


def _lines(path: GtfPath, feature: str) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold the feature between tabs, with their first byte. Searching is faster than splitting."""
    needle = f"\t{feature}\t".encode()
    offset, rest = 0, b""
    with open_bytes(path) as file:
        while True:
            block = file.read(_READ_BYTES)
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


def _first_attribute(attributes: dict[bytes, bytes], keys: tuple[bytes, ...]) -> str:
    return next((attributes[key].decode(errors="replace") for key in keys if attributes.get(key)), "")


def _refuse_line(path: GtfPath, offset: int, line: bytes, rule: str) -> None:
    shown = line[:120].decode(errors="replace")
    raise ValueError(f"{rule}; got {shown!r} in line {line_at(path, offset)} of {os.fspath(path)}.")
