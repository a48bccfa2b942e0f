"""Damage small files of every kind that the package reads, and see that each is read or refused with a message.

    python examples/benchmarks/fuzz_readers.py [--n 4000] [--seed 0] [--kind gtf]

Bytes are flipped; lines are cut, doubled and emptied; fields are dropped, swapped and replaced by junk; files are
truncated and compressed. A reader may raise ValueError, TypeError or OSError with a message, or StudyError if it is one
of a study, and warn with a `TangermemeWarning`; anything else is a fault, which is shown with the number of the file.
"""

from __future__ import annotations

import argparse
import gzip
import io
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from figwig import write_bigwig
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis.annotate import bed_overlap, bigwig_signal, gene_list_overlap, repeat_content
from tangermeme_creme.analysis.crispri import compare_with_crispri, read_crispri
from tangermeme_creme.analysis.fine_mapping import motif_hits
from tangermeme_creme.sequence.genome import chrom_sizes, extract_windows, read_tss
from tangermeme_creme.study import StudyError
from tangermeme_creme.study.run import read_loci
from tangermeme_creme.study.spec import spec_from_dict
from tangermeme_creme.study.tables import Windows

ALLOWED = (ValueError, TypeError, OSError, StudyError)
LONGEST = 2000  # characters of a message
_WINDOW = "ACGTTGCAACGT"
_LOCI = pd.DataFrame({"chrom": ["chr1", "chr2"], "tss": [8, 20], "strand": ["+", "-"]})
_CRES = pd.DataFrame({"chrom": "chr1", "start": [2, 10], "end": [12, 20], "gene_name": ["A", "B"]})
_TILES = pd.DataFrame({"chrom": "chr1", "start": [0, 10], "end": [10, 20], "gene_name": "A", "tss": 40, "effect": 0.5})
_MODEL = {"adapter": "function", "function": "a:b", "length": len(_WINDOW), "tracks": ["A"]}
_JUNK = (
    *("", " ", ".", "-1", "0", "1e9", "nan", "inf", "NA", "1" * 23, "-", '"', '""', "\\", ";", "#", "A" * 70_000, "+"),
    *("é", "\x00", "\r", "\ufeff", "1.5", "0x10", "TRUE", "=1+1", "None", "٣", "\x1b[31m", "chr1", ">x", "\t", ","),
)


class Kind(NamedTuple):
    """Hold a small file that is read, and its reader; `beside` writes what lies beside the file before the damage."""

    name: str
    content: bytes
    read: Callable[[Path], object]
    beside: Callable[[Path], object] | None = None


class Outcome(NamedTuple):
    """Hold what a reader did with a damaged file: "read", "refused" or "fault", and its error."""

    kind: str
    damage: str
    result: str
    error: str


