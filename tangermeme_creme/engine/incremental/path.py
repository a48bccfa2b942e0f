"""The incremental path of a session: cached activations, windows, and the check that both give right predictions."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from tqdm import tqdm

from ...sequence import Edits, Span, apply_edits
from ..cache import ActivationCache, Entry
from ..device import resolve_dtype
from ..work import Work
from .arithmetic import PathWork
from .identity import ModelIdentity, RunAs
from .local_runs import LocalRuns, PartFails
from .model import IncrementalModel, overrides_forward
from .parts import Parts
from .path_check import check_edit, edit_to_check
from .reach import reach_of
from .splicing import edited_spans, splice
from .windows import Reach, group_by_blocks, merge_spans

# Base sequences run through `local` in groups of about as many bp as a batch of windows of 5 kb tiles has.
_WINDOW_BP = 8192


class PartialPath:
    """Predict base sequences, and edits to them by running `local` only on the windows that they change.

    Parameters
    ----------
    model: IncrementalModel
        In evaluation mode, on the device.

    codes: torch.Tensor, shape=(N, L), dtype=uint8
        The base sequences of the session, which changes them through `commit` only.

    device: torch.device

    dtype: str, torch.dtype or None
        As in tangermeme's `predict`.

    batch_size: int

    cache: ActivationCache or None
        None makes a new cache.

    works: list of Work
        All of them count the work of this path.

    n_args: int, optional
        How many further inputs the model gets. Default is 0.

    model_keys: dict or None, optional
        Shared by paths between which the model does not change, so that it is told from others once. Default is None.

    verbose: bool, optional
        Whether to show a bar where the measurements take longer than a second. Default is False.

    Attributes
    ----------
    reach: Reach or None
        Of the model; None until the reach is measured and the path checked. Edits need it.
    """

    def __init__(
        self,
        model: IncrementalModel,
        codes: torch.Tensor,
        *,
        device: torch.device,
        dtype: str | torch.dtype | None,
        batch_size: int,
        cache: ActivationCache | None,
        works: list[Work],
        n_args: int = 0,
        model_keys: dict[Hashable, Hashable] | None = None,
        verbose: bool = False,
    ) -> None:
        self._model, self._codes, self._device, self._batch_size = model, codes, device, batch_size
        self._dtype = resolve_dtype(model, dtype)
        self.reach: Reach | None = None
        self._n_args = n_args
        self._cache = ActivationCache() if cache is None else cache
        self._verbose = verbose
        self._keys: list[Hashable | None] = [None] * len(codes)
        run_as = RunAs(self.length, device, self._dtype, n_args)
        self._identity = ModelIdentity(model, run_as, works, cache, {} if model_keys is None else model_keys)
        self._parts = Parts(model, self._identity, device, self._dtype)
        self.work = PathWork(model, self.length, (str(self._dtype), self._identity.structure, n_args), works)

    @property
    def model(self) -> IncrementalModel:
        return self._model

    @property
    def length(self) -> int:
        """Length of the sequences in bp."""
        return self._codes.shape[1]

    @property
    def conditions(self) -> Hashable:
        """The conditions that decide, with the model, whether it may be evaluated in part."""
        run_as = self.length, str(self._dtype), self._device.type, self._n_args
        parts = self._identity.structure, weakref.ref(self._model.head), self._identity.attributes
        return run_as, parts, overrides_forward(self._model)

    def predict(self, rows: torch.Tensor, edits: Edits | None, args: Sequence[torch.Tensor] | None) -> Any:
        """Predict base sequences, shape (B,), or one edit to each; `args` have one row per prediction.

        Raises
        ------
        SplitError
            If `local` does not return tensors with one row per sequence, or a split network fails in part but not in
            full.
        """
        try:
            return self._predict_bases(rows, args) if edits is None else self._predict_edits(edits, args)
        except PartFails:
            self._parts.run_whole(self._edited(rows, edits), args)  # raises the model's own error, if it has any
            raise

    def _predict_bases(self, rows: torch.Tensor, args: Sequence[torch.Tensor] | None) -> Any:
        """Predict base sequences; those with cached activations do not run through `local`."""
        n_cached = sum(self._row_key(row) in self._cache for row in rows.tolist())
        entries = self.entries(rows.tolist())
        self.work.count(n_full=len(rows) - n_cached, n_partial=n_cached)
        return self._finish(self._parts.stack(entries), args)

    def _predict_edits(self, edits: Edits, args: Sequence[torch.Tensor] | None) -> Any:
        """Predict edits in their windows; edits whose window covers the sequence run in full."""
        reach, spans = self._measured(), edited_spans(edits)
        blocks = [reach.blocks(*span) for span in spans]
        codes = self._edited(edits.base, edits)
        in_part = [e for e, n in enumerate(blocks) if n is not None]
        in_full = [e for e, n in enumerate(blocks) if n is None]
        entries: dict[int, Entry] = dict(zip(in_part, self.entries(edits.base[in_part].tolist())))
        entries.update(zip(in_full, self._run_full(codes[in_full])))
        activations = self._parts.stack([entries[e] for e in range(len(codes))])
        self._run_windows(activations, in_part, codes[in_part], [spans[e] for e in in_part])
        self.work.count(n_full=len(in_full), n_partial=len(in_part))
        return self._finish(activations, args)

    def commit(self, edits: Edits) -> None:
        """Write edits into the base sequences, and update the cached activations of these."""
        reach = self.reach
        if reach is None:  # not measured yet, or refused: such a model has no keys
            apply_edits(self._codes, edits)
            self._keys = [None] * len(self._keys)
            return
        changed: dict[int, list[Span]] = {}
        for row, span in zip(edits.base.tolist(), edited_spans(edits)):
            changed.setdefault(row, []).append(span)
        old = {row: self._row_key(row) for row in changed}
        apply_edits(self._codes, edits)
        for row in changed:
            self._keys[row] = None
        # Spans whose windows would overlap are merged, so that no base runs twice.
        spans = {row: merge_spans(edited, gap=2 * reach.halo * reach.align) for row, edited in changed.items()}
        # Activations that are cached already, as those of a row that got its old bases back, are not computed again. A
        # row with a window that covers the sequence is not updated: it runs in full if and when it is predicted.
        rows = [row for row in changed if self._row_key(row) not in self._cache]
        rows = [row for row in rows if all(reach.blocks(*span) is not None for span in spans[row])]
        for batch in torch.tensor(rows, dtype=torch.int64).split(self._batch_size):
            cached = {row: self._cache.get(old[row]) for row in batch.tolist()}
            entries = {row: entry for row, entry in cached.items() if entry is not None}
            if not entries:
                continue
            activations = self._parts.stack(list(entries.values()))
            windows = [(i, row, span) for i, row in enumerate(entries) for span in spans[row]]
            at, of, which = (list(part) for part in zip(*windows))
            self._run_windows(activations, at, self._codes[of], which)
            for i, row in enumerate(entries):
                self._cache.put(self._row_key(row), tuple(tensor[i].clone() for tensor in activations))

    def check(self, edits: Edits | None, args: Sequence[torch.Tensor] | None) -> None:
        """Predict one edit in part and in full, and compare the activations and the predictions.

        Uses the edit nearest to the middle; if that does not run in part, or there are no edits, an edit of one base.

        Raises
        ------
        SplitError
            With the difference.
        """
        reach = self._measured()
        edit = edit_to_check(self._codes, edits, reach)
        codes = self._codes[edit.base]

        def of_base() -> list[torch.Tensor]:
            # Not put into the cache: alone they may round otherwise than in the batches that follow, now and later.
            entry = self._cache.get(self._row_key(int(edit.base[0])))
            return self._parts.stack(self._run_full(codes) if entry is None else [entry])

        row_args = None if args is None else [arg[edit.base.to(arg.device)] for arg in args]
        check_edit(self._parts, reach, self.work, codes, of_base, edit, row_args)

    def measure(self) -> Reach:
        """Measure the reach of the model, on as many bases as a few whole sequences have."""
        name = f"checking whether {type(self._model).__name__} runs in part"
        with tqdm(desc=name, unit=" sequences", delay=1, leave=False, disable=not self._verbose) as bar:
            runs = LocalRuns(self._model, self.length, self._device, resolve_dtype(self._model, None), bar)
            try:
                with self._identity.noting_what_changes():
                    self._identity.decide()
                    return reach_of(runs)
            finally:
                self.work.count(n_checks=runs.sequences)

    def _measured(self) -> Reach:
        if self.reach is None:
            raise RuntimeError("a path predicts edits only once its reach is known.")
        return self.reach

    def _edited(self, rows: torch.Tensor, edits: Edits | None) -> torch.Tensor:
        """Copy base sequences, shape (B, L), with one edit written into each."""
        codes = self._codes[rows]
        if edits is not None:
            apply_edits(codes, edits, rows=torch.arange(len(codes)))
        return codes

    def _row_key(self, row: int) -> Hashable:
        if self._keys[row] is None:
            digest = hashlib.blake2b(self._codes[row].numpy().tobytes(), digest_size=16).digest()
            self._keys[row] = (self._identity.key, digest)
        return self._keys[row]

    def entries(self, rows: list[int]) -> list[Entry]:
        """Return the activations of base sequences, from the cache or else run and then cached."""
        cached = {row: self._cache.get(self._row_key(row)) for row in rows}
        missing = {self._row_key(row): row for row, entry in cached.items() if entry is None}
        computed = dict(zip(missing, self._run_full(self._codes[list(missing.values())])))
        for key, entry in computed.items():
            self._cache.put(key, entry)
        return [cached[row] or computed[self._row_key(row)] for row in rows]

    def _run_full(self, codes: torch.Tensor) -> list[Entry]:
        entries: list[Entry] = []
        for batch in codes.split(max(1, self._batch_size * _WINDOW_BP // self.length)) if len(codes) else ():
            trimmed = self._model.trim(self._parts.run_local(batch))
            # Copies, so that an entry does not hold the memory of the batch and of all bins.
            entries.extend(tuple(output[i].clone() for output in trimmed) for i in range(len(batch)))
        self.work.ran(len(codes), self.length)
        return entries

    def _run_windows(
        self, activations: list[torch.Tensor], rows: list[int], codes: torch.Tensor, spans: list[Span]
    ) -> None:
        """Run the windows of `spans` of `codes`, shape (len(rows), L), and write them into rows of the activations."""
        reach = self._measured()
        filled = [i for i, (start, end) in enumerate(spans) if start < end]
        rows, codes, spans = [rows[i] for i in filled], codes[filled], [spans[i] for i in filled]
        blocks = [reach.blocks(*span) or 0 for span in spans]
        for group in group_by_blocks(blocks):
            widest = blocks[group[0]]
            windows = [reach.window(*spans[i], widest) for i in group]
            width = windows[0].end - windows[0].start
            # At most as many bases at a time as one sequence has, so that windows need no more memory than a sequence.
            for batch in torch.arange(len(group)).split(max(1, self.length // width)):
                stretches = [codes[group[k], windows[k].start : windows[k].end] for k in batch.tolist()]
                outputs = self._parts.run_local(torch.stack(stretches))
                for source, k in enumerate(batch.tolist()):
                    splice(activations, rows[group[k]], outputs, source, windows[k], reach, self._model, trimmed=True)
            self.work.ran(len(group), width)

    def _finish(self, activations: list[torch.Tensor], args: Sequence[torch.Tensor] | None) -> Any:
        y = self._parts.finish(activations, args)
        self.work.finished(len(activations[0]))
        return y

    def run_head(self, activations: list[torch.Tensor], args: Sequence[torch.Tensor]) -> Any:
        """Predict from trimmed activations; further inputs are on the device.

        Raises
        ------
        SplitError
            If the rest of a split network reads what it does not get, as another sequence may show.
        """
        return self._parts.run_head(activations, args)
