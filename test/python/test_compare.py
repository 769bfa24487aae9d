# test_compare.py - when two tensors are the same.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from mxn.debug import compare

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(("got", "want", "ok"), [
    ([1.0], [1.0005], True), ([1.0], [1.1], False), ([NAN], [NAN], True), ([NAN], [1.0], False), ([1.0], [NAN], False),
    ([INF], [INF], True), ([INF], [-INF], False), ([1.0], [INF], False), ([0.0], [5e-5], True), ([], [], True)])
def test_floats(got: list[float], want: list[float], ok: bool) -> None:
    assert compare(np.float32(got), np.float32(want)).ok is ok


def test_scalars() -> None:
    assert compare(np.float32(1), np.float32(1)).ok
    assert not compare(np.array(1.0), np.array(2.0)).ok


def test_integers_are_exact() -> None:
    assert not compare(np.array([1000000]), np.array([1000001])).ok
    assert not compare(np.array([1], ml_dtypes.int4), np.array([2], ml_dtypes.int4)).ok
    assert compare(np.array([True]), np.array([True])).ok


def test_narrow_types_get_two_steps() -> None:
    one = np.array([1.0], ml_dtypes.bfloat16)
    assert compare(np.array([1.0078125], ml_dtypes.bfloat16), one).ok
    assert not compare(np.array([1.03125], ml_dtypes.bfloat16), one).ok


def test_worst_element_is_named() -> None:
    want = np.zeros((2, 3), np.float32)
    got = want.copy()
    got[0, 1], got[1, 2] = 0.1, -0.5
    found = compare(got, want)
    assert (found.count, found.where, found.absolute, float(found.got)) == (2, (1, 2), 0.5, -0.5)


def test_type_and_shape() -> None:
    assert "float64" in compare(np.zeros(2), np.zeros(2, np.float32)).reason
    assert "[3]" in compare(np.zeros(2), np.zeros(3)).reason
