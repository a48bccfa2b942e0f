"""Read the TSSs of annotated genes from GTF and BED files and from tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from ...support import check_cells, check_columns, line_at, open_bytes, read_cells, shown, warn
from ._gtf import features_of, read_content
from .beds import read_bed
from .chroms import match_chroms, plain_chrom
from .loci import check_loci, tss_positions

COLUMNS = ("chrom", "tss", "strand", "gene_name", "gene_id", "transcript_id")
_OTHER_NAMES = {"gene_name": ("gene", "symbol", "gene_id"), "gene_id": ("ensembl_id", "gene_name", "gene")}

TssSource: TypeAlias = str | os.PathLike[str] | pd.DataFrame


def read_tss(
    gtf: TssSource,
    feature: str = "transcript",
    gene_type: str | Sequence[str] | None = "protein_coding",
    *,
    chroms: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Read the TSSs of annotated genes, one row per distinct TSS.

    Paper: Methods, "Transcription start site selection": transcripts of protein-coding genes of GENCODE. A GTF is read
    as a stream, so that it may be of any size. Lines on other chromosomes and of other types of genes are not looked
    at; of the others, lines without a strand (".") are left out, with a warning. Costs no forward pass.

    Parameters
    ----------
    gtf: path or pandas.DataFrame
        A GTF of GENCODE, Ensembl or NCBI; a BED (its name ends in .bed) of six columns, in which the TSS is the first
        base on '+' and the last on '-', and the name is that of the gene; or a table of `chrom`, `tss` (0-based) and
        `strand`, a DataFrame or a file (.tsv, .csv, .txt). Each file may be gzipped.

    feature: str, optional
        Feature to read: the third column of the GTF. For "exon", and for other parts of transcripts, the TSS is the
        outermost base of the lines with one `transcript_id`, also in a GTF without lines of transcripts. Default is
        "transcript".

    gene_type: str, sequence of str or None, optional
        Types of genes to read from the GTF, by `gene_type`, `gene_biotype` or `biotype`. None reads all genes. Default
        is "protein_coding".

    chroms: str, sequence of str or None, optional
        Chromosomes to read; "1" and "chr1" name the same chromosome. None reads all, also the mitochondrion. Default
        is None.

    Returns
    -------
    tss: pandas.DataFrame
        `chrom`, `tss` (0-based base), `strand`, `gene_name`, `gene_id` and `transcript_id`, in the order of the file,
        then the other columns of a table. If several transcripts of a gene start at one base, the first is returned. A
        missing gene name is replaced by the identifier, and the identifier by the name; "" means that both are missing,
        which a GTF must not have. If several genes share a TSS, the first gene is returned, and a warning gives the
        number. Names need not be unique: genes of X and Y share names.

    Raises
    ------
    ValueError
        If a feature, gene type, chromosome or column does not exist, a line or row is broken, or a gzipped file is cut
        short; the message names the file, and the line or row.

    Examples
    --------
    >>> import tempfile
    >>> names = 'gene_id "G1"; gene_type "protein_coding"; gene_name "A";'
    >>> line = "chr1\\tHAVANA\\ttranscript\\t{}\\t900\\t.\\t{}\\t.\\t" + names + "\\n"
    >>> with tempfile.NamedTemporaryFile("w", suffix=".gtf") as file:
    ...     _ = file.write(line.format(101, "+") + line.format(101, "+") + line.format(201, "-"))
    ...     file.flush()
    ...     read_tss(file.name)[["chrom", "tss", "strand", "gene_name"]]
      chrom  tss strand gene_name
    0  chr1  100      +         A
    1  chr1  899      -         A
    """
    names = None if chroms is None else [chroms] if isinstance(chroms, str) else [str(name) for name in chroms]
    where = "table" if isinstance(gtf, pd.DataFrame) else os.fspath(gtf)
    kinds = [] if isinstance(gtf, pd.DataFrame) else [part.lower() for part in Path(gtf).suffixes]
    kind = ([part for part in kinds if part != ".gz"] or [""])[-1]
    if isinstance(gtf, pd.DataFrame):
        table = _from_table(gtf, where, names, "row {}".format)
    elif kind == ".bed":
        table = _from_bed(gtf, names)
    elif kind in (".tsv", ".csv", ".txt"):
        frame, lines = _read_table(gtf, "," if kind == ".csv" else "\t")
        table = _from_table(frame, where, names, lambda row: f"line {lines[row]}")
    else:
        table = _from_gtf(gtf, feature, gene_type, names)
    if not len(table):
        raise ValueError(f"there must be at least one TSS; got none in {where}.")
    distinct = table.drop_duplicates(["chrom", "tss", "strand"], ignore_index=True)
    genes = table.drop_duplicates(["chrom", "tss", "strand", "gene_id"])
    shared = genes[genes.duplicated(["chrom", "tss", "strand"])]
    if len(shared):
        lost = shared.iloc[0]
        warn(
            f"{len(shared)} TSSs are shared with another gene, and the first gene in the file keeps each; that at "
            f"{lost['chrom']}:{lost['tss']}{lost['strand']} is also that of {lost['gene_name']}."
        )
    return distinct


