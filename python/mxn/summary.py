# summary.py - a tensor in one line.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A line about an array: type, shape and the range of its values."""
from __future__ import annotations

import numpy as np


def signature_of(array: np.ndarray) -> str:
    """Type and shape: "float32[2, 3]"."""
    return f"{array.dtype.name}[{', '.join(map(str, array.shape))}]"


def summary(array: np.ndarray) -> str:
    """Type, shape, and least, mean and greatest of the finite values, with the number of others."""
    text = signature_of(array)
    if array.dtype.kind in "OUS" or not array.size:
        return text
    if array.dtype.kind == "c":
        array = np.abs(array)
    wide = array.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    if finite.size:
        text += f" least {finite.min():.6g}, mean {finite.mean():.6g}, greatest {finite.max():.6g}"
    if finite.size < wide.size:
        text += f", {int(np.isnan(wide).sum())} NaN, {int(np.isinf(wide).sum())} infinite"
    return text
