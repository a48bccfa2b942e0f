"""Settings of every test."""

from __future__ import annotations

import os
import signal

# The models of the tests are so small that a second thread costs more than it brings, here and in processes of tests.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

torch.set_num_threads(1)

# Time decides no test: on a busy machine any example may take seconds.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

# Shells let jobs in the background ignore Ctrl-C, which processes of the tests would inherit.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int | None:
    """Let one process run tests per core that this process may use; a container has fewer than its machine."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ or not hasattr(os, "sched_getaffinity"):
        return None
    return len(os.sched_getaffinity(0))
