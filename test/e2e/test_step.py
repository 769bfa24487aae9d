# test_step.py - the derived ragged entry of decoders, proved right on a small one and on a real one.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`step` against `main` on random ragged batches; batches against single sequences, bit for bit; pasts that become presents in
place."""
from __future__ import annotations

from pathlib import Path
from typing import Callable

import mxn
import numpy as np
import onnx
import pytest
import small_decoder
import teacher_forced
from conftest import RealModel, mxn_command, save

REAL = "smollm2-opset24"
VARIANTS = {"rotary": {}, "window": {"window": 5}, "learned": {"positions": "learned"},
            "compared": {"positions": "mask", "window": 20}, "causal": {"causal": True}}
HALF = {"dtype": "float16"}


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """decoder(variant, **options) compiles a small decoder, once for each set of options."""
    made: dict[tuple, Path] = {}
    folder = tmp_path_factory.mktemp("decoders")

    def make(variant: str = "rotary", **options: object) -> Path:
        key = (variant, *sorted(options.items()))
        if key not in made:
            made[key] = mxn.compile(small_decoder.model(**VARIANTS.get(variant, HALF)), folder / f"{len(made)}.mxn", require_step=True,
                                    **options)
        return made[key]

    return make


def random_ids(count: int, seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).integers(0, small_decoder.VOCABULARY, count).tolist()


# --- step against main ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_step_agrees_with_main(variant: str, decoder: Callable[..., Path]) -> None:
    for seed in range(3):
        report = mxn.verify_step(decoder(variant), rounds=25, seed=seed)
        assert report.ok and report.largest_logit > 0, report
        assert report.rounds == 25 and report.sequences > 2 and report.longest > 16 and report.tokens > 50


@pytest.mark.parametrize("tokens", [1, 4, 64])
def test_blocks_of_other_sizes(tokens: int, decoder: Callable[..., Path]) -> None:
    bundle = decoder(block_tokens=tokens)
    assert mxn.LanguageModel(bundle).cache.groups[0].block_tokens == tokens
    assert mxn.verify_step(bundle, rounds=10).ok


def test_main_agrees_with_the_reference(decoder: Callable[..., Path]) -> None:
    """So that both aren't wrong in the same way."""
    from onnx.reference import ReferenceEvaluator
    for variant in VARIANTS:
        model = small_decoder.model(**VARIANTS[variant])
        inputs = {s.name: np.random.default_rng(1).standard_normal((1, small_decoder.SHARED, 7, small_decoder.SIZE),
                                                                   np.float32)
                  for s in model.graph.input if s.name.startswith("past")}
        inputs |= {"ids": np.array([random_ids(4)]), "positions": np.array([range(7, 11)])}
        if variant != "causal":
            inputs["mask"] = np.ones((1, 11), np.int64)
        got = mxn.load(decoder(variant)).run(inputs)
        for spec, want in zip(model.graph.output, ReferenceEvaluator(model).run(None, inputs)):
            np.testing.assert_allclose(got[spec.name], want, 1e-4, 1e-5, err_msg=f"{variant}: {spec.name}")


def test_a_wrong_step_is_noticed(tmp_path: Path) -> None:
    """A window of one key more, and a layer that reads the other's keys: each is found."""
    model = save(small_decoder.model(window=5), tmp_path / "model.onnx")
    for wrong in (("window = 5", "window = 6"), ("layer = 1", "layer = 0"), ("scale = 0.40824", "scale = 0.40825")):
        ir, bundle = tmp_path / "step.mlir", tmp_path / "wrong.mxn"
        mxn.compile(model, ir, compile_to="step")
        text = ir.read_text()
        assert wrong[0] in text
        ir.write_text(text.replace(*wrong))
        mxn.compile(ir, bundle, compile_from="step")
        report = mxn.verify_step(bundle, rounds=20, tolerance=1e-6)
        assert not report.ok and "DIFFERS" in str(report) and report.worst, wrong


def test_verify_step_says_what_is_missing(tmp_path: Path, decoder: Callable[..., Path]) -> None:
    model = small_decoder.model()
    node = onnx.helper.make_node("CumSum", ["logits.raw", "axis"], ["logits"], "sum_of_rows")
    next(n for n in model.graph.node if "logits" in n.output).output[0] = "logits.raw"
    model.graph.node.append(node)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(1), "axis"))
    reason = r"node 'sum_of_rows' \(CumSum\): S2: it isn't known to work on each row by itself"
    with pytest.raises(mxn.CompileError, match=reason):
        mxn.compile(model, require_step=True)
    bundle = mxn.compile(model, tmp_path / "refused.mxn")
    with pytest.raises(mxn.Error, match=f"has no function 'step', so there is nothing to verify: {reason}"):
        mxn.verify_step(bundle)
    with pytest.raises(mxn.InputError, match="at least 1 round"):
        mxn.verify_step(decoder(), rounds=0)
    # As many positions as ids: nothing tells one from the other.
    learned = small_decoder.model(positions="learned")
    with pytest.raises(mxn.CompileError, match="can't be told which input holds the token ids"):
        mxn.compile(_cut_positions(learned), require_step=True)


