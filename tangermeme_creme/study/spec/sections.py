"""The sections of a study: what each key is, its default and its limits."""

# `key` is dataclasses.field, with documentation.
# ruff: noqa: RUF009

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .fields import SpecError, key
from .sections_of_tests import TestsSpec

Preset = Literal["enformer", "borzoi"]
LENGTHS = {"enformer": 196_608, "borzoi": 524_288}


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """What predicts: an adapter, or a function of one's own that returns a model."""

    adapter: Literal["function", "enformer", "borzoi"] = key(
        doc='"enformer" or "borzoi", or "function": your own, which returns a model.', example="enformer"
    )
    function: str | None = key(
        None,
        doc='For adapter "function": "package.module:function", which is called with the arguments and returns y = '
        "model(X), shape (N, tracks).",
        example="my_package.models:load",
    )
    module_folder: str | None = key(
        None,
        doc='Where the module of "function" is, if it is not installed. Left out, beside this file.',
        example="models",
        path="file",
    )
    arguments: dict[str, Any] = key(dict, doc="Further arguments by name, of that function or of the adapter.")
    weights: str | tuple[str, ...] | None = key(
        None,
        doc="A local folder or a name on the Hugging Face hub; for Borzoi, an array is its replicates. Left out for "
        "Enformer, the published weights.",
        example="weights/enformer",
        path="folder",
    )
    tracks: tuple[str, ...] | dict[str, int | tuple[int, ...]] = key(
        doc="Names and their 0-based numbers in the head, several of which are summed; or an array of names: of the "
        "paper's (PC-3, GM12878, K562), or of a function's outputs, in their order. A table goes by name.",
        minimum=0,
        example={"K562": 5111},
    )
    length: int | None = key(
        None,
        doc="Of the windows, in bp; function needs it. Left out, 196608 for Enformer and 524288 for Borzoi.",
        minimum=1,
        example=196_608,
    )
    dtype: Literal["float32", "float16", "bfloat16"] | None = key(
        None, doc="Half precision runs the model under autocast. Left out, the model's own.", example="bfloat16"
    )
    activity: str | None = key(
        None,
        doc='For loci.max_offset: "package.module:function", which returns a model that gives the offset of the peak '
        "too, a PeakReadout.",
        example="my_package.models:load_peak",
    )


@dataclass(frozen=True, kw_only=True)
class LociSpec:
    """Genes of a genome, by their predicted activity."""

    fasta: str = key(doc="The genome.", example="hg38.fa", path="file")
    tss: str = key(doc="GTF, BED or table of the TSSs.", example="gencode.gtf.gz", path="file")
    feature: str = key("transcript", doc="Of a GTF: whose starts are the TSSs.")
    gene_type: tuple[str, ...] = key(("protein_coding",), doc="Of a GTF: types of genes; an empty array is all.")
    chroms: tuple[str, ...] = key((), doc="Chromosomes; an empty array is all.")
    genes: str | tuple[str, ...] = key(
        (), doc="An array of names or identifiers, or a file with one a line; an empty array is all.", path="file"
    )
    top: int = key(
        10_000, doc="Genes of each track with the highest predicted activity; 0 is all TSSs, unpredicted.", minimum=0
    )
    min_activity: float | None = key(None, doc="Leave out TSSs whose predicted activity is lower.", example=1.0)
    max_offset: float | None = key(
        None,
        doc="Leave out TSSs whose predicted peak is further away, in bp; needs model.activity.",
        minimum=0,
        example=1000.0,
    )


@dataclass(frozen=True, kw_only=True)
class WindowsSpec:
    """Sequences instead of genes."""

    file: str = key(
        doc="FASTA with one record a window, or .npy of shape (N, 4, L).", example="windows.fa", path="file"
    )
    loci: str | None = key(
        None,
        doc="Table with a row a window: example and, for coordinates, chrom, tss, strand, gene_name, gene_id.",
        example="windows.tsv",
        path="file",
    )


