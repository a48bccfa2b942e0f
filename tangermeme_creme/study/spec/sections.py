"""The sections of a study: what each key is, its default and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le
from pydantic import create_model

from ...support import Count, Number, Positive, Section, Table, Text, Whole, key
from ..tests import TESTS

Preset = Literal["enformer", "borzoi"]
if TYPE_CHECKING:
    TestName = str
else:
    TestName = Literal[tuple(TESTS)]


class ModelSpec(Section):
    """The model: an adapter, or your own function that returns a model."""

    adapter: Literal["function", "enformer", "borzoi"] = key(
        doc='"enformer" or "borzoi", or "function": your own, which returns a model.', example="enformer"
    )
    function: Text | None = key(
        None,
        doc='For adapter "function": "package.module:function", which is called with the arguments and returns a '
        "torch.nn.Module with y = model(X), shape (N, tracks). Running the study runs this function, whatever it is.",
        example="my_package.models:load",
    )
    module_folder: Text | None = key(
        None,
        doc='Where the module of "function" is, if it is not installed. Left out, beside this file. The working folder '
        "is not searched.",
        example="models",
        path="file",
    )
    arguments: Table[Any] = key(dict, doc="Further arguments of that function or of the adapter, by name.")
    weights: Text | tuple[Text, ...] | None = key(
        None,
        doc="A local folder or a name on the Hugging Face hub; for Borzoi, an array names its replicates. Left "
        "out, the published weights of Enformer.",
        example="weights/enformer",
        path="folder",
    )
    tracks: tuple[Text, ...] | Table[Whole | tuple[Whole, ...]] = key(
        doc="A table of names and their 0-based numbers in the head, where several numbers are summed; it is sorted by "
        "name. Or an array of names: tracks of the paper (PC-3, GM12878, K562), or the outputs of a function in order.",
        example={"K562": 5111},
    )
    length: Count | None = key(
        None,
        doc="Length of the windows in bp; a function needs it. Left out, 196608 for Enformer and 524288 for Borzoi.",
        example=196_608,
    )
    args: tuple[Text | tuple[Text, ...], ...] = key(
        (),
        doc="Further inputs of the model, from columns of numbers in the table of loci: a name is an input of shape "
        '(N, 1), an array of names one of shape (N, names). ["age", ["utr5", "utr3"]] is y = model(X, age, utr).',
    )
    allow_stochastic: bool = key(
        False,
        doc="Whether the model may predict a sequence differently each time, or differently in another batch. Such a "
        "model is refused otherwise.",
    )
    dtype: Literal["float32", "float16", "bfloat16"] | None = key(
        None,
        doc="Half precision runs the model under autocast. Left out, the precision of the model.",
        example="bfloat16",
    )
    activity: Text | None = key(
        None,
        doc='For loci.max_offset: "package.module:function", which returns a model that gives the offset of the peak '
        "as well, a PeakReadout.",
        example="my_package.models:load_peak",
    )


class LociSpec(Section):
    """Genes of a genome, by their predicted activity."""

    fasta: Text = key(doc="The genome.", example="hg38.fa", path="file")
    tss: Text = key(doc="GTF, BED or table of the TSSs.", example="gencode.gtf.gz", path="file")
    feature: Text = key("transcript", doc="In a GTF: the features whose starts are the TSSs.")
    gene_type: tuple[Text, ...] = key(("protein_coding",), doc="In a GTF: the types of genes; an empty array is all.")
    chroms: tuple[Text, ...] = key((), doc="Chromosomes; an empty array is all.")
    genes: Text | tuple[Text, ...] = key(
        (), doc="An array of names or identifiers, or a file with one per line; an empty array is all.", path="file"
    )
    top: Whole = key(
        10_000, doc="Genes with the highest predicted activity, per track; 0 takes all TSSs without predicting them."
    )
    min_activity: Number | None = key(None, doc="Leave out TSSs whose predicted activity is lower.", example=1.0)
    max_offset: Positive | None = key(
        None,
        doc="Leave out TSSs whose predicted peak is further away, in bp; needs model.activity.",
        example=1000.0,
    )


class WindowsSpec(Section):
    """Sequences instead of genes."""

    file: Text = key(
        doc="FASTA with one record per window, or .npy of shape (N, 4, L).", example="windows.fa", path="file"
    )
    loci: Text | None = key(
        None,
        doc="Table with one row per window: example and, for coordinates, chrom, tss, strand, gene_name, gene_id.",
        example="windows.tsv",
        path="file",
    )


class TilesSpec(Section):
    """The grid of tiles."""

    size: Count = key(5000, doc="Length of a tile in bp; one is centred on the TSS.")
    center: Whole | None = key(
        None,
        doc="The TSS in bp of the windows, where it is not in the middle. Left out, length // 2.",
        example=98_304,
    )


class EffectsSpec(Section):
    """On which scale effects are computed."""

    scale: Literal["ratio", "difference", "log_fold"] = key(
        "ratio",
        doc='"ratio": over the wild type or the control, as in the paper. "difference": WT - MUT or MUT - CONTROL, for '
        'predictions that may be negative, such as logarithms and z scores. "log_fold": log2 of WT / MUT, or of '
        'MUT / CONTROL. All but "ratio" need thresholds of your own, in [context], [cres] and, for "difference", '
        "[tests.interactions].",
    )


class ContextSpec(Section):
    """The context dependence test, and which loci go into the others."""

    n: Count = key(100, doc="Shuffles of the context.")
    preset: Preset = key("enformer", doc='Thresholds of the paper, for "enformer" or "borzoi".')
    enhancing: Number | None = key(
        None, doc="A context effect above it is enhancing. Left out, the preset's.", example=0.95
    )
    neutral: Number | None = key(
        None, doc="A context effect closer to 0 is neutral. Left out, the preset's.", example=0.05
    )
    silencing: Number | None = key(
        None, doc="A context effect below it is silencing. Left out, the preset's.", example=-0.3
    )
    per_category: Count = key(200, doc="The most loci per category that all further tests take, drawn at random.")


class CresSpec(Section):
    """Which tiles are called enhancers and silencers."""

    preset: Preset = key("enformer", doc='Thresholds of the paper, for "enformer" or "borzoi".')
    enhancer: Number | None = key(
        None, doc="A tile with an effect above it is an enhancer. Left out, the preset's.", example=0.3
    )
    silencer: Number | None = key(
        None, doc="A tile with an effect below it is a silencer. Left out, the preset's.", example=-0.3
    )
    enhancer_contexts: tuple[Text, ...] | None = key(
        None, doc="Contexts in which enhancers are called. Left out, the preset's.", example=("enhancing",)
    )
    silencer_contexts: tuple[Text, ...] | None = key(
        None, doc="Contexts in which silencers are called. Left out, the preset's.", example=("silencing", "neutral")
    )
    max_per_locus: Whole = key(0, doc="The most CREs per locus and track, the strongest first; 0 is all.")


class AnnotationSpec(Section):
    """Annotation of the places of CREs. Needs coordinates."""

    bigwig: Table[Text] = key(dict, doc='bigWig tracks by name, such as { DNase = "dnase.bw" }.', path="file")
    gaps: Number | None = key(
        None, doc="The signal of bases without a value in a bigWig. Left out, these bases do not count.", example=0.0
    )
    bed: Table[Text] = key(dict, doc='BED files by name, such as { cCRE = "ccres.bed" }.', path="file")
    gene_lists: Table[Text] = key(dict, doc="Files of gene names, one per line, by name.", path="file")
    repeats: Text | None = key(None, doc="RepeatMasker's table of the genome.", example="rmsk.txt.gz", path="file")
    neutral: Whole = key(0, doc="Neutral tiles per CRE, to compare with.")


class OutputSpec(Section):
    """What is stored beside the tables of effects."""

    raw: bool = key(False, doc="Whether to keep the prediction of every shuffle as well, which takes much disk space.")


class RunSpec(Section):
    """How the study is computed. Changes no result."""

    device: Text | None = key(None, doc="Left out, a GPU if there is one.", example="cuda:0")
    batch_size: Count = key(32, doc="The most sequences that run at a time.")
    incremental: bool | Literal["auto"] = key(
        "auto",
        doc='Whether edits run in part, their surroundings alone: true, false, or "auto", where the model allows it.',
    )
    cache_gib: Positive = key(1.0, doc="Memory for cached activations, in GiB.")
    threads: Count | None = key(None, doc="CPU threads. Left out, PyTorch's default.", example=8)
    loci_per_shard: Count = key(
        8,
        doc="Loci per context shard: the most that a kill can lose. Every other test is stored per locus.",
    )


class TestsSection(Section):
    """Which tests are done, and how: a table of settings per test."""

    __test__: ClassVar[bool] = False  # pytest would take it for a test, by its name

    include: tuple[TestName, ...] = key(tuple(TESTS), doc="The tests to do, after the context dependence test.")


if TYPE_CHECKING:

    class TestsSpec(TestsSection):
        """Each test's settings by its name."""

        def __getattr__(self, name: str) -> Any: ...

