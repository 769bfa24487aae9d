# test_contrib.py - the com.microsoft operators of language models, compared with ONNX Runtime.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small random models of one node through MxN and through ONNX Runtime."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import mxn
import numpy as np
import onnx
import pytest
from conftest import save
from onnx import TensorProto, helper
from small_models import model

ort = pytest.importorskip("onnxruntime")

RTOL, ATOL = 1e-4, 1e-5
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.float16): TensorProto.FLOAT16, np.dtype(np.int32): TensorProto.INT32,
         np.dtype(np.int64): TensorProto.INT64, np.dtype(np.uint8): TensorProto.UINT8}
HEADS, KV_HEADS = 4, 2


def node_model(op: str, inputs: list[str], outputs: dict[str, tuple], feed: dict[str, np.ndarray], weights: dict[str, np.ndarray],
               shapes: dict[str, list], **attributes: Any) -> onnx.ModelProto:
    """One com.microsoft node; `shapes` gives the inputs' symbolic shapes, the others are those of `feed`."""
    node = helper.make_node(op, inputs, list(outputs), "node", domain="com.microsoft", **attributes)
    return model([node], {n: (TYPES[a.dtype], shapes.get(n, a.shape)) for n, a in feed.items()}, outputs, weights,
                 domains=["com.microsoft"])


def compare(made: onnx.ModelProto, feeds: list[dict[str, np.ndarray]], folder: Path,
            rows: Any = lambda name, array: array, rtol: float = RTOL) -> None:
    """Both engines give the same outputs; `rows` picks the elements that mean something."""
    compiled = mxn.load(mxn.compile(save(made, folder / "model.onnx"), folder / "model.mxn"))
    reference = ort.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [o.name for o in reference.get_outputs()]
    for feed in feeds:
        want, got = dict(zip(names, reference.run(names, feed))), compiled.run(feed)
        for name in names:
            assert got[name].shape == want[name].shape and got[name].dtype == want[name].dtype, name
            np.testing.assert_allclose(rows(name, got[name]), rows(name, want[name]), rtol, ATOL, err_msg=name)


# --- GroupQueryAttention


def attention(feed: dict[str, np.ndarray], rotary: int = 8, size: int = 16, **attributes: Any) -> onnx.ModelProto:
    """A GroupQueryAttention with the inputs that `feed` has; the sizes are symbolic."""
    angles = np.arange(64)[:, None] / 10.0 ** np.arange(rotary)[None]
    weights = {"cos": np.cos(angles).astype(np.float32), "sin": np.sin(angles).astype(np.float32)} if rotary else {}
    names = ["q", "k", "v", "past_k", "past_v", "seqlens", "total", "cos", "sin", "positions", "bias"]
    inputs = [n if n in feed or n in weights else "" for n in names]
    past = ["b", KV_HEADS, "p", size]
    shapes = {"q": ["b", "s", feed["q"].shape[-1]], "k": ["b", "s", KV_HEADS * size], "v": ["b", "s", KV_HEADS * size],
              "past_k": past, "past_v": past, "seqlens": ["b"], "total": [1], "positions": ["b", "s"], "bias": ["b", HEADS, "s", "t"]}
    present = (TensorProto.FLOAT, ["b", KV_HEADS, "t", size])
    return node_model("GroupQueryAttention", inputs, {"y": (TensorProto.FLOAT, ["b", "s", HEADS * size]), "pk": present, "pv": present},
                      feed, weights, shapes, num_heads=HEADS, kv_num_heads=KV_HEADS, do_rotary=int(rotary > 0), **attributes)


def attention_feed(batch: int, queries: int, past: int | None, packed: bool = True, size: int = 16) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    make = lambda *shape: random.standard_normal(shape).astype(np.float32)  # noqa: E731
    feed = {"q": make(batch, queries, (HEADS + 2 * KV_HEADS * packed) * size)}
    if not packed:
        feed |= {n: make(batch, queries, KV_HEADS * size) for n in "kv"}
    if past is not None:
        feed |= {n: make(batch, KV_HEADS, past, size) for n in ("past_k", "past_v")}
    total = queries + (past or 0)
    return feed | {"seqlens": np.full(batch, total - 1, np.int32), "total": np.int32([total])}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("options", [{}, {"rotary": 0}, {"rotary_interleaved": 1}, {"local_window_size": 3}, {"scale": 0.5, "softcap": 2.0}],
                         ids=["plain", "unrotated", "interleaved", "window", "softcap"])
