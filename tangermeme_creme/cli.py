"""The command line: `tangermeme-creme`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from ._signals import INTERRUPTED, stop_signals
from .support import printable

FAILED, REFUSED = 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run `tangermeme-creme` and return its exit code.

    Parameters
    ----------
    argv: sequence of str or None, optional
        The arguments after the name of the program. None takes those of the process. Default is None.

    Returns
    -------
    code: int
        0; 1 if loci of a study failed and all else is complete, or if the demo missed a strong planted element; 2 if
        an input was refused, with the reason on stderr; 130 after Ctrl-C or a termination signal, with every finished
        shard stored.
    """
    arguments = build_parser().parse_args(argv)
    for module in arguments.imports:  # before signals are handled with care: an import holds nothing to lose
        import_module(module, __package__)
    from .study import SpecError, StudyError  # not before: --help need not wait for pandas and torch

    with stop_signals() as came:
        try:
            return int(arguments.run(arguments))
        except KeyboardInterrupt as stopped:
            _tell(str(stopped) or "stopped.")
            return INTERRUPTED
        except Exception as error:
            if came:  # what a signal interrupted may end with any error
                _tell("stopped.")
                return INTERRUPTED
            if isinstance(error, SpecError | StudyError):
                _tell("\n".join([str(error), *getattr(error, "__notes__", ())]))
            elif isinstance(error, OSError):
                _tell(f"{error.strerror or error}: {error.filename or ''}")
            else:
                raise
            return REFUSED


def _print(text: object) -> None:
    print(printable(str(text)))


