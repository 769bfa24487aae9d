# test_language_text.py - text of language models: tokens to text, stop texts, sampling, chat templates.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from __future__ import annotations

import numpy as np
import pytest
from mxn import Error, InputError
from mxn.language.sampling import Sampler
from mxn.language.text import Detokenizer, until
from tokenizers import Tokenizer, decoders, models, pre_tokenizers


def byte_tokenizer() -> Tokenizer:
    """A token for each byte, and <end>."""
    vocabulary = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<end>"])
    return tokenizer


def metaspace_tokenizer() -> Tokenizer:
    """Words that bring the space before them."""
    tokenizer = Tokenizer(models.WordLevel({"▁a": 0, "▁b": 1, "c": 2}, "c"))
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


@pytest.mark.parametrize("text", ["plain", "naïve café", "日本語 and 🙂🙂", "\ufffd is a character too", ""])
def test_pieces_make_the_text(text: str) -> None:
    tokenizer = byte_tokenizer()
    detokenizer = Detokenizer(tokenizer)
    pieces = [detokenizer.push(i) for i in tokenizer.encode(text).ids]
    assert all("\ufffd" not in p or "\ufffd" in text for p in pieces)
    assert "".join(pieces) + detokenizer.finish() == text


def test_incomplete_character_comes_at_the_end() -> None:
    tokenizer = byte_tokenizer()
    detokenizer = Detokenizer(tokenizer)
    ids = tokenizer.encode("a🙂").ids[:-1]
    assert [detokenizer.push(i) for i in ids] == ["a", "", "", ""]
    assert detokenizer.finish() == "\ufffd"


def test_spaces_of_words_and_special_tokens() -> None:
    detokenizer = Detokenizer(metaspace_tokenizer())
    assert [detokenizer.push(i) for i in (0, 1, 2, 0)] == ["a", " b", "c", " a"]
    tokenizer = byte_tokenizer()
    detokenizer = Detokenizer(tokenizer)
    end = tokenizer.token_to_id("<end>")
    ids = tokenizer.encode("xy").ids
    assert [detokenizer.push(i) for i in (ids[0], end, end, ids[1])] == ["x", "", "", "y"]


def test_until_holds_back_what_may_become_a_stop() -> None:
    assert list(until(["ab", "c", "d"], [])) == ["ab", "c", "d"]
    assert list(until(["one ", "ST", "OP", "two"], ["STOP"])) == ["one "]
    assert list(until(["one S", "T", "ART"], ["STOP"])) == ["one ", "START"]
    assert list(until(["one ST"], ["STOP"])) == ["one ", "ST"]
    assert list(until(["aXbY"], ["Y", "X"])) == ["a"]
    assert list(until(["X"], ["X"])) == []


def test_sampler() -> None:
    logits = np.log(np.array([0.1, 0.5, 0.3, 0.1], np.float32))
    assert Sampler().choose(logits) == 1
    counts = np.bincount([Sampler(1, seed=s).choose(logits) for s in range(2000)], minlength=4) / 2000
    np.testing.assert_allclose(counts, [0.1, 0.5, 0.3, 0.1], atol=0.05)
    assert {Sampler(1, top_k=2, seed=s).choose(logits) for s in range(200)} == {1, 2}
    assert {Sampler(1, top_k=99, seed=s).choose(logits) for s in range(200)} == {0, 1, 2, 3}
    assert {Sampler(1, top_p=0.7, seed=s).choose(logits) for s in range(200)} == {1, 2}
    assert {Sampler(1, top_p=0.4, seed=s).choose(logits) for s in range(50)} == {1}
    assert {Sampler(0.01, seed=s).choose(logits) for s in range(50)} == {1}
    one, two = Sampler(1, seed=5), Sampler(1, seed=5)
    assert [one.choose(logits) for _ in range(20)] == [two.choose(logits) for _ in range(20)]
    for wrong in ({"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.5}):
        with pytest.raises(InputError):
            Sampler(**wrong)


def test_templates() -> None:
    from mxn.language.template import compile_template
    render = compile_template("{% for m in messages %}\n{{ m.role }}: {{ m | tojson }}\n{% endfor %}\n"
                              "{% generation %}{{ bos_token }}{% endgeneration %}")
    assert render(messages=[{"role": "user", "content": "é"}], bos_token="<s>") == \
        'user: {"role": "user", "content": "é"}\n<s>'
    with pytest.raises(InputError, match="only users"):
        compile_template("{{ raise_exception('only users') }}")()
    with pytest.raises(InputError, match="unsafe"):
        compile_template("{{ ''.__class__.__mro__[1].__subclasses__() }}")()
    with pytest.raises(Error, match="template is wrong"):
        compile_template("{% for %}")
