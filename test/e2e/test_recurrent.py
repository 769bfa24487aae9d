# test_recurrent.py - RNN, GRU and LSTM with the options that ONNX has.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compared with the operators' equations, written once more with numpy."""
from __future__ import annotations

from pathlib import Path

import mxn
import numpy as np
import pytest
from conftest import save
from onnx import TensorProto, helper
from small_models import model

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
SEQUENCE, BATCH, INPUT, HIDDEN = 5, 3, 4, 6


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def one_direction(op: str, x: np.ndarray, w: np.ndarray, r: np.ndarray, bias: np.ndarray, h: np.ndarray, c: np.ndarray,
                  peepholes: np.ndarray, lengths: np.ndarray, clip: float, before_reset: bool) -> tuple:
    """y [sequence, batch, hidden], h and c after the last step."""
    n, f = HIDDEN, lambda z: np.clip(z, -clip, clip)
    wb, rb = bias[: len(bias) // 2], bias[len(bias) // 2:]
    y = np.zeros((len(x), len(h), n))
    for t in range(len(x)):
        a, s = x[t] @ w.T + wb, h @ r.T + rb
        if op == "RNN":
            new_h, new_c = np.tanh(f(a + s)), c
        elif op == "GRU":
            z, q = sigmoid(f(a + s)[:, :n]), sigmoid(f(a + s)[:, n: 2 * n])
            inner = q * s[:, 2 * n:] if before_reset else (q * h) @ r[2 * n:].T + rb[2 * n:]
            new_h, new_c = (1 - z) * np.tanh(f(a[:, 2 * n:] + inner)) + z * h, c
        else:
            i, o, g, k = np.split(a + s, 4, axis=1)  # g: forget
            pi, po, pf = np.split(peepholes, 3)
            new_c = sigmoid(f(g + pf * c)) * c + sigmoid(f(i + pi * c)) * np.tanh(f(k))
            new_h = sigmoid(f(o + po * new_c)) * np.tanh(new_c)
        runs = (t < lengths)[:, None]
        y[t] = np.where(runs, new_h, 0)
        h, c = np.where(runs, new_h, h), np.where(runs, new_c, c)
    return y, h, c


OPTIONS = [{}, {"direction": "reverse"}, {"direction": "bidirectional"}, {"layout": 1, "direction": "bidirectional"}, {"clip": 0.3},
           {"lengths": [5, 1, 3]}, {"lengths": [2, 5, 4], "direction": "bidirectional"}, {"bare": True}]
CASES = [(op, o) for op in GATES for o in OPTIONS] + [("GRU", {"linear_before_reset": 1}),
                                                      ("GRU", {"linear_before_reset": 1, "bare": True})]


@pytest.mark.parametrize("op,options", CASES)
def test_recurrent(op: str, options: dict, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    make = lambda *shape: random.standard_normal(shape).astype(np.float32) * 0.5  # noqa: E731
    attributes = {k: v for k, v in options.items() if k not in ("lengths", "bare")}
    directions = 2 if options.get("direction") == "bidirectional" else 1
    rows, first = GATES[op] * HIDDEN, options.get("layout", 0) == 1
    weights = {"W": make(directions, rows, INPUT), "R": make(directions, rows, HIDDEN)}
    bias, peepholes = make(directions, 2 * rows), make(directions, 3 * HIDDEN)
    states = {"H": make(directions, BATCH, HIDDEN), "C": make(directions, BATCH, HIDDEN)}
    x, lengths = make(SEQUENCE, BATCH, INPUT), np.array(options.get("lengths", [SEQUENCE] * BATCH), np.int32)
    swap = (lambda a: np.ascontiguousarray(np.swapaxes(a, 0, 1))) if first else (lambda a: a)
    feed, names = {"X": swap(x)}, ["X", "W", "R"]
    if options.get("bare"):
        bias, peepholes, states = bias * 0, peepholes * 0, {k: v * 0 for k, v in states.items()}
    else:
        weights["B"] = bias
        feed["H"] = swap(states["H"])
        names += ["B", "L" if "lengths" in options else "", "H"]
        if "lengths" in options:
            feed["L"] = lengths
        if op == "LSTM":
            feed["C"], weights["P"] = swap(states["C"]), peepholes
            names += ["C", "P"]
        else:
            peepholes = peepholes * 0
    outputs = ["Y", "Y_h", "Y_c"][: 3 if op == "LSTM" else 2]
    tensors = {"X": ["B", "S", INPUT] if first else ["S", "B", INPUT], "L": ["B"],
               **{k: ["B", directions, HIDDEN] if first else [directions, "B", HIDDEN] for k in ("H", "C", "Y_h", "Y_c")},
               "Y": ["B", "S", directions, HIDDEN] if first else ["S", directions, "B", HIDDEN]}
    info = lambda n: (TensorProto.INT32 if n == "L" else TensorProto.FLOAT, tensors[n])  # noqa: E731
    node = helper.make_node(op, names, outputs, "cell", hidden_size=HIDDEN, **attributes)
    built = model([node], {n: info(n) for n in feed}, {n: info(n) for n in outputs}, weights)
    loaded = mxn.load(mxn.compile(save(built, tmp_path / "cell.onnx"), tmp_path / "cell.mxn"))

    ys, hs, cs = [], [], []
    for d in range(directions):
        backwards = options.get("direction") == "reverse" or d == 1
        order = lambda a: np.stack([np.concatenate([a[:n, i][::-1], a[n:, i]]) for i, n in enumerate(lengths)], 1)  # noqa: E731
        y, h, c = one_direction(op, order(x) if backwards else x, weights["W"][d], weights["R"][d], bias[d], states["H"][d],
                                states["C"][d], peepholes[d], lengths, options.get("clip", 1e9),
                                bool(options.get("linear_before_reset")))
        ys.append(order(y) if backwards else y)
        hs.append(h)
        cs.append(c)
    want = {"Y": np.stack(ys, 1), "Y_h": np.stack(hs), "Y_c": np.stack(cs)}
    if first:
        want = {k: np.moveaxis(v, 2, 0) if k == "Y" else np.swapaxes(v, 0, 1) for k, v in want.items()}
    got = loaded.run(feed)
    for name in outputs:
        np.testing.assert_allclose(got[name], want[name], 1e-4, 1e-5, err_msg=name)
