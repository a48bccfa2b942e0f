"""The bytes of the tables do not depend on how a study is run."""

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from study_cases import HERE, logged_shards, small_spec, table_bytes

import tangermeme_creme.study.run.runner as runner
from tangermeme_creme.study import Study, StudySpec, run_study
from tangermeme_creme.study.run import Progress, dask_executor

ALONE = ("necessity", "sufficiency", "distance", "fine_tile")


# Three loci, and the greedy tests and the pairs of one track: enough for shards, threads and workers to mix up.
FEWER: dict[str, Any] = {"higher_order": {"n": 2, "rounds": 3, "tracks": ["A"]}, "interactions": {"n": 6, "tiles": 3,
                         "tracks": ["A"]}}  # fmt: skip


def spec_of(base: Path, *, tests: dict[str, Any] | None = None, **sections: Any) -> StudySpec:
    """A spec of every test, beside the genome of `base`."""
    return small_spec(base, n_loci=3, tests={**FEWER, **(tests or {})}, **sections)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the genome."""
    return tmp_path_factory.mktemp("bytes")


@pytest.fixture(scope="module")
def reference(base: Path) -> Path:
    """The folder of the study, run in this process at once."""
    return run_study(spec_of(base, out=str(base / "reference")), folder=HERE, verbose=False).folder


@pytest.fixture(scope="module")
def dask() -> Iterator[dict[str, Any]]:
    """Two processes, which import PyTorch once."""
    with dask_executor("local:2", threads=1) as (executor, width, threads):
        yield {"executor": executor, "width": width, "threads": threads}


@pytest.mark.parametrize(
    "settings", [{"batch_size": 5}, {"loci_per_shard": 1}, {"loci_per_shard": 2}, {"incremental": False}], ids=str
)
def test_tables_do_not_depend_on_run_settings(
    base: Path, reference: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    study = run_study(spec_of(base, out=str(tmp_path), run=settings), folder=HERE, verbose=False)
    assert table_bytes(study.folder) == table_bytes(reference)


def test_tables_do_not_depend_on_the_order_of_files(base: Path, reference: Path, tmp_path: Path) -> None:
    genome = base / "genome"
    records = (genome / "genome.fa").read_text().split(">")[1:]
    lines = (genome / "genes.gtf").read_text().splitlines()
    (tmp_path / "genome.fa").write_text("".join(f">{record}" for record in reversed(records)))
    (tmp_path / "genes.gtf").write_text("\n".join([*lines[:2], *reversed(lines[2:])]) + "\n")
    loci = {"fasta": str(tmp_path / "genome.fa"), "tss": str(tmp_path / "genes.gtf")}
    study = run_study(spec_of(base, out=str(tmp_path / "study"), loci=loci), folder=HERE, verbose=False)
    assert table_bytes(study.folder) == table_bytes(reference)


@pytest.mark.parametrize("seconds", [60.0, 0.0])
def test_tables_do_not_depend_on_threads(
    base: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(runner, "_REMOTE_SECONDS", seconds)  # at 0 a task gives back what it has after each test
    spec = spec_of(base, out=str(tmp_path), run={"loci_per_shard": 1})
    with ThreadPoolExecutor(2) as executor:
        study = run_study(spec, folder=HERE, executor=executor, verbose=False)
    assert table_bytes(study.folder) == table_bytes(reference)


def test_tables_do_not_depend_on_dask(base: Path, reference: Path, tmp_path: Path, dask: dict[str, Any]) -> None:
    spec = spec_of(base, out=str(tmp_path), run={"loci_per_shard": 1})
    study = run_study(spec, folder=HERE, verbose=False, **dask)
    assert table_bytes(study.folder) == table_bytes(reference)


def test_tables_do_not_depend_on_a_worker_that_is_killed(
    base: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dask: dict[str, Any]
) -> None:
    model = {"function": "study_cases:slow_toy", "arguments": {"seconds": 0.002}}
    spec = spec_of(base, out=str(tmp_path), model=model, run={"loci_per_shard": 1})
    client, stored, killed = dask["executor"]._client, Progress.stored, []
    pids = client.run(os.getpid)

    def kill_once(self: Progress, shard: Any, part: Any, units: float) -> None:
        stored(self, shard, part, units)
        busy = [address for address, keys in client.processing().items() if keys]
        if shard.stage == "necessity" and busy and not killed:
            killed.append(busy[0])
            os.kill(pids[busy[0]], signal.SIGKILL)

    monkeypatch.setattr(Progress, "stored", kill_once)
    study = run_study(spec, folder=HERE, verbose=False, **dask)
    assert len(killed) == 1
    assert table_bytes(study.folder) == table_bytes(reference)
    assert len(set(logged_shards(study.folder))) == len(logged_shards(study.folder))


def test_rows_of_a_gene_do_not_depend_on_the_others(base: Path, reference: Path, tmp_path: Path) -> None:
    tests = {"include": list(ALONE)}
    spec = spec_of(base, out=str(tmp_path), loci={"genes": ["SIM2", "SIM3"]}, tests=tests)
    some, whole = run_study(spec, folder=HERE, verbose=False), Study.open(reference)
    for name in ALONE:
        table = whole.table(name)
        table = table[table["example"].isin(some.table("loci")["example"])].reset_index(drop=True)
        assert table["example"].nunique() == 2
        assert some.table(name).equals(table)


def test_resume_with_other_threads_is_told_of(base: Path, reference: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(reference, tmp_path / "study")
    began = Study.open(folder).header["model"]["threads"]
    run_study(spec_of(base, out=str(folder), run={"threads": began + 1}), folder=HERE, verbose=False)
    told = f"not what the study began with: threads {began} -> {began + 1}; the last bits of predictions may differ."
    assert (folder / "log.txt").read_text().count(told) == 1


def test_resume_with_other_shards_computes_nothing_again(base: Path, reference: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(reference, tmp_path / "study")
    before = (folder / "manifest.jsonl").read_bytes().splitlines()
    run_study(spec_of(base, out=str(folder), run={"loci_per_shard": 1}), folder=HERE, verbose=False)
    assert (folder / "manifest.jsonl").read_bytes().splitlines()[1:] == before[1:]
    assert table_bytes(folder) == table_bytes(reference)


@contextmanager
def _stopped_after(shards: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C after some shards."""
    stored, count = Progress.stored, iter(range(1, 1000))

    def stop(self: Progress, *arguments: Any) -> None:
        stored(self, *arguments)
        if next(count) == shards:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "stored", stop)
        yield


def test_tables_do_not_depend_on_where_a_run_was_stopped(
    base: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each test finds the activations of the unedited sequences as if it had come after the others.
    spec = spec_of(base, out=str(tmp_path), loci={"genes": ["SIM2"]}, tests={"include": list(ALONE)})
    stops = 0
    while stops < 6:
        try:
            with _stopped_after(1, monkeypatch):
                study = run_study(spec, folder=HERE, verbose=False)
            break
        except KeyboardInterrupt:
            stops += 1
    study = run_study(spec, folder=HERE, verbose=False)
    assert stops == 6  # activity, context and four tests
    assert len((tmp_path / "manifest.jsonl").read_text().splitlines()) == 7
    whole = Study.open(reference)
    for name in ALONE:
        table = whole.table(name)
        table = table[table["example"] == "SIM2:sim2:5095-"].reset_index(drop=True)
        assert len(table) and study.table(name).equals(table)
