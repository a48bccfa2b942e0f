"""Read the TSSs of annotated genes from GTF and BED files and from tables."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from ...support import open_bytes, warn
from ._gtf import GtfRecord, features_of, read_records, types_of_genes
from .beds import read_bed
from .chroms import match_chroms
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
    as a stream, so that it may be of any size. Costs no forward pass.

    Parameters
    ----------
    gtf: path or pandas.DataFrame
        A GTF of GENCODE, Ensembl or NCBI; a BED (its name ends in .bed) of six columns, in which the TSS is the first
        base on '+' and the last on '-', and the name is that of the gene; or a table of `chrom`, `tss` (0-based) and
        `strand`, a DataFrame or a file (.tsv, .csv, .txt). Each file may be gzipped.

    feature: str, optional
        Feature to read: the third column of the GTF. Default is "transcript".

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
        missing gene name is replaced by the identifier, in tables also the identifier by the name; "" means that both
        are missing. If several genes share a TSS, the first gene is returned, and a warning gives the number. Names
        need not be unique: genes of X and Y share names.

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
    if isinstance(gtf, pd.DataFrame):
        table = _from_table(gtf, "table")
    else:
        kinds = [suffix.lower() for suffix in Path(gtf).suffixes if suffix.lower() != ".gz"][-1:]
        if kinds == [".bed"]:
            table = _from_bed(gtf)
        elif kinds and kinds[0] in (".tsv", ".csv", ".txt"):
            table = _from_table(_read_table(gtf, "," if kinds == [".csv"] else "\t"), os.fspath(gtf))
        else:
            table = _from_gtf(gtf, feature, gene_type)
    if not len(table):
        where = "table" if isinstance(gtf, pd.DataFrame) else os.fspath(gtf)
        raise ValueError(f"there must be at least one TSS; got none in {where}.")
    if chroms is not None:
        table = _on_chroms(table, [chroms] if isinstance(chroms, str) else [str(name) for name in chroms])
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


def _from_gtf(path: str | os.PathLike[str], feature: str, gene_type: str | Sequence[str] | None) -> pd.DataFrame:
    wanted = None if gene_type is None else {gene_type} if isinstance(gene_type, str) else set(gene_type)
    records: dict[tuple[str, int, str, str], GtfRecord] = {}
    types: Counter[str] = Counter()
    of_gene: dict[str, str] | None = None
    for record in read_records(path, feature):
        kind = record.gene_type
        if wanted is not None and kind is None:
            of_gene = types_of_genes(path) if of_gene is None else of_gene
            kind = of_gene.get(record.gene_id)
        types[kind or ""] += 1
        if wanted is None or kind in wanted:
            records.setdefault((record.chrom, record.tss, record.strand, record.gene_id), record)
    if not types:
        got = ", ".join(features_of(path)) or "no line of nine columns, separated by tabs"
        raise ValueError(f"a GTF must have lines of feature {feature!r}; got {os.fspath(path)} with {got}.")
    if not records:
        got = ", ".join(f"{name or 'none'} ({count})" for name, count in types.most_common(6))
        raise ValueError(
            f"a GTF must have genes of type {', '.join(sorted(wanted or []))} (gene_type=None takes all); got "
            f"{os.fspath(path)} with {feature} lines of types {got}."
        )
    return pd.DataFrame([record[:6] for record in records.values()], columns=COLUMNS)


def _from_bed(path: str | os.PathLike[str]) -> pd.DataFrame:
    bed = read_bed(path, columns=6)
    bad = ~bed["strand"].isin(["+", "-"])
    if bad.any():
        i = int(bad.argmax())
        raise ValueError(
            f"the strand of a TSS must be '+' or '-'; got {bed['strand'].iloc[i]!r} in record {i + 1} of "
            f"{os.fspath(path)}."
        )
    tss = bed["start"].where(bed["strand"] == "+", bed["end"] - 1)
    names = dict.fromkeys(COLUMNS[3:], bed["name"].replace(".", ""))
    return pd.DataFrame({"chrom": bed["chrom"], "tss": tss, "strand": bed["strand"], **names})


def _read_table(path: str | os.PathLike[str], separator: str) -> pd.DataFrame:
    try:
        with open_bytes(path) as file:
            table = pd.read_csv(file, sep=separator, dtype={"chrom": str})
        if "example" in table:  # the name of a locus is read as text, also if it is "NA"
            with open_bytes(path) as file:
                names = pd.read_csv(file, sep=separator, usecols=["example"], dtype=str, keep_default_na=False)
            table["example"] = names["example"]
        return table
    except ValueError as error:  # of the parser, or of text that is not UTF-8
        raise ValueError(
            f"a table must have a header and as many columns in each row; got {os.fspath(path)}: {error}"
        ) from error


def _from_table(table: pd.DataFrame, where: str) -> pd.DataFrame:
    check_loci(table, where)
    table = table.reset_index(drop=True)
    columns = {"chrom": table["chrom"].astype(str), "tss": tss_positions(table), "strand": table["strand"].astype(str)}
    for name in COLUMNS[3:]:
        spellings = [other for other in (name, *_OTHER_NAMES.get(name, ())) if other in table]
        text = pd.Series("", index=table.index)
        for spelling in reversed(spellings):  # the preferred spelling comes last and wins
            values = table[spelling].astype(object)
            known = values.notna() & ~values.astype(str).isin(["", "."])
            text = values.astype(str).where(known, text)
        columns[name] = text
    rest = table[[name for name in table.columns if name not in columns]]
    return pd.concat([pd.DataFrame(columns), rest], axis=1)


def _on_chroms(table: pd.DataFrame, chroms: list[str]) -> pd.DataFrame:
    present = list(table["chrom"].unique())
    names = match_chroms(chroms, present)
    lacking = [name for name in chroms if name not in names]
    if lacking:
        raise ValueError(f"chroms must be of those with a TSS, {', '.join(map(str, present))}; got {lacking[0]!r}.")
    return table[table["chrom"].isin(list(names.values()))]