def kinds() -> list[Kind]:
    """Make one small file per format, all of which are read."""
    attributes = 'gene_id "{g}"; transcript_id "{g}.1"; gene_name "{g}"; gene_type "protein_coding"; note "a \\"b\\"";'
    gtf = "##gff\n" + "".join(
        f"chr{c}\tX\t{f}\t{s}\t{s + 9}\t.\t{d}\t.\t" + attributes.format(g=g) + "\n"
        for c, f, s, d, g in [(1, "transcript", 5, "+", "A"), (1, "exon", 5, "+", "A"), (2, "transcript", 9, "-", "B")]
    )
    bed = "track name=x\nchr1\t2\t12\tA\t0\t+\nchr1\t5\t5\tB\t0\t-\nchr2\t1\t9\tC\t7\t.\n"
    table = "chrom\ttss\tstrand\tgene_name\nchr1\t8\t+\tA\nchr2\t20\t-\tB\n"
    crispri = (
        "chrom\tchromStart\tchromEnd\tEffectSize\tmeasuredGeneSymbol\tRegulated\tCellType\tValidConnection\n"
        "chr1\t2\t12\t-0.5\tA\tTRUE\tK562\tTRUE\nchr1\t12\t12\t0.5\tA\tFALSE\tK562\tTRUE\nchr1\t3\t9\tNA\tB\tNA\tX\tTRUE\n"
    )
    out = (
        "   SW   perc perc perc  query  position\nscore   div. del. ins.  sequence\n\n"
        "  463   1.3  0.6  1.7  chr1      3   9 (248) + (TAACCC)n      Simple_repeat      1   471    (0)     1\n"
        " 3612  11.4 21.5  1.3  chr1      8   17 (244) C TAR1           Satellite/telo  (399) 1712    483     2 *\n"
    )
    rmsk = (
        "585\t463\t13\t6\t17\tchr1\t3\t9\t-248\t+\t(TAACCC)n\tSimple_repeat\tSimple_repeat\t1\t471\t0\t1\n"
        "585\t3612\t114\t270\t13\tchr1\t8\t17\t-244\t-\tTAR1\tSatellite\ttelo\t-399\t1712\t483\t2\n"
    )
    rows = "letter-probability matrix: alength= 4{} nsites= 20\n0.25 0.25 0.25 0.25\n1 0 0 0\n\n"
    meme = "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF a GATA\n" + rows.format(" w= 2") + "MOTIF b\n" + rows.format("")
    genome = ">chr1 one\n" + "ACGTNacgtR\n" * 4 + "ACG\n>chr2\n" + "GGCCATTAGC\n" * 4
    windows = "".join(f">{name} w\n{_WINDOW[:7]}\n{_WINDOW[7:]}\n" for name in "ab")
    places = "example\tchrom\ttss\tstrand\na\tchr1\t8\t+\nb\tchr2\t20\t-\n"
    array = io.BytesIO()
    np.save(array, np.array([[[letter == base for letter in _WINDOW] for base in "ACGT"]] * 2, dtype=np.int8))
    return [
        Kind("a.gtf", gtf.encode(), lambda path: read_tss(path, gene_type=None)),
        Kind("exons.gtf", gtf.encode(), lambda path: read_tss(path, "exon", chroms="1")),
        Kind("tss.bed", bed.encode(), read_tss),
        Kind("elements.bed", bed.encode(), lambda path: bed_overlap(_CRES, {"a": path})),
        Kind("tss.tsv", table.encode(), read_tss),
        Kind("tss.csv", table.replace("\t", ",").encode(), lambda path: read_tss(path, chroms=["chr1"])),
        Kind("crispri.tsv", crispri.encode(), _crispri),
        Kind("repeats.out", out.encode(), lambda path: repeat_content(_CRES, path)),
        Kind("rmsk.txt", rmsk.encode(), lambda path: repeat_content(_CRES, path)),
        Kind("genes.txt", b"#list\nA\tx\nC\n", lambda path: gene_list_overlap(_CRES, {"a": path})),
        Kind("motifs.meme", meme.encode(), lambda path: motif_hits(torch.eye(4)[None], path)),
        Kind("genome.fa", genome.encode(), _windows_of_genome),
        Kind("indexed.fa", genome.encode(), _windows_of_genome, chrom_sizes),
        Kind("windows.fa", windows.encode(), _windows),
        Kind("windows.npy", array.getvalue(), _windows),
        Kind("places.tsv", places.encode(), _places),
        Kind("wanted.txt", b"A\nB\n", _genes),
        Kind("signal.bw", _bigwig(), lambda path: bigwig_signal(_CRES, {"a": path})),
    ]


