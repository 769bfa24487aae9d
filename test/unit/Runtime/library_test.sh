#!/bin/sh
# library_test.sh - libmxn_runtime.so stays small, shows only its C interface, and needs only the standard libraries.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -eu
library=$1 work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strip -o "$work/stripped" "$library"
bytes=$(wc -c <"$work/stripped")
test "$bytes" -lt 200000 || { echo "FAILED: $bytes bytes stripped, fewer than 200000 are allowed" >&2; exit 1; }
if nm -D --defined-only "$library" | grep -v ' mxn_'; then
  echo "FAILED: the symbols above are visible" >&2
  exit 1
fi
if readelf -d "$library" | grep NEEDED | grep -vE '\[(libc|libm|libstdc\+\+|libpthread|libdl|ld-linux[a-z0-9-]*)\.so'; then
  echo "FAILED: the libraries above are needed" >&2
  exit 1
fi
echo "$bytes bytes"