def _from_gtf(
    path: str | os.PathLike[str], feature: str, gene_type: str | Sequence[str] | None, chroms: list[str] | None
) -> pd.DataFrame:
    wanted = None if gene_type is None else {gene_type} if isinstance(gene_type, str) else set(gene_type)
    plain = None if chroms is None else {plain_chrom(name) for name in chroms}
    is_wanted = None if wanted is None else wanted.__contains__
    content = read_content(path, feature, is_wanted, lambda name: plain is None or plain_chrom(name) in plain)
    if not content.chroms:
        got = ", ".join(features_of(path)) or "no line of nine columns, separated by tabs"
        raise ValueError(f"a GTF must have lines of feature {feature!r}; got {os.fspath(path)} with {got}.")
    if content.types and not content.records and not content.no_strand:
        got = ", ".join(
            f"{shown(name) if len(name) > 40 else name or 'none'} ({count})"
            for name, count in content.types.most_common(6)
        )
        raise ValueError(
            f"a GTF must have genes of type {', '.join(sorted(wanted or []))} (gene_type=None takes all); got "
            f"{os.fspath(path)} with {feature} lines of types {got}."
        )
    if content.no_strand:
        _warn_of_no_strand(
            len(content.no_strand),
            f"{feature} lines",
            f"line {line_at(path, content.no_strand[0])} of {os.fspath(path)}",
        )
    table = pd.DataFrame(content.records, columns=COLUMNS).astype({"tss": "int64"})
    return _on_chroms(table, content.chroms, chroms)


def _from_bed(path: str | os.PathLike[str], chroms: list[str] | None) -> pd.DataFrame:
    bed = read_bed(path, columns=6)
    bed = _on_chroms(bed, list(bed["chrom"].unique()), chroms)
    unknown = ~bed["strand"].isin(["+", "-", "."])
    if unknown.any():
        i = int(unknown.to_numpy().argmax())
        raise ValueError(
            f"the strand of a TSS must be '+' or '-', or '.' for none; got {shown(bed['strand'].iloc[i])} in record "
            f"{bed.index[i] + 1} of {os.fspath(path)}."
        )
    bed = _with_strand(bed, lambda row: f"record {row + 1} of {os.fspath(path)}")
    tss = bed["start"].where(bed["strand"] == "+", bed["end"] - 1)
    names = dict.fromkeys(COLUMNS[3:], bed["name"].replace(".", ""))
    table = pd.DataFrame({"chrom": bed["chrom"], "tss": tss, "strand": bed["strand"], **names})
    return table.reset_index(drop=True)


def _read_table(path: str | os.PathLike[str], separator: str) -> tuple[pd.DataFrame, list[int]]:
    """Read a table with the types that its cells have, and the line of each row."""
    header, lines, cells = read_cells(path, separator)
    check_cells(path, header, lines, cells)
    try:
        with open_bytes(path) as file:
            table = pd.read_csv(file, sep=separator, dtype={"chrom": str}, skip_blank_lines=True)
        if "example" in table:  # the name of a locus is read as text, also if it is "NA"
            table["example"] = pd.Series([row[header.index("example")] for row in cells], dtype=object)
    except ValueError as error:
        raise ValueError(
            f"a table must have a header and as many columns in each row; got {os.fspath(path)}: {error}"
        ) from error
    return table, lines


def _from_table(
    table: pd.DataFrame, where: str, chroms: list[str] | None, row_name: Callable[[int], str]
) -> pd.DataFrame:
    check_columns(table, ["chrom", "tss", "strand"], where)
    table = table.reset_index(drop=True)
    table = _on_chroms(table, list(table["chrom"].dropna().astype(str).unique()), chroms)
    table = _with_strand(table, lambda row: f"{row_name(row)} of {where}")
    rows = table.index
    check_loci(table, where, lambda row: row_name(rows[row]))
    table = table.reset_index(drop=True)
    columns = {"chrom": table["chrom"].astype(str), "tss": tss_positions(table), "strand": table["strand"].astype(str)}
    for name in COLUMNS[3:]:
        spellings = [other for other in (name, *_OTHER_NAMES.get(name, ())) if other in table]
        text = pd.Series("", index=table.index, dtype=object)
        for spelling in reversed(spellings):  # the preferred spelling comes last and wins
            values = table[spelling].astype(object)
            known = values.notna() & ~values.astype(str).isin(["", "."])
            text = values.astype(str).where(known, text)
        columns[name] = text
    rest = table[[name for name in table.columns if name not in columns]]
    return pd.concat([pd.DataFrame(columns), rest], axis=1)


def _with_strand(table: pd.DataFrame, row_name: Callable[[int], str]) -> pd.DataFrame:
    """Leave out rows whose strand is ".", with a warning; the index keeps the number of each row."""
    none = (table["strand"] == ".").to_numpy(dtype=bool, na_value=False)
    if none.any():
        _warn_of_no_strand(int(none.sum()), "rows", row_name(table.index[int(none.argmax())]))
    return table[~none]


def _warn_of_no_strand(count: int, what: str, first: str) -> None:
    warn(
        f"{count} {what} have no strand ('.'), so that their TSS is not known, and are left out; the first is {first}."
    )


def _on_chroms(table: pd.DataFrame, present: list[str], chroms: list[str] | None) -> pd.DataFrame:
    """Return the rows on the chromosomes that were asked for, with their index; refuse one without a row."""
    if chroms is None:
        return table
    names = match_chroms(chroms, present)
    known = set(table["chrom"].astype(str))
    lacking = [name for name in chroms if names.get(name) not in known]
    if lacking:
        got = f"{', '.join(present)[:300]}; got {shown(lacking[0])}"
        raise ValueError(f"chroms must be of those with a TSS, {got}.")
    return table[table["chrom"].astype(str).isin(list(names.values()))]
