# npz.py - named tensors in .npz files.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads and writes {tensor name: array}. A file may hold several cases, its arrays then named CASE/TENSOR."""
from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Iterable, Mapping

import numpy as np

from .errors import Error, InputError


def read(path: str | os.PathLike, names: Iterable[str], case: str | None = None) -> dict[str, np.ndarray]:
    """The arrays of one case. `names` are the tensors that are wanted, by which cases are told from tensor names that
    hold a slash themselves. InputError: the file is unreadable, or holds several cases and none was chosen."""
    try:
        with np.load(path) as file:
            arrays = dict(file)
    except OSError as e:
        raise InputError(f"can't open {path}: {e.strerror or e}") from None
    except (ValueError, EOFError, zipfile.BadZipFile) as e:
        raise InputError(f"{path}: cannot be read as an .npz file: {e}") from None
    names = set(names)
    if case is None and set(arrays) & names:
        return arrays
    cases: dict[str, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        head, _, tensor = key.partition("/")
        if tensor in names:
            cases.setdefault(head, {})[tensor] = array
    if case is None and len(cases) == 1:
        return next(iter(cases.values()))
    if case in cases:
        return cases[case]
    if not cases:
        raise InputError(f"{path}: holds {', '.join(map(repr, arrays)) or 'nothing'}; wanted {', '.join(map(repr, sorted(names)))}")
    wanted = f"no case {case!r}" if case is not None else "several cases"
    raise InputError(f"{path}: holds {wanted}; choose one with --case: {', '.join(sorted(cases))}")


def write(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes the arrays to exactly `path`, which is whole or not there. The types of ml_dtypes become raw elements, which
    mxn.Model.run takes back. Error: it can't be written."""
    path = Path(path)
    # A device or a pipe must not be replaced by a file.
    place = path if path.exists() and not path.is_file() else path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(place, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, array in arrays.items():
                with archive.open(name + ".npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
        if place != path:
            os.replace(place, path)
    except OSError as e:
        raise Error(f"can't write {path}: {e.strerror or e}") from None
    finally:
        if place != path:
            place.unlink(missing_ok=True)
