# __init__.py - language models.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Generating text with a bundle that has the function "step"; docs/serving.md shows how."""
from .cache import Cache, CacheGroup, Sequence
from .model import LanguageModel
from .sampling import Sampler
from .verify import StepReport, verify_step

__all__ = ["Cache", "CacheGroup", "LanguageModel", "Sampler", "Sequence", "StepReport", "verify_step"]
