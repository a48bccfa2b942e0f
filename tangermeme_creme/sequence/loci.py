"""From annotated genes to TSSs and windows around them, and from tiles of windows back to the genome.

A locus is a TSS: its chromosome, the 0-based position of its base ('+': GTF start - 1; '-': GTF end - 1) and its
strand. Its window puts that base at ``length // 2`` on both strands; on '-' it is reverse-complemented.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from ._gtf import Record, features_of, read_records, types_of_genes
from ._windows import Fasta, check_loci, chrom_sizes, extract_windows, stream_windows
from .beds import read_bed
from .chroms import match_chroms
from .files import open_bytes
from .notices import warn
from .spans import Spans, check_count, check_spans
from .tiles import spans_to_genome

__all__ = [
    "Fasta",
    "check_loci",
    "chrom_sizes",
    "extract_windows",
    "read_tss",
    "stream_windows",
    "tiles_to_genome",
]

COLUMNS = ("chrom", "tss", "strand", "gene_name", "gene_id", "transcript_id")
_OTHER_NAMES = {"gene_name": ("gene", "symbol", "name"), "gene_id": ("ensembl_id", "gene_name"), "transcript_id": ()}

Source: TypeAlias = str | os.PathLike[str] | pd.DataFrame


def read_tss(
    gtf: Source,
    feature: str = "transcript",
    gene_type: str | Sequence[str] | None = "protein_coding",
    *,
    chroms: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Read the TSSs of annotated genes, one row a distinct TSS.

    Paper: Methods, "Transcription start site selection": transcripts of protein-coding genes of GENCODE. A GTF is read
    as a stream, so that it may be of any size. Costs no forward pass.

    Parameters
    ----------
    gtf: path or pandas.DataFrame
        A GTF of GENCODE, Ensembl or NCBI; a BED (its name ends in .bed) of six columns, in which the TSS is the first
        base on '+' and the last on '-', and the name is the gene's; or a table of `chrom`, `tss` (0-based) and
        `strand`, a DataFrame or a file (.tsv, .csv, .txt). Each may be gzipped.

    feature: str, optional
        The third column of the GTF. Default is "transcript".

    gene_type: str, sequence of str or None, optional
        Which genes of the GTF, by `gene_type`, `gene_biotype` or `biotype`. None is all. Default is "protein_coding".

    chroms: sequence of str or None, optional
        Keep these chromosomes, "1" and "chr1" being one. None keeps all, the mitochondrion too. Default is None.

    Returns
    -------
    tss: pandas.DataFrame
        `chrom`, `tss` (0-based base), `strand`, `gene_name`, `gene_id` and `transcript_id`, in the order of the file;
        of transcripts that start at one base the first. A gene without a name goes by its identifier. From a table
        its other columns too. Where genes share a TSS the first keeps it, and a warning counts them.

    Raises
    ------
    ValueError
        If there is no such feature, gene type, chromosome or column, a line or row is broken, or a gzipped file is cut
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
    if chroms is not None:
        table = _on_chroms(table, [str(name) for name in chroms])
    repeated = table.duplicated(["chrom", "tss", "strand"])
    kept = table[~repeated].reset_index(drop=True)
    genes = table.drop_duplicates(["chrom", "tss", "strand", "gene_id"])
    shared = genes[genes.duplicated(["chrom", "tss", "strand"])]
    if len(shared):
        lost = shared.iloc[0]
        warn(
            f"{len(shared)} TSSs are shared with another gene, and the first gene in the file keeps each; that at "
            f"{lost['chrom']}:{lost['tss']}{lost['strand']} is also that of {lost['gene_name']}."
        )
    return kept


def tiles_to_genome(
    tiles: Spans | pd.DataFrame,
    loci: pd.DataFrame,
    length: int,
    *,
    pairs: str = "all",
    sizes: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Where tiles of windows lie in the genome.

    The sequence of the genome there, reverse-complemented on '-', is that of the tile. Costs no forward pass.

    Parameters
    ----------
    tiles: shape=(T, 2), or pandas.DataFrame
        0-based half-open spans in bp of the windows. A table, such as `to_frame` gives, has them in `start` and `end`,
        or for pairs in `start_1`, `end_1`, `start_2` and `end_2`, and in `example` the index of the row of `loci`.

    loci: pandas.DataFrame
        `chrom`, `tss` (0-based base) and `strand`, one row a window. Its index names the examples.

    length: int
        Of the windows, in bp.

    pairs: "all" or "matched", optional
        Whether the spans are all those of every locus, or span i is of locus i. Default is "all".

    sizes: mapping of str to int, or None, optional
        Lengths of chromosomes, from `chrom_sizes`. Then spans are cut off at their ends, and those that lie wholly in
        the padding are left out, with a warning that counts them. None gives spans as they are, below 0 too. Default is
        None.

    Returns
    -------
    table: pandas.DataFrame
        `chrom`, `start`, `end` (genomic, 0-based, half-open) and `strand`, then `tss` and, where `loci` has it,
        `gene_name`, `example`, `tile` (spans alone), `tile_start` and `tile_end` (those of the window), and what else
        the table has.

    Raises
    ------
    ValueError
        If a span leaves the window, an example is not in the index of `loci` or twice, or a column is missing; the
        message names it.

    Examples
    --------
    >>> loci = pd.DataFrame({"chrom": ["chr1", "chr2"], "tss": [1000, 1000], "strand": ["+", "-"]}, index=["A", "B"])
    >>> tiles_to_genome([(0, 10), (50, 60)], loci, 100)[["chrom", "start", "end", "strand", "example", "tile"]]
      chrom  start   end strand example  tile
    0  chr1    950   960      +       A     0
    1  chr1   1000  1010      +       A     1
    2  chr2   1041  1051      -       B     0
    3  chr2    991  1001      -       B     1
    """
    check_count("length", length)
    check_loci(loci)
    twice = loci.index.duplicated()
    if twice.any():
        raise ValueError(f"the index of loci must name each once; got {loci.index[twice][0]!r} twice.")
    if not isinstance(tiles, pd.DataFrame):
        tiles = _one_row_a_tile(check_spans(tiles, length).numpy(), loci, pairs)
    ends = [suffix for suffix in ("", "_1", "_2") if f"start{suffix}" in tiles and f"end{suffix}" in tiles]
    missing = ([] if ends else ["start", "end"]) + (["example"] if "example" not in tiles else [])
    if missing:
        raise ValueError(f"tiles must have column {missing[0]!r}; got {', '.join(map(str, tiles.columns))}.")
    rows = loci.index.get_indexer(tiles["example"])
    if (rows < 0).any():
        i = int((rows < 0).argmax())
        raise ValueError(f"examples must be in the index of loci; got {tiles['example'].tolist()[i]!r} at row {i}.")
    place = loci.iloc[rows]
    tss, strand = place["tss"].to_numpy(), place["strand"].to_numpy(dtype=object)
    found: dict[str, np.ndarray] = {"chrom": place["chrom"].to_numpy()}
    own: dict[str, np.ndarray] = {}
    for suffix in ends:
        local = tiles[[f"start{suffix}", f"end{suffix}"]].to_numpy()
        check_spans(local, length) if len(local) else None
        genomic = spans_to_genome(local[:, 0], local[:, 1], tss=tss, strand=strand, length=length)
        found |= dict(zip((f"start{suffix}", f"end{suffix}"), genomic))
        own |= {f"tile_start{suffix}": local[:, 0], f"tile_end{suffix}": local[:, 1]}
    names = {name: place[name].to_numpy() for name in ("gene_name",) if name in place and name not in tiles}
    rest = {name: tiles[name].to_numpy() for name in tiles if name not in {*found, "strand", "tss"}}
    first = {name: rest.pop(name) for name in ("gene_name", "example", "tile") if name in rest}
    table = pd.DataFrame(found | {"strand": strand, "tss": tss} | names | first | own | rest)
    return table if sizes is None else _inside(table, sizes, ends)


