# abi.py - the runtime's C interface as ctypes.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Structs and functions of include/mxn/Runtime/, in the same order. Nothing here is for users of the package."""
from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_uint32, c_uint64, c_void_p, sizeof
from functools import cache
from typing import Any

from .errors import NotFoundError, RunError
from .locate import runtime_library

MAX_RANK = 16
DONATE = 1  # a tensor's flag: the call may write to the input


class _Sized(ctypes.Structure):
    """A struct that begins with its own size."""

    def __init__(self, **fields: Any):
        super().__init__(struct_size=sizeof(type(self)), **fields)


class TensorInfo(_Sized):
    _fields_ = [("struct_size", c_uint32), ("name", c_char_p), ("type", c_uint32), ("rank", c_uint32),
                ("dims", c_int64 * MAX_RANK), ("dim_names", c_char_p * MAX_RANK)]


class Tensor(_Sized):
    _fields_ = [("struct_size", c_uint32), ("type", c_uint32), ("rank", c_uint32), ("dims", c_int64 * MAX_RANK),
                ("data", c_void_p), ("bytes", c_uint64), ("flags", c_uint32)]


class ContextOptions(_Sized):
    _fields_ = [("struct_size", c_uint32), ("threads", c_uint32), ("allocator", c_void_p), ("log", c_void_p),
                ("log_user", c_void_p), ("cancel", c_void_p), ("memory_limit", c_uint64)]


class Stats(_Sized):
    _fields_ = [("struct_size", c_uint32), ("threads", c_uint32), ("transient_bytes", c_uint64),
                ("output_bytes", c_uint64), ("bytes_copied", c_uint64), ("dispatches", c_uint64),
                ("plans", c_uint64), ("run_nanoseconds", c_uint64)]


class CacheGroupInfo(_Sized):
    _fields_ = [("struct_size", c_uint32), ("type", c_uint32), ("name", c_char_p), ("cache_input", c_uint32),
                ("table_input", c_uint32), ("cache_output", c_uint32), ("layers", c_uint32), ("heads", c_uint32),
                ("head_size", c_uint32), ("block_tokens", c_uint32), ("reserved", c_uint32), ("block_bytes", c_uint64),
                ("sink", c_uint64), ("window", c_uint64)]


class CacheOptions(_Sized):
    _fields_ = [("struct_size", c_uint32), ("blocks", c_uint32), ("max_tokens", c_uint64), ("max_sequences", c_uint32),
                ("reserved", c_uint32), ("allocator", c_void_p)]


class CacheStats(_Sized):
    _fields_ = [("struct_size", c_uint32), ("sequences", c_uint32), ("blocks_total", c_uint64), ("blocks_free", c_uint64),
                ("blocks_shared", c_uint64), ("bytes", c_uint64), ("bytes_used", c_uint64), ("bytes_copied", c_uint64)]


class StepInput(_Sized):
    _fields_ = [("struct_size", c_uint32), ("sequence_count", c_uint32), ("sequences", c_void_p),
                ("token_counts", c_void_p), ("ids", c_void_p), ("rows", c_void_p), ("row_count", c_uint32),
                ("reserved", c_uint32)]


class StepOutput(_Sized):
    _fields_ = [("struct_size", c_uint32), ("rows", c_uint32), ("vocabulary", c_uint64), ("logits", c_void_p)]


