# __main__.py - `python -m mxn` is the command mxn.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys

from .cli import main

sys.exit(main())
