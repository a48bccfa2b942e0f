"""Look at the operations of a prediction while they run."""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode


class Dispatch(TorchDispatchMode):
    """Hand each operation to `__torch_dispatch__`.

    PyTorch would import its compiler before the first operation, to keep the compiler out of the mode. That takes
    seconds per process, and compiled models do not run in part.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False