else:
    TestsSpec = create_model(
        "TestsSpec",
        __base__=TestsSection,
        __module__=__name__,
        __doc__=TestsSection.__doc__,
        **{name: (test.settings, key(test.settings, doc=test.doc)) for name, test in TESTS.items()},
    )


class StudySpec(Section):
    """A whole study. Do not change the dictionaries in it."""

    seed: Annotated[int, Ge(0), Le(2**32 - 1)] = key(0, doc="Seed of everything that is drawn at random.")
    out: Text = key(
        "creme_study", doc="Folder of the results. Relative paths start in the folder of this file.", path="file"
    )
    model: ModelSpec = key(doc="The model.")
    loci: LociSpec | None = key(None, doc="Genes of a genome. Give either these or windows.", shown=True)
    windows: WindowsSpec | None = key(None, doc="Sequences instead of loci. Give either.")
    tiles: TilesSpec = key(TilesSpec, doc="The grid of tiles.")
    effects: EffectsSpec = key(EffectsSpec, doc="On which scale effects are computed.")
    context: ContextSpec = key(ContextSpec, doc="The context dependence test, and which loci go into the others.")
    cres: CresSpec = key(CresSpec, doc="Which tiles are called enhancers and silencers.")
    tests: TestsSpec = key(TestsSpec, doc="Which tests are done, and how.")
    annotation: AnnotationSpec = key(
        AnnotationSpec, doc="Annotation of the places of CREs. Needs loci, or windows.loci."
    )
    output: OutputSpec = key(OutputSpec, doc="What is stored beside the tables of effects.")
    run: RunSpec = key(RunSpec, doc="How the study is computed. Changes no result.")
