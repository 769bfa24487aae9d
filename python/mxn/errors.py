# errors.py - the exceptions of the package.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every failure that a user can cause is an `mxn.Error`; its text says what was expected and what came."""
from __future__ import annotations


class Error(Exception):
    """The base of all exceptions of this package."""


class NotFoundError(Error):
    """A tool or the runtime library isn't where it is looked for."""


class CompileError(Error):
    """The compiler refused a model.

    The text is the compiler's own message. `command` is what was run, `status` its exit status (negative: the signal
    that ended it) and `stderr` all that it wrote there.
    """

    def __init__(self, message: str, command: list[str] | None = None, status: int = 1, stderr: str = ""):
        super().__init__(message)
        self.command, self.status, self.stderr = command or [], status, stderr


class RunError(Error):
    """A call of the runtime library failed. The text is the library's own; `status` is its number, `status_name` its name."""

    def __init__(self, message: str, status: int = 0, status_name: str = ""):
        super().__init__(message)
        self.status, self.status_name = status, status_name


class InputError(Error, ValueError):
    """Inputs don't fit the signature: an unknown or missing name, or a value that isn't a tensor of the right type."""