def _tell(text: str) -> None:
    """Write to stderr, under the name of the program."""
    print(f"tangermeme-creme: {printable(text)}", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    parser = _Parser(prog="tangermeme-creme", description="CREME in silico perturbation tests for PyTorch models.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    init = commands.add_parser("init", help="write a TOML file for a study, with every setting explained")
    init.add_argument("study", type=Path, nargs="?", default=Path("study.toml"), help="default: study.toml")
    init.add_argument(
        "--schema",
        action="store_true",
        help="write a JSON schema beside it, with which editors check and complete keys",
    )
    init.set_defaults(run=_init, imports=(".study.spec.template",))

    run = commands.add_parser(
        "run",
        help="run a study, or go on with it",
        description="Run a study: TSS activity, selection, context dependence, and all tests of each selected gene. "
        "The same command goes on after a run was stopped or killed; finished tests are not computed again.",
    )
    run.add_argument("study", type=Path, help="the TOML file")
    run.add_argument("--dry-run", action="store_true", help="estimate the cost, and write nothing")
    run.add_argument(
        "--timed", action="store_true", help="a dry run that calls the function of the study, and times its model"
    )
    run.add_argument("--new-folder", action="store_true", help="begin in a new folder if `out` has a study already")
    run.add_argument(
        "--dask", metavar="WHERE", help="run on a Dask cluster: local:N, or tcp://host:port of a scheduler"
    )
    run.add_argument("--quiet", action="store_true", help="show no progress")
    run.set_defaults(run=_run, imports=(".study.run.runner", ".study.run.plan"))

    page = (".study.tables.summaries", ".view.figures.of_study", ".view.report.page")
    for name, function, what, imports in (
        ("status", _status, "show how far a study is", (".study.tables.study",)),
        ("report", _report, "summarize a study: tables as CSV, and a page for a browser", page),
        (
            "export", _export, "write the tables of a study as CSV and as tracks for genome browsers",
            (".study.tables.study", ".study.tables.exports"),
        ),
    ):  # fmt: skip
        command = commands.add_parser(name, help=what)
        command.add_argument("folder", type=Path, help="the folder of the study (`out`), or its TOML file")
        if name != "status":
            command.add_argument(
                "--out", type=Path, help=f"the folder to write to (default: {name} in the folder of the study)"
            )
        if name == "report":
            command.add_argument(
                "--figures", choices=("png", "svg", "pdf"), help="also write every figure as a file, to `figures`"
            )
        if name == "export":
            command.add_argument(
                "--formats", nargs="+", default=["csv", "bed", "bedgraph", "interact"], metavar="FORMAT",
                help="csv, bed, bedgraph, bigwig, interact (default: all but bigwig)",
            )  # fmt: skip
        command.set_defaults(run=function, imports=imports)

    demo = commands.add_parser(
        "demo",
        help="run a study of a simulated genome whose answers are known",
        description="Simulate a small genome, study it with a network with hand-set weights, and print how many of the "
        "planted elements each test recovers. Exits with 1 if a strong element is missed. Needs no data, weights or "
        "GPU.",
    )
    demo.add_argument(
        "--out", type=Path, default=Path("creme_demo"), help="folder for the results (default: creme_demo)"
    )
    demo.add_argument("--seed", type=int, default=0, help="seed of the genome and the shuffles (default: 0)")
    demo.add_argument("--quiet", action="store_true", help="show no progress bars")
    demo.set_defaults(run=_demo, imports=(".demo",))
    return parser


def _init(arguments: argparse.Namespace) -> int:
    from .study import StudyError
    from .study.spec import study_schema, study_template
    from .support import replace_file

    path: Path = arguments.study
    schema = path.with_suffix(".schema.json")
    for file in (path, schema) if arguments.schema else (path,):
        if file.exists():
            raise StudyError(f"init writes a new file; got {file}, which exists already.")
    text = study_template()
    if arguments.schema:
        text = f"#:schema ./{schema.name}\n{text}"
        replace_file(schema, lambda temporary: temporary.write_text(study_schema(), encoding="utf-8"))
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    _print(f"wrote {path}: fill it in, then try  tangermeme-creme run {path} --dry-run")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from .study import dask_executor, plan_study, read_spec, run_study

    spec, folder = read_spec(arguments.study), arguments.study.parent
    if arguments.dry_run or arguments.timed:
        _print(plan_study(spec, folder=folder, timed=arguments.timed or None))
        return 0
    with ExitStack() as stack:
        options: dict[str, Any] = {}
        if arguments.dask:
            executor, width, threads = stack.enter_context(dask_executor(arguments.dask, threads=spec.run.threads))
            options = {"executor": executor, "width": width, "threads": threads}
        study = run_study(spec, folder=folder, new_folder=arguments.new_folder, verbose=not arguments.quiet, **options)
    failures = study.table("failures")
    if len(failures):
        lines = [f"{len(failures)} failures:"]
        for row in failures.head(20).itertuples():
            where = ", ".join(part for part in (row.example, row.stage, row.what) if part)
            lines.append(f"  {where}: {row.error}: {row.message}")
        _tell("\n".join([*lines, "run the same command again to try them again."]))
    return FAILED if len(failures) else 0


def _status(arguments: argparse.Namespace) -> int:
    study = _opened(arguments.folder)
    _print(study.status().to_string(index=False, na_rep=""))
    failures = study.table("failures")
    if len(failures):
        _print(f"\n{failures.to_string(index=False, max_colwidth=80)}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from .study.spec import window_center, window_length
    from .study.tables import summary_text, write_report
    from .view import study_figures, write_figures, write_page

    study = _opened(arguments.folder)
    folder = write_report(study, arguments.out)
    tables = {name: study.table(name) for name in study.tables}
    written, figures = [f"\nas tables in {folder}"], study_figures(study)
    if arguments.figures:
        files = write_figures(figures, folder / "figures", format=arguments.figures)
        written.append(f"{len(files)} figures in {folder / 'figures'}")
    try:
        written.append(f"for a browser: {write_page(study, folder / 'report.html', figures=figures)}")
    except ImportError as error:  # the extra `report` is missing: the tables were written
        _tell(str(error))
    _print(
        "\n".join([summary_text(tables, length=window_length(study.spec), center=window_center(study.spec)), *written])
    )
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from .study import export_study

    for path in export_study(_opened(arguments.folder), arguments.out, arguments.formats):
        _print(path)
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from .demo import run_demo

    return run_demo(arguments.out, seed=arguments.seed, verbose=not arguments.quiet)


def _opened(path: Path) -> Any:
    from .study import Study, read_spec

    return Study.open(read_spec(path).out if path.suffix == ".toml" else path)
