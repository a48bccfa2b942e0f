"""Read the transcripts of a GTF file as a stream."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ...support import line_at, open_bytes
from ._gtf_attributes import read_attributes
from .table_columns import LAST_BASE

GtfPath = str | os.PathLike[str]

_READ_BYTES = 2**22  # bytes per read
_NUMBER = re.compile(rb"[0-9]{1,10}")
# Features of which a gene or transcript has one line. Of others, such as exons, a transcript has several.
_WHOLE = ("gene", "transcript", "mRNA")

# Attribute names of GENCODE, Ensembl and NCBI; the first one that a line has is read.
_TYPE = ("gene_type", "gene_biotype", "biotype")
_NAME = ("gene_name", "gene", "gene_symbol", "gene_id")
_ID = ("gene_id", "gene_name", "gene")
_TRANSCRIPT = ("transcript_id", "transcript_name")
_WANTED = frozenset((*_TYPE, *_NAME, *_ID, *_TRANSCRIPT))


class GtfRecord(NamedTuple):
    """Hold the first base of a transcript or gene, from one line or from the lines of its exons."""

    chrom: str
    tss: int
    strand: str
    gene_name: str
    gene_id: str
    transcript_id: str


class GtfContent(NamedTuple):
    """Hold what a GTF has for a feature.

    Parameters
    ----------
    records: list of GtfRecord
        In the order of the first line of each.

    types: Counter
        Lines per type of gene, "" for none, on the chromosomes that were asked for.

    chroms: list of str
        The chromosomes with lines of the feature, also those that were not asked for.

    no_strand: list of int
        The first byte of each line without a strand, which are left out.
    """

    records: list[GtfRecord]
    types: Counter[str]
    chroms: list[str]
    no_strand: list[int]


def read_content(
    path: GtfPath, feature: str, is_wanted: Callable[[str], bool] | None, on_chrom: Callable[[str], bool]
) -> GtfContent:
    """Read the lines of one feature, with a few megabytes in memory at a time.

    Lines on other chromosomes and of genes of other types are not read further, so that nothing in them matters.

    Parameters
    ----------
    path: path

    feature: str
        A feature of which a transcript has several lines, such as "exon", gives one record per transcript.

    is_wanted: callable or None
        Whether genes of this type are read, "" for none. None reads all.

    on_chrom: callable
        Whether this chromosome is read.

    Raises
    ------
    ValueError
        If a line or the file is broken; the message names the file and the line.
    """
    records: dict[tuple[str, ...], GtfRecord] = {}
    content = GtfContent([], Counter(), [], [])
    chroms: dict[bytes, bool] = {}
    of_gene: dict[str, str] | None = None
    for offset, line in _lines(path, feature):
        fields = line.rstrip(b"\r").split(b"\t")
        if len(fields) > 2 and fields[2] != feature.encode():
            continue  # the feature's name stands in another column
        if len(fields) != 9:
            _refuse_line(path, offset, line, "a GTF line must have nine columns, separated by tabs")
        if fields[0] not in chroms:
            chroms[fields[0]] = on_chrom(_text(path, offset, line, fields[0]))
        if not chroms[fields[0]]:
            continue
        attributes = _attributes(path, offset, line, fields[8])
        gene = _first(attributes, _ID)
        if not gene:
            rule = 'a GTF line must name its gene by attributes such as gene_id "..." (GFF3 is not read)'
            _refuse_line(path, offset, line, rule)
        kind = _first(attributes, _TYPE)
        if is_wanted is not None and not kind:
            of_gene = types_of_genes(path, on_chrom) if of_gene is None else of_gene
            kind = of_gene.get(gene, "")
        content.types[kind] += 1
        if is_wanted is not None and not is_wanted(kind):
            continue
        if fields[6] in (b".", b"?"):
            content.no_strand.append(offset)
            continue
        tss = _first_base(path, offset, line, fields)
        transcript = _first(attributes, _TRANSCRIPT)
        record = GtfRecord(fields[0].decode(), tss, fields[6].decode(), _first(attributes, _NAME), gene, transcript)
        if feature in _WHOLE or (not transcript and feature != "exon"):
            records.setdefault((record.chrom, str(tss), record.strand, gene), record)
            continue
        if not transcript:
            _refuse_line(path, offset, line, 'an exon must name its transcript by transcript_id "..."')
        key = ("", record.chrom, record.strand, gene, transcript)
        outermost = min if record.strand == "+" else max
        records[key] = record._replace(tss=outermost(tss, records.get(key, record).tss))
    content.records.extend(records.values())
    content.chroms.extend(name.decode() for name in chroms)
    return content


def types_of_genes(path: GtfPath, on_chrom: Callable[[str], bool]) -> dict[str, str]:
    """Read the type of each gene, by its identifier, from gene lines: NCBI's transcript lines have no type."""
    types = {}
    for offset, line in _lines(path, "gene"):
        fields = line.rstrip(b"\r").split(b"\t")
        if len(fields) == 9 and fields[2] == b"gene" and on_chrom(fields[0].decode(errors="replace")):
            attributes = _attributes(path, offset, line, fields[8])
            types[_first(attributes, _ID)] = _first(attributes, _TYPE)
    return types


def features_of(path: GtfPath, n_lines: int = 100_000) -> list[str]:
    """List the features in the first lines of a file, the most frequent first, for errors."""
    counts: Counter[bytes] = Counter()
    with open_bytes(path) as file:
        for _, line in zip(range(n_lines), file):
            fields = line.split(b"\t")
            if len(fields) == 9 and not line.startswith(b"#"):
                counts[fields[2][:40]] += 1
    return [name.decode(errors="replace") for name, _ in counts.most_common(20)]


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


def _attributes(path: GtfPath, offset: int, line: bytes, text: bytes) -> dict[str, str]:
    try:
        return read_attributes(_text(path, offset, line, text), _WANTED)
    except ValueError as error:
        _refuse_line(path, offset, line, str(error))
        raise


def _first_base(path: GtfPath, offset: int, line: bytes, fields: list[bytes]) -> int:
    start, end = (int(field) if _NUMBER.fullmatch(field) else 0 for field in fields[3:5])
    if not 1 <= start <= end <= LAST_BASE:
        rule = "start and end of a GTF line must be whole numbers below 2**32, 1 <= start <= end"
        _refuse_line(path, offset, line, rule)
    if fields[6] not in (b"+", b"-"):
        _refuse_line(path, offset, line, "the strand of a TSS must be '+' or '-', or '.' for none")
    return start - 1 if fields[6] == b"+" else end - 1


def _first(attributes: dict[str, str], keys: tuple[str, ...]) -> str:
    return next((attributes[key] for key in keys if attributes.get(key)), "")


def _text(path: GtfPath, offset: int, line: bytes, field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError:
        _refuse_line(path, offset, line, "a GTF line must be text in UTF-8")
        raise


def _refuse_line(path: GtfPath, offset: int, line: bytes, rule: str) -> None:
    shown = line[:120].decode(errors="replace")
    raise ValueError(f"{rule}; got {shown!r} in line {line_at(path, offset)} of {os.fspath(path)}.")
