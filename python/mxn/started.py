# started.py - when the import of this package began.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The beginning of what `mxn bench` reports as first_token_s. numpy is imported before, as every engine needs it."""
import time

import numpy  # noqa: F401

STARTED = time.perf_counter()
