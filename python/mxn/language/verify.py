# verify.py - a language model's ragged entry against its "main".
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`verify_step` runs "step" and "main" of one bundle on random ragged batches and compares the logits of every row.

The contract: for a sequence with n tokens in the cache and t new ones, the rows of "step" are those of "main" for batch 1, t
tokens, n past tokens, a mask of ones and the positions n to n + t - 1. What each input of "main" is follows from shapes, types
and trials, never from names.
"""
from __future__ import annotations

import itertools
import os
from dataclasses import dataclass

import numpy as np

from ..context import Context
from ..errors import Error, InputError, RunError
from ..model import Model
from ..signature import TensorSpec
from .cache import Cache, Sequence

TOLERANCE = 1e-4  # of the largest logit: both add in other orders, in float32
ROUNDS = 6
MAX_SEQUENCES = 4
FUNCTION = "step"


@dataclass
class StepReport:
    """What `verify_step` found. `largest_difference` is of two logits of one row, `worst` says which row that was."""

    tolerance: float
    rounds: int = 0
    tokens: int = 0  # that went through both functions
    sequences: int = 0
    longest: int = 0  # sequence, in tokens
    largest_difference: float = 0.0
    largest_logit: float = 0.0
    worst: str = ""

    @property
    def relative(self) -> float:
        """The largest difference as a part of the largest logit."""
        return self.largest_difference / self.largest_logit if self.largest_logit else self.largest_difference

    @property
    def ok(self) -> bool:
        """Whether both functions agree."""
        return self.relative <= self.tolerance

    def __str__(self) -> str:
        verdict = "agrees with" if self.ok else "DIFFERS from"
        text = (f"step {verdict} main: {self.tokens} rows of {self.sequences} sequences in {self.rounds} ragged batches, the "
                f"longest of {self.longest} tokens; largest difference {self.largest_difference:.3g}, which is "
                f"{self.relative:.2g} of the largest logit ({self.tolerance:.2g} is allowed)")
        return text if self.ok else f"{text}, {self.worst}"


def verify_step(bundle: str | os.PathLike, rounds: int = ROUNDS, seed: int = 0, threads: int = 0,
                tolerance: float = TOLERANCE) -> StepReport:
    """Compares "step" with "main" on `rounds` random ragged batches: prompts and single tokens mixed, sequences forked, cut
    and freed. Error when the bundle lacks one of both, or when it can't be told what an input of "main" is."""
    if rounds < 1:
        raise InputError(f"expected at least 1 round, got {rounds}")
    model = Model(bundle, threads)
    for name in ("main", FUNCTION):
        if name not in model.functions:
            reason = model.metadata("step.refused") if name == FUNCTION else None
            raise Error(f"{os.fspath(bundle)} has no function {name!r}, so there is nothing to verify"
                        + (f": {reason}" if reason else ""))
    return _Verifier(model, seed, tolerance).run(rounds)


