"""The command line: `tangermeme-creme`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from . import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run `tangermeme-creme` and return its exit code.

    Parameters
    ----------
    argv: sequence of str or None, optional
        The arguments after the program's name. None takes those of the process. Default is None.

    Returns
    -------
    code: int
        0, or 1 if the demo missed a planted strong element.
    """
    parser = argparse.ArgumentParser(
        prog="tangermeme-creme", description="CREME in silico perturbation tests for PyTorch models."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo",
        help="run all tests on a simulated genome whose answers are known",
        description="Simulate a small genome, run all ten tests on a network with hand-set weights, write tables and "
        "figures, and print how many of the planted elements each test recovered. Exits with 1 if a strong one was "
        "missed. Needs no data, no weights and no GPU.",
    )
    demo.add_argument(
        "--out", type=Path, default=Path("creme_demo"), help="folder for the results (default: creme_demo)"
    )
    demo.add_argument("--seed", type=int, default=0, help="seed of the genome and of the shuffles (default: 0)")
    demo.add_argument("--quiet", action="store_true", help="show no progress bars")
    arguments = parser.parse_args(argv)

    from .demo import run_demo  # torch takes seconds to import, --help should not

    return run_demo(arguments.out, seed=arguments.seed, verbose=not arguments.quiet)
