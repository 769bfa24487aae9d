# __init__.py - the parts of `mxn debug`.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds the first op of a model that differs from a reference implementation."""
from .compare import Difference, compare
from .session import Row, Session, first_divergence

__all__ = ["Difference", "Row", "Session", "compare", "first_divergence"]
