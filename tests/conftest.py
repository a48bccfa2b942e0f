"""Settings of every test."""

import torch
from hypothesis import settings

# The models of the tests are so small that a second thread costs more than it brings.
torch.set_num_threads(1)

# Time decides no test: on a busy machine any example may take seconds.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
