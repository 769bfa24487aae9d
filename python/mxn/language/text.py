# text.py - tokens to text, piece by piece.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Text that comes out token by token: no half characters, nothing of a stop text."""
from __future__ import annotations

from typing import Any, Iterable, Iterator, Sequence

REPLACEMENT = "\ufffd"  # what a tokenizer writes for bytes that aren't UTF-8 (yet)


class Detokenizer:
    """Turns ids into text, a piece for each id. Bytes that don't make a character yet are held back."""

    def __init__(self, tokenizer: Any):
        self._decode = lambda ids: tokenizer.decode(ids, skip_special_tokens=True)
        self._ids: list[int] = []  # from some tokens before the first that isn't out, since a token's text may depend on them
        self._out = 0  # of them are out

    def push(self, token: int) -> str:
        """The text that is complete with this id."""
        self._ids.append(token)
        whole = self._decode(self._ids)
        if whole.endswith(REPLACEMENT):
            return ""
        piece = whole[len(self._decode(self._ids[:self._out])):]
        if piece:  # special tokens have none, and nothing for the next one to depend on
            self._ids, self._out = self._ids[self._out:], len(self._ids) - self._out
        return piece

    def finish(self) -> str:
        """What was held back."""
        piece = self._decode(self._ids)[len(self._decode(self._ids[:self._out])):]
        self._ids, self._out = [], 0
        return piece


def until(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """Passes pieces on until one of the texts in `stops` appears, which is left out. What may be the beginning of one is
    held back."""
    held = ""
    for piece in pieces:
        held += piece
        found = [at for s in stops if (at := held.find(s)) >= 0]
        if found:
            if min(found):
                yield held[:min(found)]
            return
        keep = max((n for s in stops for n in range(1, len(s)) if held.endswith(s[:n])), default=0)
        if len(held) > keep:
            yield held[:len(held) - keep]
            held = held[len(held) - keep:]
    if held:
        yield held
