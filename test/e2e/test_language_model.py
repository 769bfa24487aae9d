# test_language_model.py - mxn.LanguageModel, mxn chat and mxn bench on the toy language model.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the toy answers is known exactly, so these tests see every mistake of caches, batches, forks and reuse."""
from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import mxn
import numpy as np
import pytest
import toy_model
from conftest import ROOT, mxn_command
from mxn.language.text import Detokenizer
from toy_model import answer, answers


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_model.make(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def model(bundle: Path) -> mxn.LanguageModel:
    return mxn.LanguageModel(bundle, threads=2)


def best(logits: np.ndarray) -> list[int]:
    return logits.argmax(-1).tolist()


def text_of(ids: list[int]) -> str:
    return toy_model.tokenizer().decode(ids)


def test_describes_itself(model: mxn.LanguageModel) -> None:
    assert [(g.name, g.block_tokens, g.sink, g.window) for g in model.cache.groups] == [("all", 4, 0, 0), ("near", 4, 2, 6)]
    assert model.vocabulary == 512 and model.context_length == 64
    assert model.chat_template == toy_model.TEMPLATE
    assert model.cache.stats()["blocks_total"] == 2 * (64 // 4 + 15)


def test_logits(model: mxn.LanguageModel) -> None:
    ids = [7, 0, 511, 3, 3, 9, 200, 1, 5, 77, 13]
    logits = model.logits(ids)
    assert logits.shape == (11, 512) and logits.dtype == np.float32
    assert best(logits) == [answer(ids[:n]) for n in range(1, 12)]
    assert model.logits([]).shape == (0, 512)
    assert model.cache.stats()["bytes_used"] == 0


def test_ragged_steps_and_forks(model: mxn.LanguageModel) -> None:
    a, b = model.sequence(), model.sequence()
    assert best(model.step([(a, [1, 2, 3, 4, 5]), (b, [6])])) == [answer([1, 2, 3, 4, 5]), answer([6])]
    c = a.fork()
    assert best(model.step([(c, [9, 9]), (b, [7]), (a, [8])], rows=[3, 0, 1, 2])) == \
        [answer([1, 2, 3, 4, 5, 8]), answer([1, 2, 3, 4, 5, 9]), answer([1, 2, 3, 4, 5, 9, 9]), answer([6, 7])]
    assert model.step([(b, [1])], rows=[]).shape == (0, 512)
    d = c.prefix(3)
    assert best(model.step([(d, [0])])) == [answer([1, 2, 3, 0])]
    c.truncate(6)
    assert best(model.step([(c, [2])])) == [answer([1, 2, 3, 4, 5, 9, 2])]
    assert c.ids == [1, 2, 3, 4, 5, 9, 2] and len(b) == 3
    assert model.run_stats()["bytes_copied"] == 0


def test_sequences_are_freed(model: mxn.LanguageModel, bundle: Path) -> None:
    with model.sequence() as a:
        model.step([(a, range(10))])
        assert model.cache.stats()["sequences"] == 1
    assert model.cache.stats()["bytes_used"] == 0
    with pytest.raises(mxn.InputError, match="was freed"):
        model.step([(a, [1])])
    b = model.sequence()
    model.step([(b, [1])])
    del b
    assert model.cache.stats()["sequences"] == 0
    with pytest.raises(mxn.InputError, match="another model"):
        model.step([(mxn.LanguageModel(bundle).sequence(), [1])])


def test_refusals_change_nothing(model: mxn.LanguageModel) -> None:
    a = model.sequence()
    model.step([(a, [1, 2])])
    with pytest.raises(mxn.RunError, match="the cache is full: .* of 31 are free"):
        model.step([(a, [0] * 400)])
    with pytest.raises(mxn.RunError, match="out of range"):
        model.step([(a, [3, 1000])])
    with pytest.raises(mxn.RunError, match="has no tokens"):
        model.step([(a, [])])
    with pytest.raises(mxn.RunError, match="twice"):
        model.step([(a, [1]), (a, [1])])
    with pytest.raises(mxn.InputError, match="expected token ids"):
        model.step([(a, ["x"])])
    with pytest.raises(mxn.InputError, match="number of tokens"):
        a.truncate(-1)
    assert a.ids == [1, 2] and best(model.step([(a, [3])])) == [answer([1, 2, 3])]


def test_generate(model: mxn.LanguageModel) -> None:
    ids = model.encode("Hello, 日本!")
    wanted = answers(ids, 12)
    assert list(model.tokens(ids, 12)) == wanted
    assert model.generate("Hello, 日本!", 12) == text_of(wanted) == model.generate(ids, 12) == model.generate(np.array(ids), 12)
    pieces = list(model.generate("Hello, 日本!", 12, stream=True))
    assert len(pieces) > 1 and "".join(pieces) == text_of(wanted)
    assert all(not p.endswith("\ufffd") for p in pieces[:-1])
    assert model.generate("x", 8, temperature=5.0, seed=1) == model.generate("x", 8, temperature=5.0, seed=1)
    assert model.generate("x", 8, temperature=5.0, top_k=1) == model.generate("x", 8)
    assert model.cache.stats()["sequences"] == 0


def ends_well(ids: list[int]) -> bool:
    """Whether there is an end, after a word and not at once."""
    return toy_model.END in ids and any(i > 255 for i in ids[1:ids.index(toy_model.END)])


def test_generate_ends(model: mxn.LanguageModel) -> None:
    """At the id that ends a text, at a stop text, at the model's length."""
    found = next([a, b] for a in range(512) for b in range(20) if ends_well(answers([a, b], 40)))
    wanted = answers(found, 40)
    wanted = wanted[:wanted.index(toy_model.END)]
    assert list(model.tokens(found)) == wanted
    word = next(i for i in wanted if i > 255)
    stop = f" w{word}"
    assert model.generate(found, stop=stop) == text_of(wanted[:wanted.index(word)])
    assert model.generate(found, stop=["nowhere", stop, ""]) == model.generate(found, stop=stop)
    endless = next(i for i in range(512) if toy_model.END not in answers([i], 64))
    assert list(model.tokens([endless])) == answers([endless], 64)
    with pytest.raises(mxn.InputError, match="the prompt has 65 tokens, the model takes 64"):
        model.generate([1] * 65)
    with pytest.raises(mxn.InputError, match="at least one"):
        model.generate([])


def test_messages(model: mxn.LanguageModel) -> None:
    messages = [{"role": "system", "content": "Short."}, {"role": "user", "content": "Hi"}]
    ids = model.tokenizer.encode("[system|Short.][user|Hi][me|").ids
    assert model.encode(messages) == ids
    assert model.generate(messages, 5) == text_of(answers(ids, 5))


def test_a_sequence_keeps_what_prompts_share(model: mxn.LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[int] = []
    step = model.cache.step
    monkeypatch.setattr(model.cache, "step", lambda parts, *rest, **more: (fed.append(len(parts[0][1])),
                                                                           step(parts, *rest, **more))[1])
    sequence = model.sequence()
    first = [5, 6, 7, 8]
    said = list(model.tokens(first, 4, sequence=sequence))
    assert said == answers(first, 4) and fed == [4, 1, 1, 1]
    fed.clear()
    second = [*first, *said, 9]
    assert list(model.tokens(second, 1, sequence=sequence)) == answers(second, 1)
    assert fed == [2], "the last token that was said, and the new one"
    fed.clear()
    assert list(model.tokens(second, 1, sequence=sequence)) == answers(second, 1) and fed == [1]
    fed.clear()
    other = [5, 6, *range(20, 40)]
    assert list(model.tokens(other, 3, sequence=sequence)) == answers(other, 3) and fed == [20, 1, 1]
    fed.clear()  # the window gave back what this one needs, so it begins anew
    third = [*other[:10], 3]
    assert list(model.tokens(third, 2, sequence=sequence)) == answers(third, 2) and fed == [11, 1]


def test_long_prompts_go_in_parts(tmp_path: Path) -> None:
    model = mxn.LanguageModel(toy_model.make(tmp_path, {}), max_tokens=1300)
    ids = np.random.default_rng(0).integers(0, 512, 1200).tolist()
    assert list(model.tokens(ids, 3)) == answers(ids, 3)
    assert best(model.logits(ids)[[0, 511, 512, 1199]]) == [answer(ids[:n]) for n in (1, 512, 513, 1200)]


def test_threads_wait_for_each_other(model: mxn.LanguageModel) -> None:
    wrong: list[object] = []

    def call(seed: int) -> None:
        try:
            for n in range(5):
                ids = [seed, n, seed * n]
                assert list(model.tokens(ids, 6)) == answers(ids, 6)
        except BaseException as e:  # reported by the main thread
            wrong.append(e)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_what_is_missing(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = mxn.LanguageModel(toy_model.make(tmp_path, {}))
    assert list(bare.tokens([1, 2], 3)) == answers([1, 2], 3)
    with pytest.raises(mxn.Error, match="carries no tokenizer.json"):
        bare.generate("text")
    with pytest.raises(mxn.Error, match="carries no chat template"):
        bare.files.render([{"role": "user", "content": "Hi"}])
    damaged = toy_model.make(tmp_path, {"config.json": "["})
    with pytest.raises(mxn.Error, match="config.json in the bundle is not JSON"):
        mxn.LanguageModel(damaged)
    with pytest.raises(mxn.Error, match="tokenizer.json in the bundle is damaged"):
        mxn.LanguageModel(toy_model.make(tmp_path, {"tokenizer.json": "{}"})).tokenizer
    main = toy_model.make(tmp_path, {}, "main")
    with pytest.raises(mxn.Error, match='has no function "step".*isn\'t a language model'):
        mxn.LanguageModel(main)
    monkeypatch.setattr(mxn.Model, "metadata", lambda self, key: "'/Where_3': mixes rows" if key == "step.refused" else None)
    with pytest.raises(mxn.Error, match="'/Where_3': mixes rows"):
        mxn.LanguageModel(main)


def test_real_tokenizer(real_model, tmp_path: Path) -> None:
    """SmolLM2's own files and the recorded ids of its prompts."""
    folder = real_model("smollm2-q4_1").folder
    names = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json", "config.json")
    model = mxn.LanguageModel(toy_model.make(tmp_path, {n: (folder / n).read_text() for n in names}))
    for case in json.loads((folder / "reference.json").read_text()).values():
        assert model.encode(case["prompt"]) == case["ids"]
        text = Detokenizer(model.tokenizer)
        said = [i for i in case["greedy"] if i not in model.files.end_ids]
        assert "".join(map(text.push, said)) + text.finish() == case["text"].removesuffix("<|im_end|>")
    assert model.encode([{"role": "user", "content": "What is the capital of France?"}]) == \
        json.loads((folder / "reference.json").read_text())["chat"]["ids"]
    assert model.files.end_ids == {2} and model.context_length == 8192


def test_chat_command(bundle: Path, model: mxn.LanguageModel, tmp_path: Path) -> None:
    said = model.generate([{"role": "user", "content": "Hi"}], 6)
    done = mxn_command("chat", bundle, "--prompt", "Hi", "--max-tokens", 6)
    assert (done.returncode, done.stdout, done.stderr) == (0, said + "\n", "")
    said = model.generate([{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}], 6)
    assert mxn_command("chat", bundle, "--prompt", "Hi", "--max-tokens", 6, "--system", "S").stdout == said + "\n"
    assert mxn_command("chat", bundle, "--prompt", "Hi", "--max-tokens", 6, "--raw").stdout == model.generate("Hi", 6) + "\n"
    done = mxn_command("chat", toy_model.make(tmp_path, {}), "--prompt", "Hi")
    assert (done.returncode, done.stderr) == \
        (1, "mxn: error: the bundle carries no chat template; --raw goes on with a text as it is\n")


def test_chat_reads_lines(bundle: Path, model: mxn.LanguageModel, monkeypatch: pytest.MonkeyPatch,
                          capsys: pytest.CaptureFixture[str]) -> None:
    """Two turns, an empty line, and a turn that makes the conversation too long."""
    lines = iter(["a", "", "b", "c" * 60, "a"])

    def read(prompt: str) -> str:
        assert prompt == ""
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)
    from mxn.cli import main
    assert main(["chat", str(bundle), "--max-tokens", "3"]) == 0
    first = model.generate([{"role": "user", "content": "a"}], 3)
    second = model.generate([{"role": "user", "content": "a"}, {"role": "assistant", "content": first},
                             {"role": "user", "content": "b"}], 3)
    captured = capsys.readouterr()
    assert captured.out == f"{first}\n{second}\n\n{first}\n"
    assert "the conversation begins anew" in captured.err


def test_chat_ends_at_ctrl_c(bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from mxn.cli import main
    from mxn.language.cache import Cache
    step, calls = Cache.step, []

    def interrupted(self, *arguments, **more):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return step(self, *arguments, **more)

    monkeypatch.setattr(Cache, "step", interrupted)
    assert main(["chat", str(bundle), "--prompt", "Hi", "--raw"]) == 130
    monkeypatch.setattr("builtins.input", lambda prompt: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main(["chat", str(bundle)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("batch", [1, 3])
def test_bench_command(bundle: Path, batch: int) -> None:
    done = mxn_command("bench", bundle, "--prompt", 20, "--generate", 8, "--context", 11, "--batch", batch, "--threads", 1,
                       "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures) == {"prefill_tok_s", "decode_tok_s", "load_s", "first_token_s", "peak_rss_mb", "cache_bytes",
                            "bytes_copied"}
    assert figures.pop("bytes_copied") == 0 and all(v > 0 for v in figures.values())
    assert figures["first_token_s"] > figures["load_s"]


def test_bench_leaves_parts_out(bundle: Path) -> None:
    done = mxn_command("bench", bundle, "--prompt", 0, "--generate", 2, "--context", 4)
    assert done.returncode == 0 and "decode_tok_s" in done.stdout and "prefill" not in done.stdout
    assert "decode" not in mxn_command("bench", bundle, "--prompt", 4, "--generate", 0).stdout
    done = mxn_command("bench", bundle, "--batch", 0)
    assert (done.returncode, done.stderr) == (1, "mxn: error: expected --batch of at least 1, got 0\n")


def test_examples_of_the_documentation(bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    """The Python of docs/serving.md runs, one part after another."""
    parts = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "serving.md").read_text(), re.M | re.S)
    assert len(parts) == 3
    files = toy_model.files() | {"config.json": {"max_position_embeddings": 400}, "generation_config.json": {}}
    monkeypatch.chdir(toy_model.make(tmp_path, files).rename(tmp_path / "model.mxn").parent)
    names: dict[str, object] = {}
    for part in parts:
        exec(part, names)  # noqa: S102
    assert names["logits"].argmax(-1).tolist() == [answer([1, 2, 3, 5]), answer([1, 2, 3, 6]), answer([1, 2, 3, 6, 7])]
    assert capsys.readouterr().out.startswith(mxn.LanguageModel("model.mxn").generate("Once upon a time", 20))
