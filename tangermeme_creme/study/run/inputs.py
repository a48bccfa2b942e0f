"""The loci of a study, and the files that it reads."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ...sequence.genome import chrom_sizes, match_chroms, read_tss
from ...support import shown, text_lines, warn
from ..spec import LociSpec, StudyError, StudySpec
from ..tables import PLACES, read_loci_table, window_names
from ..tests import further_inputs
from .fingerprint import fingerprint_file

_TAKEN = ("track", "context", "y_wt", "seed")  # columns of other tables that loci are put beside


def read_loci(spec: StudySpec) -> pd.DataFrame:
    """Read every locus that could be studied, one row per locus, with its name in column `example`.

    A locus of a GTF is named by its gene and place, "GATA2:chr3:128493184-", so that other loci do not change its name;
    a locus of a table or of windows keeps its name. Rows are sorted by name: the order of the files does not matter.

    Raises
    ------
    StudyError
        If a file cannot be read or is broken, two loci have the same name, a requested gene is missing, or a further
        input of the model is no number.
    """
    try:
        table = _from_annotation(spec.loci) if spec.loci is not None else _from_windows(spec)
        further_inputs(table, spec.model.args)  # before anything is computed
    except OSError as error:
        raise StudyError(f"the loci of a study must be readable; got {error.filename}: {error.strerror}.") from error
    except ValueError as error:
        raise StudyError(f"the loci of a study must be whole: {error}") from error
    names = table["example"]
    if names.duplicated().any():
        raise StudyError(f"loci must have different names; got {shown(names[names.duplicated()].iloc[0])} twice.")
    if (names == "").any():
        raise StudyError(f"loci must have a name; got none at row {int((names == '').to_numpy().argmax())}.")
    if not len(table):
        raise StudyError("there must be a locus to study; got none.")
    if taken := [name for name in _TAKEN if name in table.columns]:
        raise StudyError(f"loci must leave the columns {', '.join(_TAKEN)} to the study; got {taken[0]!r}.")
    return table.sort_values("example", kind="stable").reset_index(drop=True)


def input_files(spec: StudySpec) -> dict[str, str]:
    """Hash the content of each file that a study reads, by the key that names the file."""
    named: dict[str, str | None] = {}
    if spec.loci is not None:
        genes = spec.loci.genes if isinstance(spec.loci.genes, str) else None
        named |= {"loci.fasta": spec.loci.fasta, "loci.tss": spec.loci.tss, "loci.genes": genes}
    if spec.windows is not None:
        named |= {"windows.file": spec.windows.file, "windows.loci": spec.windows.loci}
    for kind in ("bigwig", "bed", "gene_lists"):
        named |= {f"annotation.{kind}.{name}": path for name, path in getattr(spec.annotation, kind).items()}
    named["annotation.repeats"] = spec.annotation.repeats
    hashes = {}
    for key, path in named.items():
        if path is not None:
            try:
                hashes[key] = fingerprint_file(path)
            except OSError as error:
                raise StudyError(f"{key} must be a file that can be read; got {path!r}: {error.strerror}.") from error
    return hashes


def _from_annotation(spec: LociSpec) -> pd.DataFrame:
    table = read_tss(spec.tss, spec.feature, list(spec.gene_type) or None, chroms=list(spec.chroms) or None)
    matched = match_chroms(table["chrom"].unique(), list(chrom_sizes(spec.fasta)))
    lacking = ~table["chrom"].isin(list(matched))
    if lacking.all():
        raise StudyError(
            f"loci.fasta must have the chromosomes of loci.tss; got none of them, {table['chrom'].iloc[0]!r} first."
        )
    if lacking.any():
        warn(f"{lacking.sum()} of {len(table)} TSSs lie on chromosomes that loci.fasta lacks, and are left out.")
    table = table[~lacking].reset_index(drop=True)
    wanted = _genes(spec.genes)
    if wanted:
        named = {name: table[name].isin(wanted) for name in ("gene_name", "gene_id")}
        missing = [
            gene for gene in wanted if not any((table.loc[rows, name] == gene).any() for name, rows in named.items())
        ]
        if missing:
            raise StudyError(
                f"loci.genes must be in loci.tss; got {shown(missing[0])}, and {len(missing)} that are not there."
            )
        table = table[named["gene_name"] | named["gene_id"]].reset_index(drop=True)
    if "example" not in table:
        place = table["chrom"] + ":" + table["tss"].astype(str) + table["strand"]
        called = table["gene_name"].where(table["gene_name"] != "", table["gene_id"])
        table["example"] = (called + ":").where(called != "", "") + place
    table["example"] = table["example"].astype(str)
    return table[["example", *(name for name in table.columns if name != "example")]]


def _from_windows(spec: StudySpec) -> pd.DataFrame:
    assert spec.windows is not None
    names = window_names(spec.windows)
    if spec.windows.loci is None or spec.windows.loci == spec.windows.file:
        return pd.DataFrame({"example": names})
    table = read_loci_table(spec.windows.loci)
    missing = sorted(set(table["example"]) - set(names))
    if missing:
        raise StudyError(f"windows.loci must name windows of windows.file; got {shown(missing[0])}.")
    return _with_whole_places(table)


def _with_whole_places(table: pd.DataFrame) -> pd.DataFrame:
    """Check places: a chromosome, a whole position and a strand, or none of the three.

    This is checked before anything is computed, since a study with a corrected table is another study.
    """
    if not set(PLACES) <= set(table.columns):
        return table
    text = table[PLACES].astype(str)
    # Pandas writes 5095 as 5095.0 if another row has no position.
    text["tss"] = text["tss"].str.replace(r"\.0+$", "", regex=True)
    known = text != ""
    none = (text["strand"] == ".") & known.all(axis=1)
    if none.any():
        row = int(none.to_numpy().argmax())
        warn(
            f"{none.sum()} of {len(table)} windows have a place without a strand ('.') and count as windows without a "
            f"place; the first is {shown(table['example'].iloc[row])}."
        )
        table = table.assign(**{name: text[name].where(~none, "") for name in PLACES})
        return _with_whole_places(table)
    bad = ~(known.all(axis=1) & text["tss"].str.fullmatch(r"\d{1,10}") & text["strand"].isin(["+", "-"]))
    bad &= known.any(axis=1) & ~((text["tss"] == "") & (text["chrom"] == ""))
    if bad.any():
        row = int(bad.to_numpy().argmax())
        got = ", ".join(f"{name} {shown(text[name].iloc[row])}" for name in PLACES)
        raise StudyError(
            f"places in windows.loci must have chrom, a whole tss, and strand + or -; got {got} at row {row}."
        )
    return table if pd.api.types.is_numeric_dtype(table["tss"]) else table.assign(tss=text["tss"])


def _genes(genes: str | Sequence[str]) -> list[str]:
    if not isinstance(genes, str):
        return list(genes)
    lines = (text.split("\t")[0].strip() for _, text in text_lines(genes))
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise StudyError(f"loci.genes must name a gene; got none in {genes!r}.")
    return named
