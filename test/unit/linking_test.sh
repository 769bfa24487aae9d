#!/bin/bash
# linking_test.sh - tools and library use one libLLVM.so and one libMLIR.so, and define nothing that these define.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: linking_test.sh LLVM_LIBRARY_DIR libMxNCompiler.so TOOL...
#
# A second copy of a registry, a type id or an option compiles and links, and then tools don't find their dialects.
set -euo pipefail
llvm=$1 compiler=$2
shift 2
failed=0
fail() {
  echo "FAILED: $*" >&2
  failed=1
}

for file in "$compiler" "$@"; do
  for library in MLIR LLVM; do
    found=$(ldd "$file" | grep -oE "lib$library[-.0-9]*\.so[.0-9]*" | sort -u | wc -l || true)
    [[ $found == 1 ]] || fail "$file loads $found libraries lib$library.so"
  done
done

# Strong definitions; weak ones (templates, inline functions) are everywhere, and the loader takes the first.
defined() { nm -D --defined-only "$1" | awk '$2 ~ /^[TDBR]$/ { sub(/@.*/, "", $3); print $3 }' | sort -u; }
both=$(comm -12 <(defined "$compiler") <({ defined "$llvm/libMLIR.so"; defined "$llvm/libLLVM.so"; } | sort -u) | grep -vE '^_(init|fini)$' || true)
[[ -z $both ]] || fail "$compiler defines what libMLIR.so or libLLVM.so defines: $(head -n 5 <<<"$both" | c++filt | tr '\n' ';')"
for tool in "$@"; do
  both=$(comm -12 <(defined "$tool") <(defined "$compiler") || true)
  [[ -z $both ]] || fail "$tool defines what $compiler defines: $(head -n 5 <<<"$both" | c++filt | tr '\n' ';')"
done
# ONNX and protobuf stay inside: a Python process may hold other copies of them.
if onnx=$(nm -D --defined-only "$compiler" | grep -E '8mxn_onnx|6google8protobuf'); then
  fail "$compiler exports parts of ONNX: $(head -n 3 <<<"$onnx" | c++filt)"
fi
exit $failed
