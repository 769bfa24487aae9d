# cache.py - sequences in a paged cache, and steps through the model.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The cache of include/mxn/Runtime/Cache.h as objects."""
from __future__ import annotations

import ctypes
import threading
import weakref
from ctypes import byref, c_uint32
from dataclasses import dataclass
from typing import Any, Sequence as Seq

import numpy as np

from .. import dtypes
from ..abi import CacheGroupInfo, CacheOptions, CacheStats, StepInput, StepOutput, library, out_handle
from ..context import Context
from ..errors import InputError, RunError


@dataclass(frozen=True)
class CacheGroup:
    """Layers that share a pool of blocks; mxn_cache_group_info_t says what the fields mean."""

    name: str
    type: str
    layers: int
    heads: int
    head_size: int
    block_tokens: int
    block_bytes: int
    sink: int
    window: int


class Sequence:
    """Tokens of one text in the cache. `ids` are all of them. Freed when it goes away, or by `free` or a `with` block."""

    def __init__(self, cache: "Cache", number: int, ids: list[int]):
        self._cache, self._number, self.ids = cache, number, ids
        self._free = weakref.finalize(self, cache._free, number)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def number(self) -> int:
        """The runtime's handle; InputError once the sequence was freed."""
        if not self._free.alive:
            raise InputError("this sequence was freed")
        return self._number

    def fork(self) -> "Sequence":
        """Another sequence with the same tokens, which shares their memory until one of both grows."""
        return self.prefix(len(self.ids))

    def prefix(self, tokens: int) -> "Sequence":
        """Another sequence with the first `tokens` tokens; RunError where a window has given them back."""
        return self._cache._share(self, tokens)

    def truncate(self, tokens: int) -> None:
        """Forgets all but the first `tokens` tokens; RunError where a window has given them back."""
        self._cache._truncate(self, tokens)

    def free(self) -> None:
        """Gives its memory back."""
        self._free()

    def __enter__(self) -> "Sequence":
        return self

    def __exit__(self, *_: Any) -> None:
        self.free()


class Cache:
    """The cache of a function with cache groups. Calls from several threads wait for each other."""

    def __init__(self, context: Context, model: Any, function: int, max_tokens: int, max_sequences: int):
        self._library, self._context, self._lock = library(), context, threading.RLock()
        options = CacheOptions(max_tokens=max_tokens, max_sequences=max_sequences)
        self._handle = out_handle(self._library.cache_create, model, function, byref(options))
        self._close = weakref.finalize(self, self._library.cache_destroy, self._handle)
        self.groups = [self._group(model, function, g)
                       for g in range(self._library.model_cache_group_count(model, function))]

    def _group(self, model: Any, function: int, number: int) -> CacheGroup:
        info = CacheGroupInfo()
        self._library.model_cache_group_info(model, function, number, byref(info))
        return CacheGroup(info.name.decode(), dtypes.type_name(info.type), info.layers, info.heads, info.head_size,
                          info.block_tokens, info.block_bytes, info.sink, info.window)

    def sequence(self) -> Sequence:
        """An empty sequence."""
        number = c_uint32()
        with self._lock:
            self._library.cache_sequence_create(self._handle, byref(number))
        return Sequence(self, number.value, [])

    def _free(self, number: int) -> None:
        with self._lock:
            if self._close.alive:
                self._library.cache_sequence_free(self._handle, number)

    def _share(self, source: Sequence, tokens: int) -> Sequence:
        number = c_uint32()
        with self._lock:
            self._library.cache_share_prefix(self._handle, source.number, _size(tokens), byref(number))
            return Sequence(self, number.value, source.ids[:tokens])

    def _truncate(self, sequence: Sequence, tokens: int) -> None:
        with self._lock:
            self._library.cache_sequence_truncate(self._handle, sequence.number, _size(tokens))
            del sequence.ids[tokens:]

    def step(self, parts: Seq[tuple[Sequence, Seq[int]]], rows: Seq[int] | None = None, copy: bool = True) -> np.ndarray:
        """Puts more tokens behind sequences and returns logits [rows, vocabulary] of the rows asked for, counted through
        all tokens (default: each sequence's last). Without `copy` they are valid only until the next step. RunError when
        the cache is full or the model refuses an id; the sequences are then as they were."""
        try:
            pieces = [np.asarray(ids, np.int64).reshape(-1) for _, ids in parts]
        except (TypeError, ValueError, OverflowError) as e:
            raise InputError(f"expected token ids: {e}") from None
        ids = np.concatenate(pieces) if pieces else np.empty(0, np.int64)
        counts = np.array([len(p) for p in pieces], np.uint32)
        wanted = None if rows is None else np.array([*rows, 0], np.int32)  # never empty: NULL would mean the default
        with self._lock:
            for sequence, _ in parts:
                if sequence._cache is not self:
                    raise InputError("this sequence belongs to another model")
            numbers = np.array([s.number for s, _ in parts], np.uint32)
            given = StepInput(sequence_count=len(pieces), sequences=numbers.ctypes.data, token_counts=counts.ctypes.data,
                              ids=ids.ctypes.data, rows=None if wanted is None else wanted.ctypes.data,
                              row_count=0 if wanted is None else len(wanted) - 1)
            output = StepOutput()
            self._library.step(self._context._handle, self._handle, byref(given), byref(output))
            for (sequence, _), piece in zip(parts, pieces):
                sequence.ids += piece.tolist()
            shape = (output.rows, output.vocabulary)
            if not output.rows * output.vocabulary:
                return np.empty(shape, np.float32)
            memory = (ctypes.c_float * (shape[0] * shape[1])).from_address(output.logits)
            logits = np.frombuffer(memory, np.float32).reshape(shape)
            return logits.copy() if copy else logits

    def stats(self) -> dict[str, int]:
        """What the cache holds, by the names of mxn_cache_stats_t."""
        stats = CacheStats()
        with self._lock:
            self._library.cache_stats(self._handle, byref(stats))
        return {name: getattr(stats, name) for name, _ in CacheStats._fields_ if name != "struct_size"}

    def reuse(self, sequence: Sequence, ids: Seq[int]) -> int:
        """Cuts a sequence to what it has in common with `ids`, without the last of them, and returns its length then."""
        same = 0
        while same < min(len(sequence), len(ids) - 1) and sequence.ids[same] == ids[same]:
            same += 1
        if same == len(sequence):
            return same
        try:
            sequence.truncate(same)
        except RunError:  # a window gave the tokens back
            sequence.truncate(0)
        return len(sequence)


def _size(tokens: int) -> int:
    if tokens < 0:
        raise InputError(f"expected a number of tokens, got {tokens}")
    return tokens
