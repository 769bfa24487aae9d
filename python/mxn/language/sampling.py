# sampling.py - chooses the next token.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Greedy choice, or a random one with temperature, top-k and top-p."""
from __future__ import annotations

import numpy as np

from ..errors import InputError


class Sampler:
    """Chooses ids. `temperature` 0 takes the best one; `top_k` 0 and `top_p` 1 leave all ids in. The same seed chooses the
    same ids."""

    def __init__(self, temperature: float = 0.0, top_k: int = 0, top_p: float = 1.0, seed: int | None = None):
        if temperature < 0 or top_k < 0 or not 0 < top_p <= 1:
            raise InputError(f"expected temperature >= 0, top_k >= 0 and 0 < top_p <= 1, got {temperature}, {top_k}, {top_p}")
        self.temperature, self.top_k, self.top_p = temperature, top_k, top_p
        self._random = np.random.default_rng(seed)

    def choose(self, logits: np.ndarray) -> int:
        """An id by its logits, a vector."""
        if not self.temperature:
            return int(logits.argmax())
        order = np.arange(len(logits))
        if 0 < self.top_k < len(logits):
            order = np.argpartition(-logits, self.top_k - 1)[:self.top_k]
        order = order[np.argsort(-logits[order], kind="stable")]
        scores = logits[order].astype(np.float64)
        weights = np.exp((scores - scores[0]) / self.temperature)
        weights /= weights.sum()
        if self.top_p < 1:  # the fewest ids that reach top_p together
            kept = int(np.searchsorted(np.cumsum(weights), self.top_p)) + 1
            order, weights = order[:kept], weights[:kept] / weights[:kept].sum()
        return int(order[min(np.searchsorted(np.cumsum(weights), self._random.random()), len(order) - 1)])
