# test_serving.py - real language models through their ragged entry.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recorded logits and texts of ONNX Runtime against LanguageModel: alone, in ragged batches, forked, in parts."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Callable

import mxn
import numpy as np
import pytest
from conftest import RealModel, mxn_command

pytestmark = pytest.mark.slow
NAME = "smollm2-opset24"
TOLERANCE = 0.02  # the recorded logits are float16, of values up to 26


@pytest.fixture(scope="module")
def model(bundle: Callable[..., Path]) -> mxn.LanguageModel:
    return mxn.LanguageModel(bundle(NAME))


@pytest.fixture(scope="module")
def expected(real_model: Callable[[str], RealModel]) -> dict[str, dict]:
    """{prompt: {"ids", "greedy", "logits"}} of the recorded prompts that have logits."""
    folder = real_model(NAME).folder
    cases = json.loads((folder / "reference.json").read_text())
    with np.load(folder / "logits.npz") as file:
        return {n: cases[n] | {"logits": file[n].astype(np.float32)} for n in file.files}


def close(logits: np.ndarray, case: dict) -> bool:
    return bool(np.abs(logits - case["logits"]).max() < TOLERANCE)


def test_ragged_batch_and_fork(model: mxn.LanguageModel, expected: dict[str, dict]) -> None:
    cases = list(expected.values())
    sequences = [model.sequence() for _ in cases]
    logits = model.step([(s, c["ids"]) for s, c in zip(sequences, cases)])
    assert all(map(close, logits, cases))
    forks = [s.fork() for s in sequences]
    said = [[int(row.argmax())] for row in logits]
    for _ in range(4):
        logits = model.step([(s, ids[-1:]) for s, ids in zip(sequences, said)])
        for ids, row in zip(said, logits):
            ids.append(int(row.argmax()))
    assert said == [c["greedy"][:5] for c in cases]
    assert model.run_stats()["bytes_copied"] == 0
    # The forks know nothing of what the others said.
    logits = model.step([(s, ids[:3]) for s, ids in zip(forks, said)], rows=range(3 * len(cases)))
    assert logits.argmax(-1).reshape(len(cases), 3).tolist() == [c["greedy"][1:4] for c in cases]


def test_parts_give_the_same(model: mxn.LanguageModel, expected: dict[str, dict]) -> None:
    case = expected["story"]
    with model.sequence() as sequence:
        for part in (case["ids"][:1], case["ids"][1:2], case["ids"][2:]):
            logits = model.step([(sequence, part)])
        assert close(logits[0], case)
    assert close(model.logits(case["ids"])[-1], case)


def test_chat_says_what_is_recorded(bundle: Callable[..., Path], expected: dict[str, dict]) -> None:
    done = mxn_command("chat", bundle(NAME), "--prompt", "What is the capital of France?", "--max-tokens", 20)
    assert (done.returncode, done.stdout) == (0, expected["chat"]["text"].removesuffix("<|im_end|>") + "\n"), done.stderr


def test_other_models_say_why_not(bundle: Callable[..., Path]) -> None:
    with pytest.raises(mxn.Error, match='has no function "step"'):
        mxn.LanguageModel(bundle("magika"))
