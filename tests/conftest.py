"""Settings of every test."""

import torch

# The models of the tests are so small that a second thread costs more than it brings.
torch.set_num_threads(1)
