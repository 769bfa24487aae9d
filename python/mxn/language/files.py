# files.py - what a bundle carries beside the model: tokenizer, configuration, chat template.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads the tokenizer's files, as mxn-compile has put them into the bundle."""
from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Callable, Mapping, Sequence

from ..errors import Error, RunError
from ..model import Model

Message = Mapping[str, Any]  # {"role": "user", "content": "..."}


class Files:
    """The files of one bundle; each is read when it is first asked for."""

    def __init__(self, model: Model):
        self._model = model

    def text(self, name: str) -> str | None:
        """A file's text, None when the bundle has none of that name."""
        try:
            return self._model.section(name).decode()
        except RunError as e:
            if e.status_name == "not found":
                return None
            raise
        except UnicodeDecodeError as e:
            raise Error(f"{name} in the bundle is not UTF-8: {e}") from None

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file's object, empty when the bundle has none of that name."""
        text = self.text(name)
        try:
            value = json.loads(text) if text is not None else {}
        except ValueError as e:
            raise Error(f"{name} in the bundle is not JSON: {e}") from None
        if not isinstance(value, dict):
            raise Error(f"{name} in the bundle is not a JSON object")
        return value

    @cached_property
    def config(self) -> dict[str, Any]:
        return self.json("config.json")

    @cached_property
    def tokenizer_config(self) -> dict[str, Any]:
        return {**self.json("special_tokens_map.json"), **self.json("tokenizer_config.json")}

    @cached_property
    def tokenizer(self) -> Any:
        """The bundle's tokenizer, an object of the library tokenizers; Error when there is none."""
        text = self.text("tokenizer.json")
        if text is None:
            raise Error("the bundle carries no tokenizer.json: compile the model with its tokenizer's files beside it, "
                        "or give token ids")
        try:
            import tokenizers
        except ImportError:
            raise Error("text needs the Python package tokenizers: pip install tokenizers") from None
        try:
            return tokenizers.Tokenizer.from_str(text)
        except Exception as e:  # the library raises plain Exception
            raise Error(f"tokenizer.json in the bundle is damaged, or of a newer version of the package tokenizers: {e}") from None

    def special(self, name: str) -> str | None:
        """The text of a special token, such as "bos_token"."""
        value = self.tokenizer_config.get(name)
        return value.get("content") if isinstance(value, dict) else value

    @cached_property
    def context_length(self) -> int | None:
        """Most tokens of a sequence that the model was made for, where its configuration says so."""
        config = self.config.get("text_config") or self.config
        for key in ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length"):
            if isinstance(config.get(key), int) and config[key] > 0:
                return config[key]
        return None

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """Ids that end a text."""
        found: set[int] = set()
        for source in (self.json("generation_config.json"), self.config, self.config.get("text_config") or {}):
            value = source.get("eos_token_id")
            found.update(v for v in (value if isinstance(value, list) else [value]) if isinstance(v, int))
        if (text := self.special("eos_token")) and self.text("tokenizer.json") is not None:
            if (number := self.tokenizer.token_to_id(text)) is not None:
                found.add(number)
        return frozenset(found)

    @cached_property
    def chat_template(self) -> str | None:
        """The source of the chat template: chat_template.jinja, or what tokenizer_config.json has."""
        if (text := self.text("chat_template.jinja")) is not None:
            return text
        value = self.tokenizer_config.get("chat_template")
        if isinstance(value, list):  # several, by name
            named = {t.get("name"): t.get("template") for t in value if isinstance(t, dict)}
            return named.get("default") or next(iter(named.values()), None)
        return value

    def render(self, messages: Sequence[Message], add_generation_prompt: bool = True, **variables: Any) -> str:
        """The text of a conversation as the model wants it. Templates run in jinja2's sandbox."""
        if not self.chat_template:
            raise Error("the bundle carries no chat template: compile the model with chat_template.jinja or "
                        "tokenizer_config.json beside it, or give plain text")
        names = ("bos_token", "eos_token", "unk_token", "pad_token")
        return self._template(messages=list(messages), add_generation_prompt=add_generation_prompt,
                              **{n: self.special(n) or "" for n in names}, **variables)

    @cached_property
    def _template(self) -> Callable[..., str]:
        from .template import compile_template  # jinja2 takes a while to import
        return compile_template(self.chat_template)