def damaged(content: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Damage a file in one way, or in two, and name the first way."""
    name = str(rng.choice(list(_DAMAGES)))
    content = _DAMAGES[name](content, rng)
    if rng.random() < 0.3:
        content = _DAMAGES[str(rng.choice(list(_DAMAGES)))](content, rng)
    return name, content


def fuzz(n: int, seed: int, kinds: list[Kind], folder: Path) -> list[Outcome]:
    """Read n damaged files, in turns of each kind. File i of a seed is the same for any n."""
    return [attempt(kinds[i % len(kinds)], np.random.default_rng([seed, i]), folder / str(i)) for i in range(n)]


def attempt(kind: Kind, rng: np.random.Generator, folder: Path) -> Outcome:
    """Damage one file, read it, and say what its reader did."""
    folder.mkdir()
    path = folder / kind.name
    damage, content = damaged(kind.content, rng)
    if kind.beside is not None:
        path.write_bytes(kind.content)
        kind.beside(path)
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", TangermemeWarning)
        try:
            kind.read(path)
        except ALLOWED as error:
            text = str(error)
            good = bool(text.strip()) and len(text) < LONGEST + 3 * len(str(folder))
            return Outcome(kind.name, damage, "refused" if good else "fault", text if good else repr(text[:500]))
        except BaseException:
            return Outcome(kind.name, damage, "fault", traceback.format_exc(limit=-6))
    return Outcome(kind.name, damage, "read", "")


def _flip(content: bytes, rng: np.random.Generator) -> bytes:
    array = np.frombuffer(content, dtype=np.uint8).copy()
    places = rng.integers(0, max(1, len(array)), rng.integers(1, 4)) if len(array) else []
    for place in places:
        array[place] = rng.integers(0, 256)
    return array.tobytes()


def _truncate(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: rng.integers(0, len(content) + 1)]


def _lines(change: Callable[[list[bytes], int], list[bytes]]) -> Callable[[bytes, np.random.Generator], bytes]:
    def damage(content: bytes, rng: np.random.Generator) -> bytes:
        lines = content.split(b"\n")
        return b"\n".join(change(lines, int(rng.integers(0, len(lines)))))

    return damage


def _fields(
    change: Callable[[list[bytes], np.random.Generator], None],
) -> Callable[[bytes, np.random.Generator], bytes]:
    def damage(content: bytes, rng: np.random.Generator) -> bytes:
        lines = content.split(b"\n")
        i = int(rng.integers(0, len(lines)))
        separator = next((mark for mark in (b"\t", b",", b" ") if mark in lines[i]), b" ")
        fields = lines[i].split(separator)
        change(fields, rng)
        lines[i] = separator.join(fields)
        return b"\n".join(lines)

    return damage


def _swap(fields: list[bytes], rng: np.random.Generator) -> None:
    i, k = rng.integers(0, len(fields), 2)
    fields[i], fields[k] = fields[k], fields[i]


def _put_junk(fields: list[bytes], rng: np.random.Generator) -> None:
    fields[int(rng.integers(0, len(fields)))] = str(rng.choice(_JUNK)).encode()


_DAMAGES: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "bytes flipped": _flip,
    "truncated": _truncate,
    "emptied": lambda content, rng: b"",
    "gzipped": lambda content, rng: gzip.compress(content),
    "gzipped and truncated": lambda content, rng: _truncate(gzip.compress(content), rng),
    "gzipped and flipped": lambda content, rng: _flip(gzip.compress(content), rng),
    "line cut": _lines(lambda lines, i: lines[:i] + lines[i + 1 :]),
    "line doubled": _lines(lambda lines, i: [*lines[: i + 1], *lines[i:]]),
    "line emptied": _lines(lambda lines, i: [*lines[:i], b"", *lines[i + 1 :]]),
    "line shortened": _lines(lambda lines, i: [*lines[:i], lines[i][: len(lines[i]) // 2], *lines[i + 1 :]]),
    "field dropped": _fields(lambda fields, rng: fields.pop(int(rng.integers(0, len(fields))))),  # type: ignore[arg-type]
    "fields swapped": _fields(_swap),
    "junk": _fields(_put_junk),
    "text in UTF-16": lambda content, rng: content.decode("latin-1").encode("utf-16"),
    "line ends of Windows": lambda content, rng: content.replace(b"\n", b"\r\n"),
    "line ends of old Macs": lambda content, rng: content.replace(b"\n", b"\r"),
}


def _crispri(path: Path) -> None:
    read_crispri(path)
    compare_with_crispri(_TILES, path, effect="effect", cell_type="K562", n_resamples=2)


def _windows_of_genome(path: Path) -> None:
    chrom_sizes(path)
    extract_windows(path, _LOCI, 9)


def _windows(path: Path) -> None:
    spec = spec_from_dict({"model": _MODEL, "windows": {"file": str(path)}})
    loci, windows = read_loci(spec), Windows(spec)
    try:
        windows.read(loci)
    finally:
        windows.close()


def _places(path: Path) -> None:
    (path.parent / "w.fa").write_text(f">a\n{_WINDOW}\n>b\n{_WINDOW}\n")
    files = {"file": str(path.parent / "w.fa"), "loci": str(path)}
    read_loci(spec_from_dict({"model": _MODEL, "windows": files}))


def _genes(path: Path) -> None:
    (path.parent / "g.fa").write_text(">chr1\n" + "ACGT" * 9 + "\n")
    (path.parent / "t.tsv").write_text("chrom\ttss\tstrand\tgene_name\nchr1\t8\t+\tA\nchr1\t20\t-\tB\n")
    files = {"fasta": str(path.parent / "g.fa"), "tss": str(path.parent / "t.tsv"), "genes": str(path)}
    read_loci(spec_from_dict({"model": _MODEL, "loci": files}))


def _bigwig() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_bigwig(f"{folder}/a.bw", {"chr1": 100}, ["chr1"], [0], [[0.5, 1.0, 2.0, 4.0]])
        return Path(folder, "a.bw").read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", help="a part of the names of files, such as .gtf")
    options = parser.parse_args()
    chosen = [kind for kind in kinds() if options.kind is None or options.kind in kind.name]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = fuzz(options.n, options.seed, chosen, Path(folder))
    table = pd.DataFrame(outcomes)
    shown = table.groupby(["kind", "result"]).size().unstack(fill_value=0)
    print(shown.to_string())
    total = Counter(table["result"])
    print(
        f"{len(table)} damaged files of {len(chosen)} kinds in {time.perf_counter() - start:.0f} s: {total['read']} "
        f"read, {total['refused']} refused with a message, {total['fault']} faults."
    )
    for i, outcome in enumerate(outcomes):
        if outcome.result == "fault":
            print(f"\nfile {i}, {outcome.kind}, {outcome.damage}:\n{outcome.error}")


if __name__ == "__main__":
    main()