def test_attention_with_past(packed: bool, options: dict, tmp_path: Path) -> None:
    """A prompt, a second one behind it, and tokens of two batches."""
    feeds = [attention_feed(*sizes, packed) for sizes in [(2, 7, 0), (1, 4, 5), (2, 1, 6), (3, 1, 1)]]
    compare(attention(feeds[0], **options), feeds, tmp_path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("options", [{}, {"rotary": 0}], ids=["plain", "unrotated"])
def test_attention_without_past(packed: bool, options: dict, tmp_path: Path) -> None:
    feeds = [attention_feed(2, 6, None, packed), attention_feed(1, 1, None, packed)]
    compare(attention(feeds[0], **options), feeds, tmp_path)


@pytest.mark.parametrize("options", [{}, {"local_window_size": 2}], ids=["plain", "window"])
def test_attention_of_different_lengths(options: dict, tmp_path: Path) -> None:
    """Batches are padded behind: a prompt, whose padded rows mean nothing, and a token for each."""
    prompt, token = attention_feed(3, 5, 0), attention_feed(3, 1, 5)
    prompt["seqlens"], token["seqlens"] = np.int32([2, 4, 0]), np.int32([3, 5, 1])
    made = attention(prompt, **options)
    compare(made, [prompt], tmp_path, lambda n, a: np.concatenate([a[0, :3], a[1], a[2, :1]]) if n == "y" else a[1])
    compare(made, [token], tmp_path)


def test_attention_of_positions_and_bias(tmp_path: Path) -> None:
    """Of more than one row for each batch, ONNX Runtime's CPU kernel reads the first position alone, so they follow each other here."""
    prompt, token = attention_feed(2, 4, 0), attention_feed(2, 1, 3)
    prompt["positions"], token["positions"] = np.int64([[3, 4, 5, 6]] * 2), np.int64([[40], [2]])
    for feed in (prompt, token):
        feed["bias"] = np.random.default_rng(5).standard_normal((2, HEADS, feed["q"].shape[1], 4)).astype(np.float32)
    compare(attention(prompt), [prompt, token], tmp_path)


def test_attention_of_half_a_head(tmp_path: Path) -> None:
    """Half of each head isn't turned."""
    feed = attention_feed(1, 3, 0, size=32)
    compare(attention(feed, size=32), [feed], tmp_path)


@pytest.mark.parametrize("change", [{"seqlens": np.int32([9])}, {"seqlens": np.int32([0])}, {"seqlens": np.int32([-3])}, {"total": np.int32([9])}])
def test_attention_refuses_lengths(change: dict, tmp_path: Path) -> None:
    """Lengths that the past doesn't have fail the call."""
    feed = attention_feed(1, 2, 4)
    compiled = mxn.load(mxn.compile(save(attention(feed), tmp_path / "model.onnx"), tmp_path / "model.mxn"))
    compiled.run(feed)
    with pytest.raises(mxn.Error):
        compiled.run(feed | change)


# --- MultiHeadAttention


@pytest.mark.parametrize("past", [None, 3])
@pytest.mark.parametrize("causal", [0, 1])
@pytest.mark.parametrize("biased", [False, True])
def test_multi_head_attention(biased: bool, causal: int, past: int | None, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    make = lambda *shape: random.standard_normal(shape).astype(np.float32)  # noqa: E731
    queries, keys, size = 4, 4 if causal or past else 6, 16
    total = keys + (past or 0)
    feed = {"q": make(2, queries, HEADS * size), "k": make(2, keys, HEADS * size), "v": make(2, keys, HEADS * size)}
    if biased:
        feed["bias"] = make(1, HEADS, queries, total)
    if past:
        feed |= {"past_k": make(2, HEADS, past, size), "past_v": make(2, HEADS, past, size)}
    inputs = [n if n in feed else "" for n in ["q", "k", "v", "", "", "bias", "past_k", "past_v"]]
    outputs = {"y": (TensorProto.FLOAT, [2, queries, HEADS * size])}
    if past:
        outputs |= {n: (TensorProto.FLOAT, [2, HEADS, total, size]) for n in ("pk", "pv")}
    shapes = {"q": ["b", "s", HEADS * size]}
    compare(node_model("MultiHeadAttention", inputs, outputs, feed, {}, shapes, num_heads=HEADS, unidirectional=causal), [feed], tmp_path)


# --- Weights in blocks


def pack(numbers: np.ndarray, bits: int) -> np.ndarray:
    """Numbers of few bits along the last axis in bytes, the first in the lowest bits; a row is filled up with zeros."""
    each = 8 // bits
    padded = np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, -numbers.shape[-1] % each)])
    split = padded.reshape(*padded.shape[:-1], -1, each).astype(np.uint32)
    return (split << (np.arange(each, dtype=np.uint32) * bits)).sum(-1).astype(np.uint8)


