# bench.py - mxn bench.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""measures a language model

prefill_tok_s  tokens of a prompt of P random ids / time until the logits of its last token
decode_tok_s   tokens a second when G tokens are decoded, always the best one, after C random ids; with --batch, B sequences
               are decoded together and their tokens add up
load_s         time to open the bundle and make context and cache
first_token_s  time from the import of this package to the first token of a prompt of 5 tokens, in this process

peak_rss_mb is in MiB, cache_bytes is the cache's memory, bytes_copied what copy instructions moved in the last step. Tokens that
end a text are ignored. Run it several times on a quiet machine, and compare only figures of the same minutes.
"""
from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..language import LanguageModel, Sequence
from ..started import STARTED

COLD, WARM_UP, HIGHEST = 5, 2, 40000


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE.mxn")
    parser.add_argument("--prompt", type=int, default=512, metavar="P", help="0 leaves the prefill out (default: %(default)s)")
    parser.add_argument("--generate", type=int, default=64, metavar="G", help="0 leaves the decoding out (default: %(default)s)")
    parser.add_argument("--context", type=int, metavar="C", help="tokens before those that are decoded (default: P)")
    parser.add_argument("--batch", type=int, default=1, metavar="B", help="sequences decoded together (default: 1)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="threads (default: one for each core)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def random_ids(count: int, seed: int, vocabulary: int | None) -> np.ndarray:
    """Different ids for every prompt, above the control tokens where the vocabulary reaches that far."""
    high = min(HIGHEST, vocabulary or HIGHEST)
    return np.random.default_rng(seed).integers(100 if high > 200 else 0, high, count, dtype=np.int64)


def run(args: argparse.Namespace) -> int:
    context = args.prompt if args.context is None else args.context
    for name, value, least in (("prompt", args.prompt, 0), ("generate", args.generate, 0), ("batch", args.batch, 1),
                               ("context", context, 1 if args.generate else 0)):
        if value < least:
            raise InputError(f"expected --{name} of at least {least}, got {value}")
    decoded = args.batch * (context + args.generate + WARM_UP) if args.generate else 0
    start = time.perf_counter()
    model = LanguageModel(args.bundle, args.threads, max(decoded, args.prompt, COLD + WARM_UP), args.batch)
    figures: dict[str, float] = {"load_s": time.perf_counter() - start}
    with model.sequence() as sequence:
        token = prefill(model, sequence, COLD, 0)
        figures["first_token_s"] = time.perf_counter() - STARTED
        decode(model, [sequence], np.array([token]), WARM_UP)
    if args.prompt:
        for seed in (1, 2):  # the first warms up
            with model.sequence() as sequence:
                start = time.perf_counter()
                prefill(model, sequence, args.prompt, seed)
                figures["prefill_tok_s"] = args.prompt / (time.perf_counter() - start)
    if args.generate:
        sequences = [model.sequence() for _ in range(args.batch)]
        tokens = np.array([prefill(model, s, context, 3 + i) for i, s in enumerate(sequences)])
        tokens = decode(model, sequences, tokens, WARM_UP)
        start = time.perf_counter()
        decode(model, sequences, tokens, args.generate)
        figures["decode_tok_s"] = args.batch * args.generate / (time.perf_counter() - start)
    figures["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures["cache_bytes"] = model.cache.stats()["bytes"]
    figures["bytes_copied"] = model.run_stats()["bytes_copied"]
    if args.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:14}{value:.6g}")
    return 0


def prefill(model: LanguageModel, sequence: Sequence, count: int, seed: int) -> int:
    """Puts random ids into a sequence; returns the best token after them."""
    return int(model.feed(sequence, random_ids(count, seed, model.vocabulary)).argmax())


def decode(model: LanguageModel, sequences: list[Sequence], tokens: np.ndarray, count: int) -> np.ndarray:
    """Lets every sequence grow by `count` tokens; returns the tokens after them."""
    for _ in range(count):
        logits = model.step([(s, [t]) for s, t in zip(sequences, tokens)], copy=False)
        tokens = logits.argmax(axis=1)
    return tokens
