"""Follow tensors through a prediction, to see which of them it reads, whatever their values are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from .dispatch import Dispatch

# What hands values to Python without an operation that PyTorch dispatches.
_TO_PYTHON = frozenset(
    {"numpy", "tolist", "__array__", "__dlpack__", "data_ptr"}
    | {"__float__", "__int__", "__index__", "__bool__", "__complex__", "__repr__", "__format__"}
)

# What makes a tensor of a list of tensors in one step, and at which argument the list may be.
_OF_LISTS = {"tensor": 0, "as_tensor": 0, "asarray": 0, "new_tensor": 1, "new": 1}

_VALUES_DECIDE = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}


class Reads(Dispatch):
    """Follow named tensors through all operations in a block.

    What is computed from a tensor, or written from it into another, comes from that tensor, also where its values make
    no difference: through a comparison that is false, or times 0. Shapes and dtypes are not followed.

    Attributes
    ----------
    decided: set
        The tensors whose values decided what ran: those of an ``if``, of ``item()``, of a boolean index.

    Examples
    --------
    >>> a, b, c = torch.rand(2), torch.rand(2), torch.rand(2)
    >>> with Reads() as reads:
    ...     reads.follow("a", a), reads.follow("b", b), reads.follow("c", c)
    ...     y = torch.where(a > 5, torch.zeros_like(b), c) if c.sum() > -1 else b
    (None, None, None)
    >>> sorted(reads.behind([y])), reads.decided
    (['a', 'c'], {'c'})
    """

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()
        self.decided: set[Hashable] = set()
        # By the memory of a tensor, which its views share. The weak references keep no values, but the addresses.
        self._behind: dict[StorageWeakRef | None, frozenset[Hashable]] = {}
        self._to_python = _ToPython(self)

    def __enter__(self) -> Reads:
        self._to_python.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        self._to_python.__exit__(*exception)

    def follow(self, name: Hashable, tensor: torch.Tensor) -> None:
        """Follow a tensor under a name, whatever it comes from."""
        self._behind[_memory(tensor)] = frozenset([name])

    def follow_all(self, name: Hashable, earlier: Reads) -> None:
        """Follow all that an earlier block followed under one name, as far as it is still in memory."""
        # Sparse tensors count as one: only if one of them came from what has this name already.
        of = [memory for memory, names in earlier._behind.items() if memory is not None or name in names]
        self._behind |= dict.fromkeys(of, frozenset([name]))

    def behind(self, values: Any) -> set[Hashable]:
        """Return the names of the tensors from which values come: tensors, in tuples, lists and mappings."""
        tensors = [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]
        return set().union(*(self._behind.get(_memory(tensor), frozenset()) for tensor in tensors))

    def note(self, tensors: Iterable[Any], names: frozenset[Hashable]) -> None:
        """Follow tensors that come from others, besides what they come from already."""
        for tensor in tensors:
            if isinstance(tensor, torch.Tensor):
                self._behind[_memory(tensor)] = self._behind.get(_memory(tensor), frozenset()) | names

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        outputs = func(*args, **kwargs)
        names = frozenset(self.behind([args, kwargs]))
        if not names or _takes_shape_alone(func):
            return outputs
        if _values_decide(func, args):
            self.decided |= names
        # Operators that hold others, such as scan, have no schema, and write into nothing.
        arguments = func._schema.arguments if hasattr(func, "_schema") else []
        by_name = dict(zip((argument.name for argument in arguments), args)) | kwargs
        written = [by_name.get(a.name) for a in arguments if a.alias_info is not None and a.alias_info.is_write]
        self.note(tree_leaves([outputs, *written]), names)
        return outputs


class _ToPython(TorchFunctionMode):
    """Notes tensors whose values leave PyTorch."""

    def __init__(self, reads: Reads) -> None:
        super().__init__()
        self._reads = reads

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        if name in _TO_PYTHON:
            self._reads.decided |= self._reads.behind([args, kwargs])
        elif name == "tensor_split":
            self._reads.decided |= self._reads.behind([args[1:], kwargs])
        outputs = func(*args, **kwargs)
        if name in _OF_LISTS:
            self._reads.note([outputs], frozenset(self._reads.behind([args[_OF_LISTS[name] :], kwargs])))
        return outputs


def _memory(tensor: torch.Tensor) -> StorageWeakRef | None:
    """Return the memory of a tensor; all sparse tensors count as one."""
    return StorageWeakRef(tensor.untyped_storage()) if tensor.layout == torch.strided else None


def _name(func: Any) -> str:
    return func._schema.name.removeprefix("aten::") if hasattr(func, "_schema") else ""


def _takes_shape_alone(func: Any) -> bool:
    return _name(func).endswith("_like") or _name(func).startswith("new_")


def _values_decide(func: Any, args: Any) -> bool:
    """Return whether the values of its inputs decide what runs after an operation, or how large its output is."""
    if _name(func) == "index":
        return any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1])
    return not _VALUES_DECIDE.isdisjoint(getattr(func, "tags", ()))
