# template.py - chat templates.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Chat templates are jinja2 sources that come with a model, so they run in jinja2's sandbox. They are written for the settings
and the additions of the package transformers."""
from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Callable

from ..errors import Error, InputError

try:
    import jinja2
    from jinja2.ext import Extension
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError:
    raise Error("chat templates need the Python package jinja2: pip install jinja2") from None


class _Generation(Extension):
    """{% generation %} ... {% endgeneration %} marks what the model says; only its contents matter here."""

    tags = {"generation"}

    def parse(self, parser: Any) -> Any:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _refuse(text: str) -> None:
    raise jinja2.TemplateError(text)


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def compile_template(source: str) -> Callable[..., str]:
    """A function from a template's variables to text; Error when the source is wrong. InputError when the template refuses
    what it is given."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                extensions=["jinja2.ext.loopcontrols", _Generation])
    environment.filters["tojson"] = _to_json
    environment.globals.update(raise_exception=_refuse, strftime_now=lambda form: datetime.now().strftime(form))
    try:
        template = environment.from_string(source)
    except jinja2.TemplateError as e:
        raise Error(f"the bundle's chat template is wrong: {e}") from None

    def render(**variables: Any) -> str:
        try:
            return template.render(**variables)
        except Exception as e:  # the template's code is not ours
            raise InputError(f"the chat template refuses these messages: {e}") from None

    return render
