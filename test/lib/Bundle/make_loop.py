# make_loop.py - a branch around a loop.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: make_loop.py FILE.onnx"""
import sys

import onnx
import onnx.parser

onnx.save(onnx.parser.parse_model("""
<ir_version: 8, opset_import: ["" : 17]>
g (float[4] x, bool c, int64 m) => (float[4] y) {
  e = Exp(x)
  yes = Constant <value = bool {1}> ()
  r = If (c) <
    then_branch = t () => (float[4] tr) {
      tr = Loop (m, yes, x) <body = b (int64 i, bool go, float[4] u) => (bool again, float[4] w) {
        again = Identity(go)
        w = Add(u, e)
      }>
    },
    else_branch = f () => (float[4] fr) { fr = Abs(x) }>
  y = Neg(r)
}
"""), sys.argv[1])
