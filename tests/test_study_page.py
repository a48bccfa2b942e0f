"""Code and commands of README and docs/study.md run on a small study."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import tomllib
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from study_cases import HERE, small_spec, write_toml

from tangermeme_creme.cli import build_parser
from tangermeme_creme.study import run_study
from tangermeme_creme.study.spec import spec_from_dict, spec_to_dict

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/study.md")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


def test_pages_read_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run_study(small_spec(tmp_path, out="k562"), folder=HERE, verbose=False)
    shutil.copytree("k562", "creme_study")
    names: dict[str, Any] = {}
    exec(blocks("docs/study.md", "python")[0], names)
    assert len(names["strong"]) and (names["strong"]["necessity"] > 0.3).all()
    assert {"necessity", "over_wt"} <= set(names["effects"].columns)
    exec(blocks("docs/study.md", "python")[1], names)
    assert Path("distance.pdf").read_bytes().startswith(b"%PDF") and names["ax"].lines
    names["plt"].close(names["fig"])
    (block,) = (text for text in blocks("README.md", "python") if "Study" in text)
    exec(block, names)
    assert set(names["cres"]["cre"]) == {"enhancer", "silencer"} or len(names["cres"])
    assert "higher_order" in capsys.readouterr().out


def test_page_goes_to_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Cluster:
        def __init__(self, **settings: Any) -> None:
            self.settings = settings

        def scale(self, jobs: int) -> None:
            assert jobs > 0

    class Client:
        def __init__(self, cluster: Cluster) -> None:
            self.pool = ThreadPoolExecutor(2)

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *exception: object) -> None:
            self.pool.shutdown()

        def get_executor(self, **settings: Any) -> Executor:
            return self.pool

    for name, member in (("dask_jobqueue", "SLURMCluster"), ("distributed", "Client")):
        module = ModuleType(name)
        setattr(module, member, Cluster if member == "SLURMCluster" else Client)
        monkeypatch.setitem(sys.modules, name, module)
    content = spec_to_dict(small_spec(tmp_path))
    content["model"]["module_folder"] = str(HERE)
    write_toml(content, tmp_path / "study.toml")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(blocks("docs/study.md", "python")[2], names)
    assert (names["study"].status()["done"] == 4).all()


@pytest.mark.parametrize("text", blocks("docs/study.md", "toml"))
def test_page_shows_files_that_parse(text: str) -> None:
    assert spec_from_dict(tomllib.loads(text)).model.tracks


@pytest.mark.parametrize(
    "line",
    [
        line
        for page in PAGES
        for text in blocks(page, "bash")
        for line in text.splitlines()
        if line.startswith("tangermeme-creme")
    ],
)
def test_pages_show_commands_that_exist(line: str) -> None:
    assert build_parser().parse_args(shlex.split(line, comments=True)[1:]).run
