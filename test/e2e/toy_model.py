# toy_model.py - the toy language model of the unit tests, for tests of the package.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""test/unit/Runtime/Kernels.c holds the model, mxn-make-test-bundle writes its bundle. After each token it is sure of one id, which
depends on every token before, so that a block in the wrong place shows."""
from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Sequence

import pytest
from mxn import NotFoundError
from mxn.locate import tool
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

VOCABULARY, BLOCK, SINK, WINDOW = 512, 4, 2, 6
END = 300  # the id that ends a text
TEMPLATE = "{% for m in messages %}[{{ m.role }}|{{ m.content }}]{% endfor %}{% if add_generation_prompt %}[me|{% endif %}"


def answer(ids: Sequence[int]) -> int:
    """The id that follows."""
    last = len(ids) - 1
    near = sum(i for p, i in enumerate(ids) if p < SINK or p + WINDOW > last)
    return (last + sum((p + 1) * i for p, i in enumerate(ids)) + 31 * near) % VOCABULARY


def answers(ids: Sequence[int], count: int) -> list[int]:
    """The ids that follow, one after another."""
    all_ids = list(ids)
    for _ in range(count):
        all_ids.append(answer(all_ids))
    return all_ids[len(ids):]


def tokenizer() -> Tokenizer:
    """Ids 0 to 255 are bytes, in an order of the library's own; the others are words such as " w300"."""
    vocabulary = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    vocabulary |= {f"Ġw{i}": i for i in range(256, VOCABULARY)}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    return made


def files() -> dict[str, Any]:
    """What the bundle carries unless a test says otherwise."""
    return {"tokenizer.json": tokenizer().to_str(), "chat_template.jinja": TEMPLATE,
            "generation_config.json": {"eos_token_id": [END]}, "config.json": {"max_position_embeddings": 64}}


def make(folder: Path, contents: dict[str, Any] | None = None, function: str = "step") -> Path:
    """A bundle that carries these files."""
    try:
        program = tool("mxn-make-test-bundle")
    except NotFoundError:
        pytest.skip("needs mxn-make-test-bundle, which is built with the unit tests")
    folder, paths = Path(tempfile.mkdtemp(dir=folder)), []  # never over a bundle that is open
    for name, value in (files() if contents is None else contents).items():
        paths.append(folder / name)
        paths[-1].write_text(value if isinstance(value, str) else json.dumps(value))
    bundle = folder / "toy.mxn"
    subprocess.run([program, bundle, *(["step", *paths] if function == "step" else [])], check=True)
    return bundle
