"""Where the function of a study is looked for, when it is called, and what it may return."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from run_model_cases import window_spec
from study_cases import HERE, write_toml

from tangermeme_creme.cli import main
from tangermeme_creme.study import StudyError, run_study
from tangermeme_creme.study.run import load_model
from tangermeme_creme.study.spec import ModelSpec, spec_to_dict


def model_of(function: str, **keys: object) -> ModelSpec:
    return ModelSpec(adapter="function", function=function, tracks=("A", "B"), length=64, **keys)


def test_function_that_raises_is_told_with_its_error_and_called_once(tmp_path: Path) -> None:
    spec = window_spec(tmp_path, "failing", model={"arguments": {"what": "no weights here"}})
    match = r"return a torch\.nn\.Module; got 'run_model_cases:failing': FileNotFoundError: no weights here, in r"
    with pytest.raises(StudyError, match=match):
        run_study(spec, folder=HERE, verbose=False)
    assert (tmp_path / "study" / "log.txt").read_text().count("FileNotFoundError: no weights here\n") == 1


def test_function_that_is_a_program_is_refused_for_what_it_returns(tmp_path: Path) -> None:
    spec = model_of("subprocess:check_output", arguments={"args": ["echo", "ran"]})
    with pytest.raises(StudyError, match=r"return a torch\.nn\.Module; got bytes from 'subprocess:check_output'"):
        load_model(spec, None)


def test_module_that_fails_at_import_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "broken_module.py").write_text("x = 1\ny = 1 / 0\n")
    match = r"imported; got 'broken_module:load': ZeroDivisionError: division by zero, in broken_mod.+line 2"
    with pytest.raises(StudyError, match=match):
        load_model(model_of("broken_module:load"), str(tmp_path))


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a module, which Python searches as in `python -c` and in notebooks."""
    (tmp_path / "lying_here.py").write_text("from torch.nn import Identity\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    yield tmp_path
    sys.modules.pop("lying_here", None)


@pytest.mark.parametrize("folder", [None, "elsewhere"])
def test_working_folder_is_not_searched(working_folder: Path, folder: str | None) -> None:
    with pytest.raises(
        StudyError, match=r"got 'lying_here:Identity': No module named 'lying_here'\. Its module may be"
    ):
        load_model(model_of("lying_here:Identity"), folder)
    assert sys.path.count("") == 1


@pytest.mark.parametrize("told", ["folder", "module_folder", "PYTHONPATH"])
def test_working_folder_is_searched_if_that_is_asked_for(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    keys = {"module_folder": str(working_folder)} if told == "module_folder" else {}
    if told == "PYTHONPATH":
        monkeypatch.setenv("PYTHONPATH", str(working_folder))
        monkeypatch.setattr(sys, "path", [str(working_folder), *sys.path])
    model = load_model(model_of("lying_here:Identity", **keys), "." if told == "folder" else None)
    assert isinstance(model, torch.nn.Identity)


def test_working_folder_that_is_searched_for_a_module_that_runs_is_not(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(working_folder), *sys.path])  # as `python -m` has it
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "tangermeme_creme.cli"])
    with pytest.raises(StudyError, match="No module named 'lying_here'"):
        load_model(model_of("lying_here:Identity"), None)
    assert sys.path[:2] == [str(working_folder), ""]


@pytest.mark.parametrize("function", ["of_length", "wrapped_of_length"])
def test_windows_of_another_length_than_the_model_takes_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], function: str
) -> None:
    spec = window_spec(tmp_path, function, model={"arguments": {"length": 128}, "module_folder": str(HERE)})
    path = write_toml(spec_to_dict(spec), tmp_path / "study.toml")
    for options in (["--quiet"], ["--timed"]):
        assert main(["run", str(path), *options]) == 2
        shown = capsys.readouterr().err
        assert "model.length must be 128, the attribute `length` of the model (OfLength); got 64." in shown
        assert "Traceback" not in shown


def test_a_timed_dry_run_of_a_model_that_fails_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = window_spec(tmp_path, "not_for_these_windows", model={"module_folder": str(HERE)})
    assert main(["run", str(write_toml(spec_to_dict(spec), tmp_path / "study.toml")), "--timed"]) == 2
    assert "the model must predict a window; it failed on 0: RuntimeError: " in capsys.readouterr().err