def _one_row_a_tile(spans: np.ndarray, loci: pd.DataFrame, pairs: str) -> pd.DataFrame:
    if pairs not in ("all", "matched"):
        raise ValueError(f"pairs must be 'all' or 'matched'; got {pairs!r}.")
    n, index = len(loci), loci.index
    if pairs == "matched":
        if len(spans) != n:
            raise ValueError(f"matched tiles must be one a locus ({n}); got {len(spans)}.")
        columns = {"example": index, "tile": 0, "start": spans[:, 0], "end": spans[:, 1]}
    else:
        tile = np.tile(np.arange(len(spans)), n)
        starts, ends = spans[tile].T
        columns = {"example": index.repeat(len(spans)), "tile": tile, "start": starts, "end": ends}
    return pd.DataFrame(columns, index=range(len(columns["start"])))


def _inside(table: pd.DataFrame, sizes: Mapping[str, int], ends: list[str]) -> pd.DataFrame:
    names = match_chroms(table["chrom"], sizes)
    known = table["chrom"].astype(str).map({name: sizes[other] for name, other in names.items()})
    if known.isna().any():
        i = int(known.isna().argmax())
        raise ValueError(f"sizes must have each chromosome of loci; got {table['chrom'].iloc[i]!r} at row {i}.")
    size = known.to_numpy(dtype=np.int64)
    cut = {f"{part}{suffix}": table[f"{part}{suffix}"].clip(0, size) for suffix in ends for part in ("start", "end")}
    kept = np.logical_and.reduce([(cut[f"start{suffix}"] < cut[f"end{suffix}"]).to_numpy() for suffix in ends])
    if not kept.all():
        warn(f"{(~kept).sum()} of {len(kept)} tiles lie wholly off their chromosome, in padding, and are left out.")
    return table.assign(**cut)[kept].reset_index(drop=True)


