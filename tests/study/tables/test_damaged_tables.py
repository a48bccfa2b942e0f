"""Tables that are damaged are never read as they are: they are merged again from the shards, or refused."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.study import Study, StudyError
from tangermeme_creme.study.store import Manifest, Store, write_table
from tangermeme_creme.study.tables import export_study, write_report


@pytest.fixture
def copy(quick_study: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(quick_study, tmp_path / "study"))


def table(folder: Path, name: str) -> Path:
    return folder / "tables" / f"{name}.parquet"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def rename_a_column(path: Path) -> None:
    """Change one bit per name, outside of the pages: `start` becomes `stapt`."""
    path.write_bytes(path.read_bytes().replace(b"start", b"stapt"))


def swap(path: Path) -> None:
    other = path.with_name("sufficiency.parquet")
    content = path.read_bytes(), other.read_bytes()
    other.write_bytes(content[0])
    path.write_bytes(content[1])


@pytest.mark.parametrize("damage", [cut, rename_a_column, swap, Path.unlink])
def test_damaged_table_is_read_from_the_shards_with_one_warning(
    quick_study: Path, copy: Path, damage: Callable[[Path], None]
) -> None:
    damage(table(copy, "necessity"))
    what = "is missing" if damage is Path.unlink else "does not fit its checksum"
    study, whole = Study.open(copy), Study.open(quick_study)
    assert study.tables == whole.tables
    with pytest.warns(TangermemeWarning, match=rf"necessity\.parquet {what}: it was read from the shards") as caught:
        read = study.table("necessity")
    again, dataset = study.table("necessity"), study.dataset("necessity")  # a warning would be an error here
    assert len(caught) == 1
    for one in (read, again, dataset.to_table().to_pandas()):
        assert one.equals(whole.table("necessity"))
    if damage is swap:
        with pytest.warns(TangermemeWarning, match=r"sufficiency\.parquet does not fit"):
            assert study.table("sufficiency").equals(whole.table("sufficiency"))


@pytest.mark.parametrize("name", ["activity", "cres", "distance"])
def test_every_table_of_a_stage_can_be_merged_again(quick_study: Path, copy: Path, name: str) -> None:
    table(copy, name).unlink()
    with pytest.warns(TangermemeWarning, match=f"{name}.parquet is missing"):
        assert Study.open(copy).table(name).equals(Study.open(quick_study).table(name))


@pytest.mark.parametrize("write", [write_report, lambda study: export_study(study, formats=["csv"])])
def test_report_and_export_of_damaged_tables_are_those_of_whole_ones(
    quick_study: Path, copy: Path, tmp_path: Path, write: Callable[[Study], object]
) -> None:
    whole = Path(shutil.copytree(quick_study, tmp_path / "whole"))
    write(Study.open(whole))
    swap(table(copy, "necessity"))
    with pytest.warns(TangermemeWarning, match="from the shards") as caught:
        write(Study.open(copy))
    assert len(caught) == 2
    for path in [*(whole / "report").glob("*"), *(whole / "export").glob("*")]:
        assert (copy / path.relative_to(whole)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["contexts", "loci", "selection"])
def test_damaged_table_that_is_in_no_shard_is_refused(copy: Path, name: str) -> None:
    cut(table(copy, name))
    with pytest.raises(StudyError, match=rf"{name}\.parquet does not fit .*: run the study again"):
        Study.open(copy).table(name)


def test_damaged_table_beside_a_damaged_shard_is_refused(copy: Path) -> None:
    cut(table(copy, "necessity"))
    cut(next((copy / "shards" / "necessity").iterdir()))
    with pytest.raises(StudyError, match=r"necessity\.parquet does not fit .* its shards do not give it"):
        Study.open(copy).table("necessity")


def test_table_that_the_manifest_does_not_name_is_left_out_with_a_warning(quick_study: Path, copy: Path) -> None:
    shutil.copy(table(copy, "necessity"), table(copy, "mine"))
    with pytest.warns(TangermemeWarning, match=r"1 files in .*tables are left out, mine\.parquet first"):
        study = Study.open(copy)
    assert study.tables == Study.open(quick_study).tables and not len(study.table("mine"))


def test_study_that_is_open_reads_what_a_run_wrote_since(copy: Path) -> None:
    study = Study.open(copy)
    contexts, manifest = study.table("contexts"), Manifest.load(copy)
    assert manifest is not None
    write_table(Store(copy, manifest), "contexts", contexts.iloc[:2])
    write_table(Store(copy, manifest), "cres", contexts.iloc[:0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(study.table("contexts")) == 2 and "cres" not in study.tables


def test_whole_tables_are_read_without_a_word(quick_study: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = Study.open(quick_study)
        assert all(len(study.table(name)) == study.dataset(name).count_rows() > 0 for name in study.tables)