def zero_points(kind: str, shape: tuple, bits: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    if kind == "absent":
        return {}
    if kind == "packed":
        return {"zeros": pack(random.integers(0, 2**bits, shape), bits)}
    return {"zeros": random.uniform(0, 2**bits, shape).astype(np.float32)}


@pytest.mark.parametrize("zeros", ["absent", "packed", "float"])
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("columns, rows, block", [(96, 24, 32), (80, 9, 32), (48, 5, 16)])
def test_matmul(bits: int, zeros: str, columns: int, rows: int, block: int, tmp_path: Path) -> None:
    random = np.random.default_rng(bits)
    blocks = -(-columns // block)
    numbers = random.integers(0, 2**bits, (rows, blocks, block))
    weights = {"b": pack(numbers, bits), "scales": random.uniform(0.01, 0.1, (rows, blocks)).astype(np.float32),
               **zero_points(zeros, (rows, blocks), bits, random)}
    feeds = [{"a": random.standard_normal((batch, length, columns)).astype(np.float32)} for batch, length in [(2, 3), (1, 1)]]
    made = node_model("MatMulNBits", ["a", *weights], {"y": (TensorProto.FLOAT, ["b", "s", rows])}, feeds[0], weights,
                      {"a": ["b", "s", columns]}, K=columns, N=rows, bits=bits, block_size=block)
    if (bits, zeros) != (8, "float"):
        compare(made, feeds, tmp_path)
        return
    # ONNX Runtime's CPU kernel doesn't know these.
    compiled = mxn.load(mxn.compile(save(made, tmp_path / "model.onnx"), tmp_path / "model.mxn"))
    w = ((numbers - weights["zeros"][..., None]) * weights["scales"][..., None]).reshape(rows, -1)[:, :columns]
    for feed in feeds:
        np.testing.assert_allclose(compiled.run(feed)["y"], feed["a"] @ w.T, RTOL, 1e-4)


def test_matmul_with_bias_of_halves(tmp_path: Path) -> None:
    """float16 everywhere, flat scales and a bias; weights are inputs."""
    random = np.random.default_rng(3)
    feed = {"a": random.standard_normal((5, 64)).astype(np.float16), "b": pack(random.integers(0, 16, (6, 2, 32)), 4),
            "scales": random.uniform(0.01, 0.1, (12,)).astype(np.float16), "bias": random.standard_normal(6).astype(np.float16)}
    made = node_model("MatMulNBits", ["a", "b", "scales", "", "", "bias"], {"y": (TensorProto.FLOAT16, ["m", 6])}, feed, {}, {"a": ["m", 64]},
                      K=64, N=6, bits=4, block_size=32)
    compiled = mxn.load(mxn.compile(save(made, tmp_path / "model.onnx"), tmp_path / "model.mxn"))
    q = np.stack([feed["b"] & 15, feed["b"] >> 4], -1).reshape(6, 2, 32).astype(np.float32) - 8
    w = (q * feed["scales"].reshape(6, 2, 1).astype(np.float32)).reshape(6, 64)
    want = feed["a"].astype(np.float32) @ w.T + feed["bias"].astype(np.float32)
    np.testing.assert_allclose(compiled.run(feed)["y"].astype(np.float32), want, 2e-3, 2e-3)


@pytest.mark.parametrize("zeros", ["absent", "packed"])
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("middle", [(), (3,)])
def test_gather(bits: int, zeros: str, middle: tuple, tmp_path: Path) -> None:
    random = np.random.default_rng(bits)
    shape, block = (11, *middle, 80), 32
    weights = {"data": pack(random.integers(0, 2**bits, shape), bits)}
    feeds = [{"i": np.int64([[0, 10, -1], [-11, 5, 5]])}, {"i": np.int64([[3]])}]
    scales = random.uniform(0.01, 0.1, (*shape[:-1], 3)).astype(np.float32)
    weights |= {"scales": scales, **zero_points(zeros, scales.shape, bits, random)}
    made = node_model("GatherBlockQuantized", ["data", "i", "scales", *(["zeros"] if zeros == "packed" else [])],
                      {"y": (TensorProto.FLOAT, ["b", "s", *shape[1:]])}, feeds[0], weights, {"i": ["b", "s"]}, bits=bits, block_size=block,
                      gather_axis=0, quantize_axis=len(shape) - 1)
    compare(made, feeds, tmp_path)


def test_gather_checks_indices(tmp_path: Path) -> None:
    weights = {"data": np.zeros((4, 16), np.uint8), "scales": np.ones((4, 1), np.float32)}
    feed = {"i": np.int64([4])}
    made = node_model("GatherBlockQuantized", ["data", "i", "scales"], {"y": (TensorProto.FLOAT, [1, 32])}, feed, weights, {}, block_size=32)
    compiled = mxn.load(mxn.compile(save(made, tmp_path / "model.onnx"), tmp_path / "model.mxn"))
    np.testing.assert_array_equal(compiled.run({"i": np.int64([-4])})["y"], np.full((1, 32), -8))
    with pytest.raises(mxn.Error):
        compiled.run(feed)


# --- RotaryEmbedding


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("positions", [np.int64([3]), np.int64([[5, 0, 2], [1, 1, 9]])], ids=["first", "each"])
@pytest.mark.parametrize("shape", [(2, 3, 64), (2, 4, 3, 16)], ids=["flat", "heads"])
def test_rotary_embedding(shape: tuple, positions: np.ndarray, interleaved: int, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    angles = np.arange(32)[:, None] / 10.0 ** np.arange(8)[None]
    feed = {"x": random.standard_normal(shape).astype(np.float32), "positions": positions}
    made = node_model("RotaryEmbedding", ["x", "positions", "cos", "sin"], {"y": (TensorProto.FLOAT, shape)}, feed,
                      {"cos": np.cos(angles).astype(np.float32), "sin": np.sin(angles).astype(np.float32)}, {}, interleaved=interleaved)
    compare(made, [feed], tmp_path)