def _cut_positions(model: onnx.ModelProto) -> onnx.ModelProto:
    table = next(w for w in model.graph.initializer if tuple(w.dims) == (small_decoder.LENGTH, small_decoder.WIDTH))
    array = onnx.numpy_helper.to_array(table)[:small_decoder.VOCABULARY]
    table.CopyFrom(onnx.numpy_helper.from_array(array, table.name))
    return model


def test_compile_command(tmp_path: Path) -> None:
    model = save(small_decoder.model(), tmp_path / "model.onnx")
    done = mxn_command("compile", model, "--verify-step", "--verify-rounds", 4, "--verify-seed", 2, "--block-tokens=8")
    assert done.returncode == 0 and "step agrees with main" in done.stdout and "in 4 ragged batches" in done.stdout, done
    from small_models import perceptron
    other = save(perceptron(), tmp_path / "other.onnx")
    done = mxn_command("compile", other, "--verify-step")
    assert done.returncode == 1 and "has no function 'step', so there is nothing to verify" in done.stderr
    done = mxn_command("compile", other, "--require-step")
    assert done.returncode == 1 and "no attention of the model keeps a cache, so it has no step" in done.stderr
    done = mxn_command("compile", model, "--block-tokens=12")
    assert done.returncode == 1 and "block-tokens is 12, expected a power of two up to 1024" in done.stderr


def test_half_precision(decoder: Callable[..., Path]) -> None:
    """The cache is float16, logits are float32 for whoever samples; both functions add up in float32."""
    bundle = decoder("half")
    assert mxn.LanguageModel(bundle).cache.groups[0].type == "float16"
    report = mxn.verify_step(bundle, rounds=20)
    assert report.ok and report.longest > 16, report


# --- ragged batches ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("variant", ["rotary", "window"])
def test_batches_change_no_bit(variant: str, threads: int, decoder: Callable[..., Path]) -> None:
    """A sequence's logits are the same alone and in any company, in one part and in several, behind a fork."""
    bundle = decoder(variant)
    texts = [random_ids(n, n) for n in (37, 18, 1)]
    alone = [mxn.LanguageModel(bundle, threads=1).logits(t) for t in texts]
    model = mxn.LanguageModel(bundle, threads=threads)
    sequences = [model.sequence() for _ in texts]
    got = model.step([(s, t) for s, t in zip(sequences, texts)], range(sum(map(len, texts))))
    assert np.array_equal(got, np.concatenate(alone))
    assert model.run_stats()["bytes_copied"] == 0, "the cache is updated in place"

    parts, at = [model.sequence(), model.sequence()], [0, 0]
    for n, m in ((5, 17), (16, 0), (1, 1), (15, 0)):
        step = [(parts[i], texts[i][at[i]:at[i] + k]) for i, k in enumerate((n, m)) if k]
        rows = model.step(step, range(n + m))
        want = np.concatenate([alone[i][at[i]:at[i] + k] for i, k in enumerate((n, m))])
        assert np.array_equal(rows, want)
        assert model.run_stats()["bytes_copied"] == 0
        at = [at[0] + n, at[1] + m]

    tail = random_ids(9, 99)
    fork = sequences[0].fork()
    first, second = model.step([(fork, tail), (sequences[0], tail[::-1])])
    single = mxn.LanguageModel(bundle, threads=1)
    assert np.array_equal(first, single.logits(texts[0] + tail)[-1])
    assert np.array_equal(second, single.logits(texts[0] + tail[::-1])[-1])


def test_blocks_with_gaps(decoder: Callable[..., Path]) -> None:
    """Blocks that were freed are used again, in another order, beside those of other sequences."""
    bundle = decoder(block_tokens=4)
    model = mxn.LanguageModel(bundle, max_tokens=80, max_sequences=5)
    single = mxn.LanguageModel(bundle)
    sequences = [model.sequence() for _ in range(4)]
    for n in range(4):  # interleaved, so that no sequence has neighbouring blocks
        model.step([(s, random_ids(4, 10 * i + n)) for i, s in enumerate(sequences)])
    for s in (sequences[2], sequences[0]):
        s.free()
    long = model.sequence()
    ids = random_ids(30, 7)
    assert np.array_equal(model.step([(long, ids)], range(30)), single.logits(ids))
    for s in (sequences[1], sequences[3], long):
        kept = list(s.ids)
        assert np.array_equal(model.step([(s, [5])])[0], single.logits([*kept, 5])[-1])
    sequences[1].truncate(6)
    kept = list(sequences[1].ids)
    assert np.array_equal(model.step([(sequences[1], ids[:9])], range(9)), single.logits(kept + ids[:9])[-9:])


