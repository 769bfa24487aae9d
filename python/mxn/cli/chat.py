# chat.py - mxn chat.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""talks with a language model

The tokenizer and the chat template come from the bundle. Without --prompt, each line of the input is said to the model; Ctrl-C
ends an answer, Ctrl-D (or Ctrl-C at the prompt) the conversation.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import Error, InputError, RunError
from ..language import LanguageModel, Sequence


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE.mxn")
    parser.add_argument("--prompt", metavar="TEXT", help="answer this once and exit")
    parser.add_argument("--system", metavar="TEXT", help="what the model is told before the conversation")
    parser.add_argument("--raw", action="store_true", help="go on with the text as it is, without the chat template")
    parser.add_argument("--max-tokens", type=int, default=512, metavar="N", help="of an answer (default: %(default)s)")
    parser.add_argument("--temperature", type=float, default=0.0, metavar="T", help="0, the default: always the best token")
    parser.add_argument("--top-k", type=int, default=0, metavar="K", help="choose among the best K (default: all)")
    parser.add_argument("--top-p", type=float, default=1.0, metavar="P", help="choose among those that make up P (default: 1)")
    parser.add_argument("--seed", type=int, metavar="N", help="makes a choice by chance repeatable")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="threads (default: one for each core)")
    parser.add_argument("--context", type=int, metavar="N", help="tokens that the cache holds (default: the model's length)")


class Conversation:
    """What was said so far, and its tokens in the cache."""

    def __init__(self, model: LanguageModel, args: argparse.Namespace):
        self.model, self.args = model, args
        self.sequence: Sequence = model.sequence()
        self.messages: list[dict[str, str]] = []
        self.reset()

    def reset(self) -> None:
        self.messages = [{"role": "system", "content": self.args.system}] if self.args.system else []

    def answer(self, text: str) -> bool:
        """Prints the answer as it comes; False when Ctrl-C ended it."""
        args, said = self.args, ""
        self.messages.append({"role": "user", "content": text})
        prompt: Any = text if args.raw else self.messages
        pieces = None
        try:
            pieces = self.model.generate(prompt, args.max_tokens, temperature=args.temperature, top_k=args.top_k,
                                         top_p=args.top_p, seed=args.seed, stream=True, sequence=self.sequence)
            for piece in pieces:
                print(piece, end="", flush=True)
                said += piece
            return True
        except KeyboardInterrupt:
            return False
        finally:
            if pieces is not None:
                pieces.close()
            print(flush=True)
            self.messages.append({"role": "assistant", "content": said})


def run(args: argparse.Namespace) -> int:
    if args.max_tokens < 1:
        raise InputError(f"expected --max-tokens of at least 1, got {args.max_tokens}")
    model = LanguageModel(args.bundle, args.threads, args.context, max_sequences=1)
    if not args.raw and not model.chat_template:
        raise Error("the bundle carries no chat template; --raw goes on with a text as it is")
    model.tokenizer  # says now if there is none
    conversation = Conversation(model, args)
    if args.prompt is not None:
        return 0 if conversation.answer(args.prompt) else 130
    return talk(conversation)


def talk(conversation: Conversation) -> int:
    """Reads lines and answers them until the input ends."""
    asks = sys.stdin.isatty()
    if asks:
        try:
            import readline  # noqa: F401  input() then edits lines
        except ImportError:
            pass
    while True:
        try:
            line = input("> " if asks else "")
        except (EOFError, KeyboardInterrupt):
            if asks:
                print()
            return 0
        if not line.strip():
            continue
        try:
            conversation.answer(line)
        except (InputError, RunError) as e:  # such as a conversation that has become too long
            print(f"mxn: error: {e}\nmxn: the conversation begins anew", file=sys.stderr)
            conversation.reset()
