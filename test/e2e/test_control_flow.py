# test_control_flow.py - branches and loops give what ONNX's reference gives.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small models in ONNX's text form, each with several inputs that take different ways through it."""
from __future__ import annotations

from pathlib import Path

import mxn
import numpy as np
import onnx
import onnx.parser
import onnx.reference
import pytest

HEADER = '<ir_version: 8, opset_import: ["" : 17]>\n'


def parse(text: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(HEADER + text)


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


ARRAYS = [floats(1, -2, 3), floats(-1, -2, 5, 8), floats(0.5)]
TRUE, FALSE = np.array(True), np.array(False)

# Name: the model and its inputs.
CASES: dict[str, tuple[str, list[dict[str, np.ndarray]]]] = {
    # Results that a branch computes, reads from outside, gives twice, or holds as a constant.
    "if_data": ("""
        g (float[N] x, bool c) => (float[N] a, float[N] b, float[2] k) {
          y = Neg(x)
          a, b, k = If (c) <
            then_branch = t () => (float[N] ta, float[N] tb, float[2] tk) {
              ta = Exp(y)
              tb = Identity(ta)
              tk = Constant <value = float[2] {1.0, 2.0}> ()
            },
            else_branch = e () => (float[N] ea, float[N] eb, float[2] ek) {
              ea = Identity(x)
              eb = Add(x, y)
              one = Constant <value = float[2] {3.0, 4.0}> ()
              ek = Mul(one, one)
            }>
        }""", [{"x": x, "c": c} for x in ARRAYS for c in (TRUE, FALSE)]),
    "if_nested": ("""
        g (float[N] x, bool c, bool d) => (float[N] y) {
          r = If (c) <
            then_branch = t () => (float[N] tr) {
              s = Exp(x)
              tr = If (d) <then_branch = tt () => (float[N] ttr) { ttr = Add(s, s) },
                           else_branch = te () => (float[N] ter) { ter = Identity(s) }>
            },
            else_branch = e () => (float[N] er) {
              er = If (d) <then_branch = et () => (float[N] etr) { etr = Neg(x) },
                           else_branch = ee () => (float[N] eer) { eer = Abs(x) }>
            }>
          y = Add(r, x)
        }""", [{"x": ARRAYS[0], "c": c, "d": d} for c in (TRUE, FALSE) for d in (TRUE, FALSE)]),
    # The condition follows from a size: the host computes it, and the results may differ in shape.
    "if_size": ("""
        g (float[N] x) => (float[M] y) {
          n = Shape(x)
          three = Constant <value = int64[1] {3}> ()
          c = Less(n, three)
          r = If (c) <then_branch = t () => (float[M] tr) { tr = Concat <axis = 0> (x, x) },
                      else_branch = e () => (float[M] er) { er = Abs(x) }>
          y = Neg(r)
        }""", [{"x": x} for x in ARRAYS]),
    "if_equal_size": ("""
        g (float[N] x) => (float[N] y) {
          n = Shape(x)
          three = Constant <value = int64[1] {3}> ()
          e = Equal(n, three)
          c = Not(e)
          y = If (c) <then_branch = t () => (float[N] tr) { tr = Exp(x) },
                      else_branch = e () => (float[N] er) { er = Abs(x) }>
        }""", [{"x": x} for x in ARRAYS]),
    # Carried tensors change places; parts are stacked; the counter is used; an outer tensor is read.
    "loop_fibonacci": ("""
        g (float[N] x) => (float[N] p, float[N] q, float[5, N] all, int64[5, 1] i) {
          m = Constant <value = int64 {5}> ()
          yes = Constant <value = bool {1}> ()
          zero = Sub(x, x)
          p, q, all, i = Loop (m, yes, x, zero) <
            body = b (int64 n, bool go, float[N] u, float[N] v) => (bool again, float[N] w, float[N] t, float[N] s, int64[1] j) {
              again = Identity(go)
              w = Add(u, v)
              t = Identity(u)
              s = Mul(w, x)
              axis = Constant <value_ints = [0]> ()
              j = Unsqueeze(n, axis)
            }>
        }""", [{"x": x} for x in ARRAYS]),
    "loop_swap": ("""
        g (float[N] x, float[N] z, int64 m) => (float[N] p, float[N] q) {
          yes = Constant <value = bool {1}> ()
          p, q = Loop (m, yes, x, z) <
            body = b (int64 n, bool go, float[N] u, float[N] v) => (bool again, float[N] s, float[N] t) {
              again = Identity(go)
              s = Identity(v)
              t = Identity(u)
            }>
        }""", [{"x": ARRAYS[0], "z": -ARRAYS[0] * 2, "m": np.array(m)} for m in (0, 1, 2, 7)]),
    # Ends when the condition says so, or after the last trip; may not run at all.
    "loop_while": ("""
        g (float[1] x, float[1] limit) => (float[1] y) {
          m = Constant <value = int64 {20}> ()
          shape = Constant <value = int64[1] {0}> ()
          no = Constant <value_ints = [0]> ()
          lt0 = Less(x, limit)
          c0 = Squeeze(lt0, no)
          y = Loop (m, c0, x) <
            body = b (int64 n, bool go, float[1] u) => (bool again, float[1] w) {
              w = Add(u, u)
              lt = Less(w, limit)
              zero = Constant <value_ints = [0]> ()
              again = Squeeze(lt, zero)
            }>
        }""", [{"x": floats(1), "limit": floats(v)} for v in (0, 3, 100, 1e9)]),
    # As many trips as the input has rows; a loop and an If inside a loop.
    "loop_size": ("""
        g (float[N, 3] x) => (float[3] y, float[N, 3] z) {
          shape = Shape(x)
          zero = Constant <value_int = 0> ()
          n = Gather(shape, zero)
          yes = Constant <value = bool {1}> ()
          start = Constant <value = float[3] {0.0, 0.0, 0.0}> ()
          y, z = Loop (n, yes, start) <
            body = b (int64 i, bool go, float[3] u) => (bool again, float[3] w, float[3] s) {
              again = Identity(go)
              row = Gather(x, i)
              two = Constant <value_int = 2> ()
              left = Mod(i, two)
              none = Constant <value_int = 0> ()
              even = Equal(left, none)
              v = If (even) <then_branch = t () => (float[3] tr) { tr = Neg(row) },
                             else_branch = e () => (float[3] er) { er = Identity(row) }>
              w = Loop (two, go, u) <
                body = bb (int64 j, bool gg, float[3] uu) => (bool aa, float[3] ww) { aa = Identity(gg)
                  ww = Add(uu, v) }>
              s = Identity(w)
            }>
        }""", [{"x": np.arange(3 * n, dtype=np.float32).reshape(n, 3)} for n in (1, 2, 5)]),
    "if_around_loop": ("""
        g (float[N] x, bool c) => (float[N] y) {
          y = If (c) <
            then_branch = t () => (float[N] r) {
              m = Constant <value = int64 {3}> ()
              yes = Constant <value = bool {1}> ()
              r = Loop (m, yes, x) <body = b (int64 i, bool go, float[N] u) => (bool again, float[N] w) {
                again = Identity(go)
                w = Add(u, x)
              }>
            },
            else_branch = e () => (float[N] s) { s = Exp(x) }>
        }""", [{"x": x, "c": c} for x in ARRAYS for c in (TRUE, FALSE)]),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name: str, tmp_path: Path) -> None:
    text, inputs = CASES[name]
    model = parse(text)
    onnx.save(model, tmp_path / "model.onnx")
    mxn.compile(tmp_path / "model.onnx", tmp_path / "model.mxn")
    loaded, reference = mxn.load(tmp_path / "model.mxn"), onnx.reference.ReferenceEvaluator(model)
    for feed in inputs:
        got = loaded.run(feed)
        for output, want in zip(model.graph.output, reference.run(None, feed)):
            np.testing.assert_allclose(got[output.name], want, 1e-5, 1e-6, err_msg=f"{output.name} of {feed}")


# What can't be compiled is refused with the node's operator and the reason.
REFUSED = {
    "carried_shape": ("""
        g (float[N] x) => (float[M] y) {
          m = Constant <value = int64 {3}> ()
          yes = Constant <value = bool {1}> ()
          y = Loop (m, yes, x) <body = b (int64 i, bool go, float[K] u) => (bool again, float[L] w) {
            again = Identity(go)
            w = Concat <axis = 0> (u, x)
          }>
        }""", "Loop: a tensor that it carries changes its shape"),
    "unbounded": ("""
        g (float[N] x, bool c) => (float[N] y) {
          y = Loop (, c, x) <body = b (int64 i, bool go, float[N] u) => (bool again, float[N] w) {
            again = Identity(go)
            w = Exp(u)
          }>
        }""", "Loop: has no trip count"),
    "stacked_by_data": ("""
        g (float[N] x, int64 m) => (float[M, N] y) {
          yes = Constant <value = bool {1}> ()
          y = Loop (m, yes) <body = b (int64 i, bool go) => (bool again, float[N] w) {
            again = Identity(go)
            w = Exp(x)
          }>
        }""", "Loop: stacks a result, and its trip count depends on data"),
    "shape_by_data": ("""
        g (float[N] x, bool c) => (float[M] y) {
          y = If (c) <then_branch = t () => (float[M] tr) { tr = Concat <axis = 0> (x, x) },
                      else_branch = e () => (float[M] er) { er = Abs(x) }>
        }""", "its condition depends on data"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    text, message = REFUSED[name]
    onnx.save(parse(text), tmp_path / "model.onnx")
    with pytest.raises(mxn.CompileError, match=message):
        mxn.compile(tmp_path / "model.onnx", tmp_path / "model.mxn")
