# test_genai.py - language models as ONNX Runtime GenAI's builder writes them.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Logits of prompts, and greedy tokens with the past that each call gives to the next."""
from __future__ import annotations

import json
from typing import Iterable

import mxn
import numpy as np
import pytest

MODELS = ["smollm2-genai-fp32", "smollm2-genai-int4", "smollm2-q4_1"]
LAYERS, KV_HEADS, SIZE = 30, 3, 64
# The recorded logits are float16: 0.008 of their largest values is rounding.
LARGEST_DIFFERENCE = 0.02


class Decoder:
    """A model and the past of one sequence."""

    def __init__(self, model: mxn.Model):
        self.model, self.length = model, 0
        self.past = {f"past_key_values.{i}.{kind}": np.zeros((1, KV_HEADS, 0, SIZE), np.float32)
                     for i in range(LAYERS) for kind in ("key", "value")}

    def step(self, ids: Iterable[int]) -> np.ndarray:
        """The logits behind the last of some more tokens."""
        ids = np.asarray([list(ids)], np.int64)
        self.length += ids.shape[1]
        out = self.model.run({"input_ids": ids, "attention_mask": np.ones((1, self.length), np.int64), **self.past})
        self.past = {name: out[name.replace("past_key_values", "present")] for name in self.past}
        return out["logits"][0, -1]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_logits(name: str, real_model, bundle) -> None:
    folder, model = real_model(name).folder, mxn.load(bundle(name))
    prompts = json.loads((folder / "reference.json").read_text())
    with np.load(folder / "logits.npz") as wanted:
        for prompt in ("chat", "story"):
            ids = prompts[prompt]["ids"]
            whole, parts = Decoder(model).step(ids), Decoder(model)
            parts.step(ids[:-2])
            for logits in (whole, parts.step(ids[-2:])):
                assert np.abs(logits - wanted[prompt].astype(np.float32)).max() < LARGEST_DIFFERENCE


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_greedy_tokens(name: str, real_model, bundle) -> None:
    prompt = json.loads((real_model(name).folder / "reference.json").read_text())["story"]
    decoder, ids, tokens = Decoder(mxn.load(bundle(name))), prompt["ids"], []
    for _ in range(8):
        tokens.append(int(decoder.step(ids).argmax()))
        ids = tokens[-1:]
    assert tokens == prompt["greedy"][:8]


@pytest.mark.parametrize("name", ["smollm2-genai-int4", "smollm2-q4_1"])
def test_shared_weight_is_stored_once(name: str, real_model, bundle) -> None:
    """The language model's head and the embedding read the same tensor of 14 MB or more; tokenizer and code take less than half of that."""
    weights = (real_model(name).folder / "weights.data").stat().st_size
    assert bundle(name).stat().st_size < weights + 7_000_000
