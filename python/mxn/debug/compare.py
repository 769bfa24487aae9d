# compare.py - two tensors that should be the same.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a tensor with the reference's."""
from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np

from ..summary import signature_of

DEFAULT_RTOL, DEFAULT_ATOL = 1e-3, 1e-4


@dataclass(frozen=True)
class Difference:
    """How far a tensor is from the reference's. `absolute` and `relative` are the greatest errors of an element, the latter
    relative to the reference's magnitude (to atol where that is greater), `count` how many elements are beyond the tolerance, `where` the index of the worst of them, `got` and `want` its values."""

    ok: bool
    reason: str = ""
    absolute: float = 0.0
    relative: float = 0.0
    count: int = 0
    where: tuple[int, ...] = ()
    got: object = None
    want: object = None


def compare(got: np.ndarray, want: np.ndarray, rtol: float = DEFAULT_RTOL, atol: float = DEFAULT_ATOL,
            values: bool = True) -> Difference:
    """Compares type, shape and, unless `values` is False, elements: |got - want| <= atol + rtol * |want|, where rtol is
    two steps of the type at least; integers and booleans exactly. NaN equals NaN, infinity itself."""
    got, want = np.asarray(got), np.asarray(want)
    if got.dtype != want.dtype or got.shape != want.shape:
        return Difference(False, f"is {signature_of(got)}, expected {signature_of(want)}")
    if not values or not want.size:
        return Difference(True)
    if want.dtype.kind in "biu" or "int" in want.dtype.name:
        rtol = atol = 0.0
    else:
        rtol = max(rtol, 2 * float(ml_dtypes.finfo(want.dtype).eps))
    kind = np.complex128 if want.dtype.kind == "c" else np.float64
    a, b = got.astype(kind), want.astype(kind)
    with np.errstate(invalid="ignore", over="ignore"):
        same = np.asarray((a == b) | (np.isnan(a) & np.isnan(b)))
        error = np.asarray(np.where(same, 0, np.abs(a - b)))
        error[np.isnan(error)] = np.inf
        bad = ~same & ~(np.isfinite(error) & (error <= atol + rtol * np.abs(b)))
        relative = np.asarray(np.where(same, 0, error / np.maximum(np.abs(b), atol or np.finfo(np.float64).tiny)))
        relative[np.isnan(relative)] = np.inf
        worst = int(np.argmax(np.where(bad, error, -1))) if bad.any() else int(np.argmax(error))
    where = tuple(int(i) for i in np.unravel_index(worst, want.shape))
    return Difference(not bad.any(), "values differ" if bad.any() else "", float(error.max()), float(relative.max()),
                      int(bad.sum()), where, got[where], want[where])
