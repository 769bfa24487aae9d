# Ccache.cmake - compiles through ccache, precompiled headers included.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Paths below the repository are taken relative to it, so another checkout finds what this one compiled.
if(NOT MXN_ENABLE_CCACHE OR CMAKE_CXX_COMPILER_LAUNCHER)
  return()
endif()
find_program(MXN_CCACHE ccache)
if(MXN_CCACHE)
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
               CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MXN_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
