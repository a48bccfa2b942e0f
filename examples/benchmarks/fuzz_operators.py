"""Call the operators with random arguments, and see that each call is answered rightly or refused with a message.

    python examples/benchmarks/fuzz_operators.py [--n 4000] [--seed 0] [--operator necessity]

Two calls in five are valid, in any form that the arguments may have; these must run, and equal a naive loop of one
sequence at a time. The others have arguments of wrong types and values, broken models, or arguments that are missing
or unknown; these may raise ValueError, TypeError or OSError with a message that speaks of what the caller gave, and
errors of the caller's own model or functions pass through. Anything else is a fault, which is shown with the number of
the call: other errors, other numbers, what runs and must not, changed arguments, foreign warnings, and hangs. The
cases lie with the tests.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from fuzz_check_cases import fuzz
from fuzz_operator_cases import OPERATORS

LIMIT = 60.0  # seconds per call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--operator", default="", help="a part of the names of operators, such as necessity")
    options = parser.parse_args()
    torch.set_num_threads(1)  # the models are so small that a second thread costs more than it brings
    chosen = [name for name in OPERATORS if options.operator in name]
    start = time.perf_counter()
    outcomes = fuzz(options.n, options.seed, chosen, LIMIT)
    table = pd.DataFrame(outcomes)
    print(table.groupby(["operator", "result"]).size().unstack(fill_value=0).to_string())
    total = Counter(table["result"])
    print(
        f"{len(table)} random calls of {len(chosen)} operators in {time.perf_counter() - start:.0f} s: "
        f"{total['equal']} equal to the naive loop, {total['ran']} others ran, {total['refused']} refused with a "
        f"message, {total['own error']} errors of models and functions passed through, {total['fault']} faults."
    )
    for i, outcome in enumerate(outcomes):
        if outcome.result == "fault":
            print(f"\ncall {i}, {outcome.operator}, {outcome.what}:\n{outcome.error}")


if __name__ == "__main__":
    main()