class _Main:
    """"main", called for one sequence at a time. The state of a sequence is its presents, in the order of the pasts."""

    def __init__(self, model: Model, cache: Cache, vocabulary: int):
        self._model, self._signature = model, model.functions["main"]
        # Of several groups one shape: which group a past belongs to can't be seen.
        self._heads, self._size = cache.groups[0].heads, cache.groups[0].head_size

        def is_cache(spec: TensorSpec) -> bool:
            dims = spec.shape[1::2]  # names stand for sizes that the model leaves open
            return (len(spec.shape) == 4 and spec.dtype.kind not in "iub"
                    and all(isinstance(d, str) or d in (None, n) for d, n in zip(dims, (self._heads, self._size))))

        inputs, outputs = self._signature.inputs, self._signature.outputs
        self._pasts = [s for s in inputs if is_cache(s)]
        presents = [s for s in outputs if is_cache(s)]
        rest = [s for s in outputs if not is_cache(s)]
        layers = sum(g.layers for g in cache.groups)
        if not len(self._pasts) == len(presents) == 2 * layers:
            raise Error(f"\"main\" has {len(self._pasts)} inputs and {len(presents)} outputs of the cache's shape, expected "
                        f"{2 * layers} of each")
        if len(rest) != 1:
            raise Error(f"\"main\" has {len(rest)} outputs besides its presents, expected the logits alone")
        self._logits = rest[0].name
        self._rows, self._masks = self._tell_shapes([s for s in inputs if not is_cache(s)])
        self._presents = self._pair(presents)
        if len(self._rows) == 2:
            self._rows = self._tell_ids(vocabulary)

    def empty(self) -> list[np.ndarray]:
        """The state of a sequence without tokens."""
        return self._past_arrays(0)

    def __call__(self, state: list[np.ndarray], ids: list[int]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Logits [tokens, vocabulary] of more tokens, and the state behind them."""
        past = state[0].shape[2]
        rows = [ids, range(past, past + len(ids))]
        values = {s.name: np.array([v], s.dtype) for s, v in zip(self._rows, rows)}
        got = self._run(values, past + len(ids), state)
        return got[self._logits][0].astype(np.float32), [got[n] for n in self._presents]

    def _past_arrays(self, length: int) -> list[np.ndarray]:
        return [np.zeros((1, self._heads, length, self._size), s.dtype) for s in self._pasts]

    def _run(self, values: dict[str, np.ndarray], total: int, state: list[np.ndarray]) -> dict[str, np.ndarray]:
        values = values | {s.name: np.ones((1, total), s.dtype) for s in self._masks}
        return self._model.run(values | {s.name: a for s, a in zip(self._pasts, state)})

    def _tell_shapes(self, inputs: list[TensorSpec]) -> tuple[list[TensorSpec], list[TensorSpec]]:
        """Inputs [1, tokens] and masks [1, past and tokens]: the one choice of sizes that "main" accepts."""
        for spec in inputs:
            if len(spec.shape) != 2:
                raise Error(f"it can't be told what the input {spec} of \"main\" is: ids, positions and masks have two "
                            "dimensions")
        refused, found = "", []
        for choice in itertools.product((True, False), repeat=len(inputs)):
            rows, masks = ([s for s, c in zip(inputs, choice) if c is kind] for kind in (True, False))
            if not rows:
                continue
            self._masks = masks
            try:
                self._run({s.name: np.zeros((1, 2), s.dtype) for s in rows}, 5, self._past_arrays(3))
                found.append((rows, masks))
            except RunError as e:
                refused = str(e)
        if len(found) != 1 or len(found[0][0]) > 2:
            names = ", ".join(map(str, inputs))
            why = f": {refused}" if refused and not found else ""
            raise Error(f"it can't be told which inputs of \"main\" are ids, positions and masks ({names}){why}")
        return found[0]

    def _pair(self, presents: list[TensorSpec]) -> list[str]:
        """The present of each past: the one that begins with what stands in it."""
        state = self._past_arrays(1)
        for i, array in enumerate(state):
            array[...] = i + 1
        got = self._run({s.name: np.zeros((1, 1), s.dtype) for s in self._rows}, 2, state)
        paired = []
        for i, past in enumerate(self._pasts):
            same = [s.name for s in presents if got[s.name].shape[2] == 2 and (got[s.name][:, :, 0] == i + 1).all()]
            if len(same) != 1:
                raise Error(f"it can't be told which output of \"main\" continues its input {past}")
            paired += same
        return paired

    def _tell_ids(self, vocabulary: int) -> list[TensorSpec]:
        """Ids and positions, in this order: ids are the input that takes every number below the vocabulary's size only."""

        def takes(spec: TensorSpec, value: int) -> bool:
            values = {s.name: np.full((1, 1), value if s is spec else 0, s.dtype) for s in self._rows}
            try:
                self._run(values, 1, self.empty())
            except RunError:
                return False
            return True

        ids = [s for s in self._rows if takes(s, vocabulary - 1) and not takes(s, vocabulary)]
        if len(ids) != 1:
            raise Error("it can't be told which input of \"main\" are ids and which positions: "
                        + ", ".join(map(str, self._rows)))
        return ids + [s for s in self._rows if s is not ids[0]]


class _Verifier:
    def __init__(self, model: Model, seed: int, tolerance: float):
        signature = model.functions[FUNCTION]
        self._random, self._report = np.random.default_rng(seed), StepReport(tolerance)
        # A context of its own: logits of "step" stay where they are while "main" runs.
        self._context = Context(model._handle, model.threads, owner=model._open)
        self._vocabulary = next((s.shape[-1] for s in signature.outputs if s.name == "logits"), None)
        if not isinstance(self._vocabulary, int):
            raise Error("the function \"step\" doesn't say how many logits a row has")
        self._cache = Cache(self._context, model._handle, signature.index, 4096, 2 * MAX_SEQUENCES)
        self._block = max(g.block_tokens for g in self._cache.groups)
        self._main = _Main(model, self._cache, self._vocabulary)
        self._live: list[tuple[Sequence, list[np.ndarray]]] = []

    def run(self, rounds: int) -> StepReport:
        for number in range(rounds):
            self._change()
            self._step(number)
        return self._report

    def _ids(self, count: int) -> list[int]:
        return self._random.integers(0, self._vocabulary, count).tolist()

    def _change(self) -> None:
        """Frees, forks and cuts some sequences, so that blocks are shared, given back and used again."""
        draw = self._random.random
        if len(self._live) > 1 and draw() < 0.3:
            self._live.pop(self._random.integers(len(self._live)))[0].free()
        if self._live and draw() < 0.3:
            sequence, state = self._live[self._random.integers(len(self._live))]
            length = int(self._random.integers(1, len(sequence) + 1))
            try:
                sequence.truncate(length)
                state[:] = [a[:, :, :length] for a in state]
            except RunError:  # a window gave the tokens back
                pass
        if self._live and len(self._live) < MAX_SEQUENCES and draw() < 0.5:
            sequence, state = self._live[self._random.integers(len(self._live))]
            self._live.append((sequence.fork(), list(state)))
            self._report.sequences += 1
        while len(self._live) < 2 or (len(self._live) < MAX_SEQUENCES and draw() < 0.2):
            self._live.append((self._cache.sequence(), self._main.empty()))
            self._report.sequences += 1

    def _step(self, number: int) -> None:
        """One ragged batch: prompts for new sequences, some longer than a block, and mostly single tokens for the others."""
        chosen = [p for p in self._live if not len(p[0]) or self._random.random() < 0.8] or self._live[:1]
        self._random.shuffle(chosen)
        parts = []
        for sequence, _ in chosen:
            new, draw = not len(sequence), self._random.random()
            most = (self._block + 3 if draw < 0.3 else 5) if new else 1 if draw < 0.6 else 4
            parts.append(self._ids(int(self._random.integers(1, most + 1))))
        if number == 0:
            parts[0] = self._ids(self._block + 1)  # never without a second block
        total = sum(map(len, parts))
        got = self._cache.step([(s, p) for (s, _), p in zip(chosen, parts)], range(total))
        at = 0
        for (sequence, state), part in zip(chosen, parts):
            want, state[:] = self._main(state, part)
            self._compare(got[at:at + len(part)], want, number, len(sequence) - len(part))
            at += len(part)
            self._report.longest = max(self._report.longest, len(sequence))
        self._report.tokens += total
        self._report.rounds += 1

    def _compare(self, got: np.ndarray, want: np.ndarray, number: int, first: int) -> None:
        report = self._report
        report.largest_logit = max(report.largest_logit, float(np.abs(want).max()))
        distance = np.abs(got - want).max(axis=-1)
        distance = np.where(np.isfinite(distance), distance, np.inf)
        row = int(distance.argmax())
        if distance[row] > report.largest_difference:
            report.largest_difference = float(distance[row])
            report.worst = f"at position {first + row} of a sequence in batch {number}"