# --- pasts that become presents ---------------------------------------------------------------------------------------


def grow(bundle: Path, ids: list[int], capacity: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Feeds ids one by one through main; the logits, and the presents behind them. With a capacity each past has memory for so
    many tokens, which it never leaves."""
    model = mxn.load(bundle, threads=2)
    specs = {s.name: s for s in model.functions["main"].inputs}
    pasts = {n: s for n, s in specs.items() if len(s.shape) == 4}
    present = {n: n.replace("past.", "new.").replace("past_key_values", "present") for n in pasts}
    memory = {n: np.full((s.shape[1], capacity, s.shape[3]), np.nan, s.dtype) for n, s in pasts.items()}
    state = {n: memory[n].reshape(-1)[:0].reshape(1, s.shape[1], 0, s.shape[3]) for n, s in pasts.items()}
    logits = []
    for n, token in enumerate(ids):
        values = {"position": [[n]], "mask": [[1] * (n + 1)], "ids": [[token]]}
        inputs = {name: np.array(next(v for k, v in values.items() if k in name), np.int64)
                  for name in specs if name not in pasts}
        output = model.run(inputs | state, donate=memory if capacity else ())
        state = {name: output[p] for name, p in present.items()}
        for name in pasts if capacity else ():
            assert state[name].ctypes.data == memory[name].ctypes.data, f"the present of {name} is another buffer"
        logits.append(output["logits"][0, 0])
    if capacity:
        assert model.context().stats()["output_bytes"] < output["logits"].nbytes + 4096, "there are second buffers of presents"
    return np.array(logits), state


def check_growth(bundle: Path, ids: list[int]) -> None:
    want, presents = grow(bundle, ids)
    got, grown = grow(bundle, ids, capacity=len(ids))
    assert np.array_equal(got, want)
    for name, array in presents.items():
        assert np.array_equal(grown[name], array), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_pasts_become_presents_in_place(variant: str, decoder: Callable[..., Path]) -> None:
    check_growth(decoder(variant), random_ids(40))


def test_donated_memory_that_does_not_fit(decoder: Callable[..., Path]) -> None:
    model = mxn.load(decoder("causal"))
    shape = (1, small_decoder.SHARED, 3, small_decoder.SIZE)
    past = {n: np.ones(shape, np.float32) for n, s in model.inputs.items() if len(s.shape) == 4}
    inputs = past | {"ids": np.array([[1, 2]]), "positions": np.array([[3, 4]])}
    want = model.run(inputs)
    name = next(iter(past))
    for memory in (past[name].copy(), np.ones(3, np.float32), np.ones((2, 100), np.float32)[:, ::2]):
        with pytest.raises(mxn.InputError, match="expected donated memory that is contiguous, writable, and begins with the tensor"):
            model.run(inputs, donate={name: memory})
    got = model.run(inputs, donate=[name])  # no room: the present stands elsewhere
    for n, array in want.items():
        assert np.array_equal(got[n], array)
        assert got[n].ctypes.data != past[name].ctypes.data


# --- a real model -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", [REAL, "smollm2-genai-fp32", "smollm2-genai-int4", "smollm2-q4_1", "smollm2-optimum",
                                  "smollm2-dynamo18"])
def test_real_step_agrees_with_main(name: str, bundle: Callable[..., Path]) -> None:
    report = mxn.verify_step(bundle(name, require_step=True), rounds=2)
    print(report)
    assert report.ok and report.longest > 16, report


@pytest.mark.slow
def test_real_pasts_become_presents_in_place(bundle: Callable[..., Path]) -> None:
    check_growth(bundle(REAL, require_step=True), [1, 4093, 198])


@pytest.mark.slow
def test_real_batches_change_no_bit(bundle: Callable[..., Path]) -> None:
    texts = [[504, 3575, 282], [1, 4093]]
    single = mxn.LanguageModel(bundle(REAL, require_step=True), threads=1)
    alone = np.concatenate([single.logits(t) for t in texts])
    model = mxn.LanguageModel(bundle(REAL, require_step=True), threads=2)
    sequences = [model.sequence() for _ in texts]
    assert np.array_equal(model.step([(s, t) for s, t in zip(sequences, texts)], range(5)), alone)
    assert model.run_stats()["bytes_copied"] == 0


@pytest.mark.slow
def test_teacher_forced(bundle: Callable[..., Path], real_model: Callable[[str], RealModel]) -> None:
    report = teacher_forced.check(mxn.LanguageModel(bundle(REAL, require_step=True)), real_model(REAL).folder, cases=["chat", "story"], tokens=8)
    print(report)
    assert report.ok, report
    assert report.positions == 16 and report.rows == 2