def _from_gtf(path: str | os.PathLike[str], feature: str, gene_type: str | Sequence[str] | None) -> pd.DataFrame:
    wanted = None if gene_type is None else {gene_type} if isinstance(gene_type, str) else set(gene_type)
    found: dict[tuple[str, int, str, str], Record] = {}
    types: Counter[str] = Counter()
    of_gene: dict[str, str] | None = None
    for record in read_records(path, feature):
        kind = record.gene_type
        if wanted is not None and kind is None:
            of_gene = types_of_genes(path) if of_gene is None else of_gene
            kind = of_gene.get(record.gene_id)
        types[kind or ""] += 1
        if wanted is None or kind in wanted:
            found.setdefault((record.chrom, record.tss, record.strand, record.gene_id), record)
    if not types:
        got = ", ".join(features_of(path)) or "no line of nine columns, parted by tabs"
        raise ValueError(f"a GTF must have lines of feature {feature!r}; got {os.fspath(path)} with {got}.")
    if not found:
        got = ", ".join(f"{name or 'none'} ({count})" for name, count in types.most_common(6))
        raise ValueError(
            f"a GTF must have genes of type {', '.join(sorted(wanted or []))} (gene_type=None takes all); got "
            f"{os.fspath(path)} with {feature} lines of types {got}."
        )
    return pd.DataFrame([record[:6] for record in found.values()], columns=COLUMNS)


def _from_bed(path: str | os.PathLike[str]) -> pd.DataFrame:
    bed = read_bed(path, columns=6)
    strange = ~bed["strand"].isin(["+", "-"])
    if strange.any():
        i = int(strange.argmax())
        raise ValueError(
            f"the strand of a TSS must be '+' or '-'; got {bed['strand'].iloc[i]!r} in record {i + 1} of "
            f"{os.fspath(path)}."
        )
    tss = bed["start"].where(bed["strand"] == "+", bed["end"] - 1)
    names = dict.fromkeys(COLUMNS[3:], bed["name"])
    return pd.DataFrame({"chrom": bed["chrom"], "tss": tss, "strand": bed["strand"], **names})


def _read_table(path: str | os.PathLike[str], separator: str) -> pd.DataFrame:
    with open_bytes(path) as file:
        try:
            return pd.read_csv(file, sep=separator, dtype={"chrom": str})
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise ValueError(
                f"a table must have a header and as many columns a row; got {os.fspath(path)}: {error}"
            ) from error


def _from_table(table: pd.DataFrame, where: str) -> pd.DataFrame:
    check_loci(table, where)
    found = {"chrom": table["chrom"].astype(str), "tss": table["tss"].astype("int64"), "strand": table["strand"]}
    for name, others in _OTHER_NAMES.items():
        spelling = next((other for other in (name, *others) if other in table), None)
        found[name] = pd.Series("", index=table.index) if spelling is None else table[spelling].fillna("").astype(str)
    rest = table[[name for name in table.columns if name not in found]]
    return pd.concat([pd.DataFrame(found), rest], axis=1)


def _on_chroms(table: pd.DataFrame, chroms: list[str]) -> pd.DataFrame:
    present = list(table["chrom"].unique())
    names = match_chroms(chroms, present)
    lacking = [name for name in chroms if name not in names]
    if lacking:
        raise ValueError(f"chroms must be of those with a TSS, {', '.join(map(str, present))}; got {lacking[0]!r}.")
    return table[table["chrom"].isin(list(names.values()))]
