"""Settings of every test."""

import signal

import torch
from hypothesis import settings

# The models of the tests are so small that a second thread costs more than it brings.
torch.set_num_threads(1)

# Time decides no test: on a busy machine any example may take seconds.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

# Shells let jobs in the background ignore Ctrl-C, which processes of the tests would inherit.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
