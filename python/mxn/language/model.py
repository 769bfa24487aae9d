# model.py - a language model: text in, text out.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`LanguageModel` generates text, scores tokens, and steps any number of sequences."""
from __future__ import annotations

import os
from typing import Any, Iterator, Sequence as Seq

import numpy as np

from ..context import Context
from ..errors import Error, InputError
from ..model import Model
from .cache import Cache, Sequence
from .files import Files, Message
from .sampling import Sampler
from .text import Detokenizer, until

FUNCTION = "step"
DEFAULT_TOKENS = 4096  # in the cache, where the model doesn't say what it was made for
CHUNK = 512  # tokens of a prompt that go through the model at once: enough for full speed, little memory

Prompt = str | Seq[int] | Seq[Message] | np.ndarray


class LanguageModel:
    """A bundle of a language model, with a cache for its sequences.

    `max_tokens` is how many tokens the cache holds for all sequences together (default: the model's context length); memory
    is taken as they come. Each of `max_sequences` may leave a block partly unused beyond that. `tokenizer` is an object of the
    library tokenizers, `chat_template` the source of the template, `cache` the Cache. An object may be used by several
    threads, which wait for each other.
    """

    def __init__(self, bundle: str | os.PathLike, threads: int = 0, max_tokens: int | None = None, max_sequences: int = 16):
        """Opens a bundle; Error when it is no language model's. `threads`: see Context."""
        self.model = Model(bundle, threads)
        if FUNCTION not in self.model.functions:
            reason = self.model.metadata("step.refused")
            raise Error(f"{os.fspath(bundle)} has no function \"{FUNCTION}\", so it can't generate text: "
                        + (reason or "its model isn't a language model with a cache"))
        self._signature = self.model.functions[FUNCTION]
        self.files = Files(self.model)
        self.context_length = self.files.context_length
        self._context = Context(self.model._handle, threads, owner=self.model._open)
        self.cache = Cache(self._context, self.model._handle, self._signature.index,
                           max_tokens or self.context_length or DEFAULT_TOKENS, max_sequences)

    @property
    def tokenizer(self) -> Any:
        return self.files.tokenizer

    @property
    def chat_template(self) -> str | None:
        return self.files.chat_template

    @property
    def vocabulary(self) -> int | None:
        """How many logits a row has, where the bundle says so."""
        size = next((s.shape[-1] for s in self._signature.outputs if s.name == "logits" and s.shape), None)
        return size if isinstance(size, int) else None

    def encode(self, prompt: Prompt) -> list[int]:
        """Token ids of a text, of messages (by the chat template), or of ids."""
        if isinstance(prompt, str):
            return self.tokenizer.encode(prompt).ids
        if len(prompt) and isinstance(prompt[0], dict):
            return self.tokenizer.encode(self.files.render(prompt), add_special_tokens=False).ids
        try:
            return [int(i) for i in np.asarray(prompt, np.int64).reshape(-1)]
        except (TypeError, ValueError, OverflowError) as e:
            raise InputError(f"expected a text, messages, or token ids: {e}") from None

    def sequence(self) -> Sequence:
        """An empty sequence for `step`."""
        return self.cache.sequence()

    def step(self, parts: Seq[tuple[Sequence, Seq[int]]], rows: Seq[int] | None = None, copy: bool = True) -> np.ndarray:
        """Cache.step: more tokens for any number of sequences; logits of each one's last, or of `rows`."""
        return self.cache.step(parts, rows, copy)

    def run_stats(self) -> dict[str, int]:
        """What the last step did, by the names of mxn_stats_t."""
        return self._context.stats()

    def feed(self, sequence: Sequence, ids: Seq[int]) -> np.ndarray:
        """Puts a prompt behind a sequence, some hundred tokens at a time; the last one's logits."""
        if not len(ids):
            raise InputError("there are no tokens: a prompt needs at least one")
        for at in range(0, len(ids), CHUNK):
            logits = self.cache.step([(sequence, ids[at:at + CHUNK])])
        return logits[0]

    def logits(self, ids: Seq[int]) -> np.ndarray:
        """Logits [tokens, vocabulary] behind each of these tokens."""
        ids = self.encode(ids)
        with self.sequence() as sequence:
            found = [self.cache.step([(sequence, part)], range(len(part)))
                     for part in (ids[at:at + CHUNK] for at in range(0, len(ids), CHUNK))]
        return np.concatenate(found) if found else np.empty((0, self.vocabulary or 0), np.float32)

    def tokens(self, ids: Seq[int], max_tokens: int | None = None, sampler: Sampler | None = None,
               sequence: Sequence | None = None) -> Iterator[int]:
        """Ids that follow `ids`, until one that ends a text, `max_tokens` of them, or the model's context length. A
        `sequence` of an earlier call keeps what both have in common."""
        sampler = sampler or Sampler()
        if self.context_length and len(ids) > self.context_length:
            raise InputError(f"the prompt has {len(ids)} tokens, the model takes {self.context_length}")
        own = sequence is None
        sequence = self.sequence() if sequence is None else sequence
        try:
            logits = self.feed(sequence, ids[self.cache.reuse(sequence, ids):])
            count = 0
            while max_tokens is None or count < max_tokens:
                token = sampler.choose(logits)
                if token in self.files.end_ids:
                    return
                yield token
                count += 1
                if (count == max_tokens) or (self.context_length and len(sequence) >= self.context_length):
                    return
                logits = self.cache.step([(sequence, [token])])[0]
        finally:
            if own:
                sequence.free()

    def generate(self, prompt: Prompt, max_tokens: int | None = None, *, temperature: float = 0.0, top_k: int = 0,
                 top_p: float = 1.0, seed: int | None = None, stop: str | Seq[str] = (), stream: bool = False,
                 sequence: Sequence | None = None) -> str | Iterator[str]:
        """The text that follows a text, messages, or ids; with `stream` an iterator of its pieces as they come.

        A text is taken as it is; messages, such as [{"role": "user", "content": "Hello"}], go through the chat template. The
        answer ends where the model ends it, before a text of `stop`, or after `max_tokens` tokens. Temperature 0 always takes
        the best token; otherwise `seed` makes the choice repeatable. With a `sequence`, what it has in common with the prompt
        isn't computed again.
        """
        ids = self.encode(prompt)
        sampler = Sampler(temperature, top_k, top_p, seed)
        stops = [s for s in ([stop] if isinstance(stop, str) else stop) if s]
        pieces = until(self._pieces(ids, max_tokens, sampler, sequence), stops)
        return pieces if stream else "".join(pieces)

    def _pieces(self, ids: Seq[int], max_tokens: int | None, sampler: Sampler, sequence: Sequence | None) -> Iterator[str]:
        text = Detokenizer(self.tokenizer)
        tokens = self.tokens(ids, max_tokens, sampler, sequence)
        try:
            for token in tokens:
                if piece := text.push(token):
                    yield piece
        finally:
            tokens.close()
        if piece := text.finish():
            yield piece