# name: (what it returns, its arguments). A function that returns a status has `_STATUS`.
_STATUS = "status"
_HANDLE, _OUT = c_void_p, POINTER(c_void_p)
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "mxn_version": (c_char_p, []),
    "mxn_status_name": (c_char_p, [c_int32]),
    "mxn_last_error": (c_char_p, []),
    "mxn_model_open": (_STATUS, [c_char_p, c_void_p, _OUT]),
    "mxn_model_close": (None, [_HANDLE]),
    "mxn_model_function_count": (c_uint32, [_HANDLE]),
    "mxn_model_function_name": (c_char_p, [_HANDLE, c_uint32]),
    "mxn_model_input_count": (c_uint32, [_HANDLE, c_uint32]),
    "mxn_model_output_count": (c_uint32, [_HANDLE, c_uint32]),
    "mxn_model_input_info": (_STATUS, [_HANDLE, c_uint32, c_uint32, POINTER(TensorInfo)]),
    "mxn_model_output_info": (_STATUS, [_HANDLE, c_uint32, c_uint32, POINTER(TensorInfo)]),
    "mxn_model_metadata": (_STATUS, [_HANDLE, c_char_p, POINTER(c_char_p)]),
    "mxn_model_section": (_STATUS, [_HANDLE, c_char_p, _OUT, POINTER(c_uint64)]),
    "mxn_context_create": (_STATUS, [_HANDLE, POINTER(ContextOptions), _OUT]),
    "mxn_context_destroy": (None, [_HANDLE]),
    "mxn_context_bind": (_STATUS, [_HANDLE, c_uint32, POINTER(Tensor), c_uint32]),
    "mxn_context_output": (_STATUS, [_HANDLE, c_uint32, POINTER(Tensor)]),
    "mxn_context_run": (_STATUS, [_HANDLE]),
    "mxn_context_stats": (_STATUS, [_HANDLE, POINTER(Stats)]),
    "mxn_model_cache_group_count": (c_uint32, [_HANDLE, c_uint32]),
    "mxn_model_cache_group_info": (_STATUS, [_HANDLE, c_uint32, c_uint32, POINTER(CacheGroupInfo)]),
    "mxn_cache_create": (_STATUS, [_HANDLE, c_uint32, POINTER(CacheOptions), _OUT]),
    "mxn_cache_destroy": (None, [_HANDLE]),
    "mxn_cache_stats": (_STATUS, [_HANDLE, POINTER(CacheStats)]),
    "mxn_cache_sequence_create": (_STATUS, [_HANDLE, POINTER(c_uint32)]),
    "mxn_cache_sequence_free": (_STATUS, [_HANDLE, c_uint32]),
    "mxn_cache_share_prefix": (_STATUS, [_HANDLE, c_uint32, c_uint64, POINTER(c_uint32)]),
    "mxn_cache_sequence_truncate": (_STATUS, [_HANDLE, c_uint32, c_uint64]),
    "mxn_cache_sequence_length": (_STATUS, [_HANDLE, c_uint32, POINTER(c_uint64)]),
    "mxn_step": (_STATUS, [_HANDLE, _HANDLE, POINTER(StepInput), POINTER(StepOutput)]),
}


class Library:
    """The loaded runtime: its functions without their prefix; one that fails raises RunError with the runtime's text."""

    def __init__(self, path: str):
        try:
            self._library = ctypes.CDLL(path)
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(self._library, name)
                function.argtypes = arguments
                function.restype = c_int32 if result is _STATUS else result
                if result is _STATUS:
                    function.errcheck = self._check
                setattr(self, name.removeprefix("mxn_"), function)
        except (OSError, AttributeError) as e:
            raise NotFoundError(f"cannot load the runtime library {path}: {e}") from None

    def __getattr__(self, name: str) -> Any:  # for type checkers: the functions are set by __init__
        raise AttributeError(name)

    def _check(self, status: int, function: Any, _arguments: Any) -> int:
        if status:
            name = self.status_name(status).decode()
            text = self.last_error().decode(errors="replace") or f"{function.__name__} failed: {name}"
            raise RunError(text, status, name)
        return status


@cache
def library() -> Library:
    """The runtime library, loaded at the first call; NotFoundError when there is none."""
    return Library(runtime_library())


def out_handle(function: Any, *arguments: Any) -> c_void_p:
    """Calls a function whose last argument is a handle that it makes; returns that."""
    handle = c_void_p()
    function(*arguments, byref(handle))
    return handle
