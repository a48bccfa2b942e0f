"""CodesSession: predict base codes and edits to them, with a model that is on its device already."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import torch
from tangermeme.predict import predict

from ..sequence import Edits, apply_edits, check_edits, to_one_hot
from .agreement import agreement_tolerance
from .cache import ActivationCache
from .device import resolve_dtype, rows_at_once
from .function_check import difference_alone, warn_of_stochastic_model
from .incremental import IncrementalModel, PartialPath, SplitError, fall_back_to_full, may_run_in_part
from .options import takes, wants_in_part
from .outputs import Objective, Output, OutputRows, check_output
from .work import Work

# In the keys that the sessions of one test share: its model was predicted twice.
_CHECKED = "a sequence was predicted again on its own"


class ProgressBar(Protocol):
    """A bar that a session updates: tqdm, or any object with its `update`."""

    def update(self, n: int) -> object: ...


class CodesSession:
    """Predict base codes, and edits to them: an `EditSession` without its checks, on a model that stays in place.

    For tests that open several sessions in one call: such a test checks its sequences and options, and enters
    `model_on`, once.

    Parameters
    ----------
    model: torch.nn.Module
        In evaluation mode, on the device.

    codes: torch.Tensor, shape=(N, L), dtype=uint8
        A C G T are 0 to 3, an unknown base is 4. Committed edits are written into them.

    device: torch.device or None
        Where the model lies.

    args, func, func_kwargs, random_state, batch_size, dtype, incremental, cache, progress, names: optional
        As in `EditSession`.

    allow_stochastic: bool, optional
        As in `EditSession`. Default is False.

    one_hot_dtype: torch.dtype, optional
        The dtype of the sequences that your own `func` gets. Default is torch.int8.

    model_keys: dict or None, optional
        Shared by the sessions of one test, so that its model is told from others once. Default is None.

    Attributes
    ----------
    work: Work
        How many predictions were made in full and in part, and how many bases ran.

    Examples
    --------
    >>> codes = torch.zeros(1, 2, dtype=torch.uint8)
    >>> with CodesSession(torch.nn.Flatten().eval(), codes, device=torch.device("cpu")) as session:
    ...     session.predict()
    tensor([[1., 1., 0., 0., 0., 0., 0., 0.]])
    """

    def __init__(
        self,
        model: torch.nn.Module,
        codes: torch.Tensor,
        *,
        device: torch.device | None,
        args: Sequence[torch.Tensor] | None = None,
        func: Callable[..., Any] = predict,
        func_kwargs: dict[str, Any] | None = None,
        random_state: int | None = None,
        batch_size: int = 32,
        dtype: str | torch.dtype | None = None,
        incremental: bool | str = "auto",
        cache: ActivationCache | None = None,
        one_hot_dtype: torch.dtype = torch.int8,
        progress: ProgressBar | None = None,
        names: Sequence[str] | None = None,
        model_keys: dict[Hashable, Hashable] | None = None,
        allow_stochastic: bool = False,
    ) -> None:
        self._model_keys = {} if model_keys is None else model_keys
        self._model, self._codes, self._device, self._args = model, codes, device, args
        self._func, self._func_kwargs = func, dict(func_kwargs or {})
        self._random_state, self._one_hot_dtype = random_state, one_hot_dtype
        # torch splits by a Python int that fits 64 bits
        self._batch_size, self._dtype = min(int(batch_size), 2**31), dtype
        self._progress, self._names, self._allow_stochastic = progress, names, allow_stochastic
        self._in_part = wants_in_part(model, incremental, func, self._func_kwargs)
        self._required, self._cache = incremental is True, cache
        self._open = False
        self._path: PartialPath | None = None
        self.work = Work()
        self._works = [self.work] if cache is None else [self.work, cache.work]

    def __enter__(self) -> CodesSession:
        assert self._device is not None
        self._open = True
        self._at_once = self._batch_size
        if self._func is predict:
            self._at_once = rows_at_once(self._batch_size, self.length, self._device)
        if self._in_part:
            assert isinstance(self._model, IncrementalModel)
            self._path = PartialPath(
                self._model, self._codes, device=self._device, dtype=self._dtype, batch_size=self._at_once,
                cache=self._cache, works=self._works, n_args=len(self._args or ()),
                model_keys=self._model_keys,
                verbose=self._progress is not None and not getattr(self._progress, "disable", False),
            )  # fmt: skip
        return self

    def __exit__(self, *exception: object) -> None:
        self._open, self._path = False, None

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def length(self) -> int:
        """Length of the sequences in bp."""
        return self._codes.shape[1]

    def predict(self, *, objective: Objective | None = None) -> Output:
        """Predict the base sequences, with all committed edits.

        Parameters
        ----------
        objective: callable or None, optional
            Applied to the predictions of each batch, so that only its (B,) is stored. Default is None.

        Returns
        -------
        y: torch.Tensor, shape=(N, ...), or a list of them
        """
        return self._run(torch.arange(len(self)), None, objective)

    def predict_edits(self, edits: Edits, *, objective: Objective | None = None) -> Output:
        """Predict each edit separately; the base sequences do not change.

        Parameters
        ----------
        edits: Edits
            E edits.

        objective: callable or None, optional
            As in `predict`. Default is None.

        Returns
        -------
        y: torch.Tensor, shape=(E, ...), or a list of them

        Raises
        ------
        ValueError
            If an edit leaves its sequence, or names a base sequence or a content that does not exist.
        """
        check_edits(edits, len(self), self.length)
        return self._run(edits.base, edits, objective)

    def commit(self, edits: Edits) -> None:
        """Write edits into the base sequences, in order.

        Costs no forward pass. Cached activations are brought up to date, for which the edited windows run.

        Raises
        ------
        ValueError
            As `predict_edits`.
        """
        check_edits(edits, len(self), self.length)
        if self._path is None:
            apply_edits(self._codes, edits)
        else:
            self._path.commit(edits)

    def cut(self, start: int, end: int) -> torch.Tensor:
        """Copy the base codes of span [start, end) of every base sequence, shape (N, end - start)."""
        return self._codes[:, start:end].clone()

    def _run(self, base: torch.Tensor, edits: Edits | None, objective: Objective | None) -> Output:
        if not self._open:
            raise RuntimeError("an EditSession predicts inside its `with` block only.")
        if len(base) == 0:
            raise ValueError("there must be at least one sequence to predict; got none.")

        def row_name(row: int) -> str:
            index = int(base[row])
            name = f"sequence {index}" if self._names is None else self._names[index]
            if edits is None:
                return name
            start = int(edits.start[row])
            return f"{name} edited at [{start}, {start + len(edits.content[int(edits.content_index[row])])})"

        predictions = OutputRows(len(base), row_name, objective)
        path = self._path
        if path is not None and not may_run_in_part(path, edits, self._args, self._required):
            path = None
        # Edits of one base sequence run together, so that its activations are needed for a short time only.
        order = torch.arange(len(base)) if path is None else base.argsort(stable=True)
        for rows in order.split(self._at_once):
            batch = None if edits is None else _take(edits, rows)
            args = None if self._args is None else [arg[base[rows].to(arg.device)] for arg in self._args]
            y = None
            try:
                if path is not None:
                    y = self._after(path.predict(base[rows], batch, args), base[rows], batch, args, in_part=True)
            except SplitError as error:
                assert path is not None
                fall_back_to_full(path, error, self._required)
                path = None
            if path is None:
                y = self._call(base[rows], batch, args)
            predictions.add(y, len(rows), rows)
            if self._progress is not None:
                self._progress.update(len(rows))
        return predictions.result

    def _call(self, base: torch.Tensor, edits: Edits | None, args: list[torch.Tensor] | None) -> Any:
        """Run whole sequences through `func`."""
        codes = self._edited(base, edits)
        for work in self._works:
            work.n_full += len(codes)
            work.arithmetic += len(codes)
            work.ran(len(codes), self.length, self.length)
        if self._func is predict:
            # Codes are decoded on the device: they move one byte per base, a sixteenth of one-hot floats.
            X = to_one_hot(codes.to(self._device))
            options = {"batch_size": len(codes), **self._predict_options()}
            return predict(self._model, X, args=args, func=lambda y: self._after(y, base, edits, args), **options)
        kwargs: dict[str, Any] = {"batch_size": self._batch_size, "dtype": self._dtype, "device": self._device}
        if self._random_state is not None:
            kwargs["random_state"] = self._random_state
        kwargs = {key: value for key, value in kwargs.items() if value is not None and takes(self._func, key)}
        X = to_one_hot(codes, self._one_hot_dtype)
        return self._func(self._model, X, args=args, **{**kwargs, **self._func_kwargs})

    def _edited(self, base: torch.Tensor, edits: Edits | None) -> torch.Tensor:
        """Copy base codes, shape (B, L), with one edit written into each."""
        codes = self._codes[base]
        if edits is not None:
            apply_edits(codes, edits, rows=torch.arange(len(codes)))
        return codes

    def _predict_options(self) -> dict[str, Any]:
        options = {"dtype": self._dtype, "device": self._device, **self._func_kwargs}
        options.pop("func", None)
        return options

    def _after(
        self, y: Any, base: torch.Tensor, edits: Edits | None, args: list[torch.Tensor] | None, in_part: bool = False
    ) -> Any:
        """Check the predictions of a batch, then apply the function that the caller gave to tangermeme's `predict`."""
        check_output(y, len(base))
        # Once on its own and once in company, where a test has batches of several sequences.
        checked = (_CHECKED, len(base) > 1)
        if self._func is predict and not self._allow_stochastic and checked not in self._model_keys:
            self._check_again(y, base, edits, args, in_part)
            self._model_keys |= {checked: True, (_CHECKED, False): True}
        after = self._func_kwargs.get("func") if self._func is predict else None
        return y if after is None else after(y)

    def _check_again(
        self, y: Any, base: torch.Tensor, edits: Edits | None, args: list[torch.Tensor] | None, in_part: bool
    ) -> None:
        """Predict the first sequence of a batch once more, on its own and in full."""

        def predict_alone() -> Any:
            X = to_one_hot(
                self._edited(base[:1], None if edits is None else _take(edits, torch.tensor([0]))).to(device)
            )
            first = None if args is None else [arg[:1] for arg in args]
            return predict(self._model, X, args=first, batch_size=1, **self._predict_options())

        device = self._device
        assert device is not None
        for work in self._works:
            work.n_checks += 1
        difference = difference_alone(y, predict_alone)
        if difference <= agreement_tolerance(resolve_dtype(self._model, self._dtype), device):
            return
        if in_part:
            raise SplitError(
                f"head(local(X)) must be the model's own prediction; got a difference of {difference:.2g}."
            )
        warn_of_stochastic_model(self._model, difference)


def _take(edits: Edits, rows: torch.Tensor) -> Edits:
    return Edits(edits.base[rows], edits.start[rows], edits.content_index[rows], edits.content)