@dataclass(frozen=True, kw_only=True)
class TilesSpec:
    """The grid of tiles."""

    size: int = key(5000, doc="Length of a tile in bp; one is centred on the TSS.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class ContextSpec:
    """The context dependence test, and which loci go into the others."""

    n: int = key(100, doc="Shuffles of the context.", minimum=1)
    preset: Preset = key("enformer", doc='Thresholds of the paper, for "enformer" or "borzoi".')
    enhancing: float | None = key(None, doc="Above it a context is enhancing, instead of the preset's.", example=0.95)
    neutral: float | None = key(None, doc="Within it of 0, neutral, instead of the preset's.", example=0.05)
    silencing: float | None = key(None, doc="Below it, silencing, instead of the preset's.", example=-0.3)
    per_category: int = key(200, doc="The most loci of a category that go on, drawn at random.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class CresSpec:
    """Which tiles are called enhancers and silencers."""

    preset: Preset = key("enformer", doc='Thresholds of the paper, for "enformer" or "borzoi".')
    enhancer: float | None = key(
        None, doc="An effect above it makes an enhancer, instead of the preset's.", example=0.3
    )
    silencer: float | None = key(None, doc="One below it, a silencer, instead of the preset's.", example=-0.3)
    enhancer_contexts: tuple[str, ...] | None = key(
        None, doc="Contexts in which enhancers are called, instead of the preset's.", example=("enhancing",)
    )
    silencer_contexts: tuple[str, ...] | None = key(
        None, doc="Contexts in which silencers are called, instead of the preset's.", example=("silencing", "neutral")
    )
    max_per_locus: int = key(0, doc="The most CREs of a locus and track, the strongest first; 0 is all.", minimum=0)


@dataclass(frozen=True, kw_only=True)
class AnnotationSpec:
    """What is known about the places of CREs. Needs coordinates."""

    bigwig: dict[str, str] = key(dict, doc='bigWig tracks by name, such as { DNase = "dnase.bw" }.', path="file")
    gaps: float | None = key(
        None, doc="What a base counts for which a bigWig has no value. Left out, such bases do not count.", example=0.0
    )
    bed: dict[str, str] = key(dict, doc='BED files by name, such as { cCRE = "ccres.bed" }.', path="file")
    gene_lists: dict[str, str] = key(dict, doc="Files of gene names, one a line, by name.", path="file")
    repeats: str | None = key(None, doc="RepeatMasker's table of the genome.", example="rmsk.txt.gz", path="file")
    neutral: int = key(0, doc="Neutral tiles a CRE, to compare with.", minimum=0)


@dataclass(frozen=True, kw_only=True)
class OutputSpec:
    """What is kept beside the tables of effects."""

    raw: bool = key(False, doc="Whether to keep the prediction of every shuffle too, which takes much room.")


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """How it is computed. Changes no finding."""

    device: str | None = key(None, doc="Left out, a GPU where there is one.", example="cuda:0")
    batch_size: int = key(32, doc="The most sequences that run at a time.", minimum=1)
    incremental: bool | Literal["auto"] = key(
        "auto", doc='Whether only the surroundings of an edit are evaluated: true, false, or "auto", where it can be.'
    )
    cache_gib: float = key(1.0, doc="Memory for what the model computed before, in GiB.", minimum=0)
    threads: int | None = key(None, doc="Of the CPU. Left out, as PyTorch has it.", minimum=1, example=8)
    loci_per_shard: int = key(
        8,
        doc="Contexts that are stored at a time: no more are lost when a run is killed. Of all else each test of each "
        "locus is stored.",
        minimum=1,
    )


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """A whole study. Dictionaries in it are not to be changed."""

    seed: int = key(0, doc="Of all that is drawn.", minimum=0, maximum=2**32 - 1)
    out: str = key("creme_study", doc="Folder of the results. Relative paths start where this file is.", path="file")
    model: ModelSpec = key(doc="What predicts.")
    loci: LociSpec | None = key(None, doc="Genes of a genome. Give either these or windows.", shown=True)
    windows: WindowsSpec | None = key(None, doc="Sequences instead of loci. Give either.")
    tiles: TilesSpec = key(TilesSpec, doc="The grid of tiles.")
    context: ContextSpec = key(ContextSpec, doc="The context dependence test, and which loci go into the others.")
    cres: CresSpec = key(CresSpec, doc="Which tiles are called enhancers and silencers.")
    tests: TestsSpec = key(TestsSpec, doc="Which tests are done, and how.")
    annotation: AnnotationSpec = key(
        AnnotationSpec, doc="What is known about the places of CREs. Needs loci, or windows.loci."
    )
    output: OutputSpec = key(OutputSpec, doc="What is kept beside the tables of effects.")
    run: RunSpec = key(RunSpec, doc="How it is computed. Changes no finding.")


def track_names(spec: StudySpec) -> tuple[str, ...]:
    """The names of the tracks, in the order of the model's outputs.

    Parameters
    ----------
    spec: StudySpec

    Returns
    -------
    names: tuple of str

    Examples
    --------
    >>> model = ModelSpec(adapter="enformer", tracks={"K562": 5111, "CAGE": (4824, 5110)})
    >>> track_names(StudySpec(model=model))
    ('K562', 'CAGE')
    """
    return tuple(spec.model.tracks)


def window_length(spec: StudySpec) -> int:
    """The length of the windows in bp: what is given, or what the published model takes.

    Parameters
    ----------
    spec: StudySpec

    Returns
    -------
    length: int

    Raises
    ------
    SpecError
        If the adapter is "function" and no length is given.

    Examples
    --------
    >>> window_length(StudySpec(model=ModelSpec(adapter="borzoi", tracks=("K562",))))
    524288
    """
    length = LENGTHS.get(spec.model.adapter) if spec.model.length is None else spec.model.length
    if length is None:
        raise SpecError('model.length must be given for adapter "function": a whole number, 1 or more.')
    return length
