#!/bin/sh
# tools_test.sh - mxn-run, mxn-inspect and the examples of docs/runtime.md and docs/serving.md on the unit tests' bundle.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -eu
bin=$1 source=$2 work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1" >&2; exit 1; }
expect_error() { # pattern command...
  pattern=$1
  shift
  if "$@" >"$work/out" 2>"$work/err"; then fail "succeeded: $*"; fi
  grep -q "$pattern" "$work/err" || { cat "$work/err" >&2; fail "no '$pattern' from: $*"; }
}

"$bin/mxn-make-test-bundle" "$work/m.mxn"

# x = [1, 2, 3] as .npy: a header of 128 bytes, then the floats.
header="{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"
{ printf '\223NUMPY\001\000\166\000'; printf '%-117s\n' "$header"
  printf '\000\000\200\077\000\000\000\100\000\000\100\100'; } >"$work/x.npy"

"$bin/mxn-run" --input x="$work/x.npy" -output=z="$work/z.npy" --output-dir "$work/all" --threads 2 \
  --profile "$work/trace.json" "$work/m.mxn" >"$work/out"
grep -q '^z: float32 \[3\]$' "$work/out" || fail "summary"
cmp "$work/z.npy" "$work/all/z.npy"
tail -c 12 "$work/z.npy" | od -An -tf4 | grep -q '1 *5 *11' || fail "values"
grep -q '"name":"binary"' "$work/trace.json" || fail "trace"
"$bin/mxn-run" --json --benchmark --input x="$work/x.npy" "$work/m.mxn" | grep -q '"median_ms": ' || fail "benchmark"
"$bin/mxn-run" --help | grep -q -- '--input=<NAME=FILE.npy>' || fail "help"
"$bin/mxn-run" --version | grep -q '^mxn-run [0-9]' || fail "version"

expect_error '^mxn-run: error: input "x" is missing' "$bin/mxn-run" "$work/m.mxn"
expect_error 'has no input "y"' "$bin/mxn-run" --input y="$work/x.npy" "$work/m.mxn"
expect_error 'has no output "y"' "$bin/mxn-run" --input x="$work/x.npy" --output y=y.npy "$work/m.mxn"
expect_error 'no function "step"' "$bin/mxn-run" --function step "$work/m.mxn"
expect_error 'unknown option' "$bin/mxn-run" --nonsense "$work/m.mxn"
expect_error "can't open" "$bin/mxn-run" "$work/absent.mxn"
expect_error 'no .npy file' "$bin/mxn-run" --input x="$work/m.mxn" "$work/m.mxn"
head -c 133 "$work/x.npy" >"$work/cut.npy"
expect_error 'cut off' "$bin/mxn-run" --input x="$work/cut.npy" "$work/m.mxn"
expect_error "can't write" "$bin/mxn-run" --input x="$work/x.npy" --output z="$work/none/z.npy" "$work/m.mxn"
MXN_CPU=nonsense expect_error 'names no level' "$bin/mxn-run" --input x="$work/x.npy" "$work/m.mxn"

"$bin/mxn-inspect" "$work/m.mxn" | grep -q 'input  x: Float32\[n\]' || fail "inspect"
"$bin/mxn-inspect" --program "$work/m.mxn" | grep -q 'dispatch binary(b0\[r0, r4\], b0\[r0, r4\], out b3' || fail "listing"
"$bin/mxn-inspect" --json "$work/m.mxn" | grep -q '"model_name": "tiny"' || fail "JSON"
"$bin/mxn-inspect" --extract="$work/code" "$work/m.mxn" >/dev/null
test -s "$work"/code/0-*.so || fail "extract"
expect_error '^mxn-inspect: error: .*not a bundle' "$bin/mxn-inspect" "$work/trace.json"

"$bin/mxn-make-test-bundle" "$work/step.mxn" step
"$bin/mxn-inspect" "$work/step.mxn" >"$work/out"
grep -q 'cache  near: Float32, 1 layers, 1 heads of 2, blocks of 4 tokens, keeps the first 2 and the last 6' "$work/out" ||
  fail "cache groups"
"$bin/mxn-inspect" --json "$work/step.mxn" | grep -q '"cache_groups": \[{"name": "all", ' || fail "cache groups in JSON"

test "$("$bin/mxn-embed-example" "$work/m.mxn" | tr '\n' ' ')" = "1 5 11 " || fail "the example of docs/runtime.md"
test "$("$bin/mxn-serve-example" "$work/step.mxn" 5 6 7 | tr '\n' ' ')" = \
  "86 87 25 60 414 173 373 431 212 426 289 145 369 97 33 354 " || fail "the example of docs/serving.md"
expect_error 'out of range' "$bin/mxn-serve-example" "$work/step.mxn" 600
for example in embed:runtime serve:serving; do
  sed -n '/^```c$/,/^```$/p' "$source/docs/${example#*:}.md" | sed '1d;$d' | cmp - "$source/docs/examples/${example%:*}.c"
done
ls "$work" | grep -q partial && fail "a partial file is left"
echo passed
