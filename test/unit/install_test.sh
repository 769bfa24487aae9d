#!/bin/bash
# install_test.sh - what is installed works from where it is: the tools run, and other projects find the package MxN.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: install_test.sh SOURCE_DIR BUILD_DIR CXX
set -euo pipefail
source=$1 build=$2 cxx=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/first" >"$work/log" || { cat "$work/log"; exit 1; }
mv "$work/first" "$work/moved" # no path of the first place may be left
for tool in mxn-compile mxn-opt mxn-run mxn-inspect; do
  "$work/moved/bin/$tool" --version >/dev/null
  ! ldd "$work/moved/bin/$tool" | grep -E "not found|$build" || { echo "FAILED: $tool needs the above"; exit 1; }
done

mkdir "$work/user" "$work/user/build"
cp "$source/docs/examples/embed.c" "$work/user"
cat >"$work/user/plugin.cpp" <<'END'
#include "mxn/Plugin/Target.h"
#include "llvm/Config/llvm-config.h"
extern "C" mxn::plugin::Plugin mxnGetPlugin() {
  return {mxn::plugin::kApiVersion, LLVM_VERSION_STRING, "test", [](mxn::plugin::TargetRegistry &) -> llvm::Error {
            return llvm::Error::success();
          }};
}
END
cat >"$work/user/main.cpp" <<'END'
#include "mxn/Plugin/Target.h"
extern "C" mxn::plugin::Plugin mxnGetPlugin();
int main() {
  mxn::plugin::TargetRegistry registry;
  return errorToBool(mxn::plugin::registerPlugin(registry, mxnGetPlugin())) ? 1 : 0;
}
END
cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(User LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(MxN 0.1 REQUIRED CONFIG)
add_executable(embed embed.c)
target_link_libraries(embed PRIVATE MxN::mxn_runtime)
add_executable(plugin main.cpp plugin.cpp)
target_link_libraries(plugin PRIVATE MxN::MxNCompiler)
END
cd "$work/user/build"
{ cmake .. -G Ninja -DCMAKE_C_COMPILER="${cxx/clang++/clang}" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$work/moved" && cmake --build .; } >"$work/log" 2>&1 ||
  { cat "$work/log"; exit 1; }
./plugin || { echo "FAILED: a plugin isn't taken"; exit 1; }
! ./embed 2>/dev/null # no argument
echo "$(du -sh "$work/moved" | cut -f1) installed"
