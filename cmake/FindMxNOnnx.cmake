# FindMxNOnnx.cmake - the ONNX C++ library that scripts/build-onnx builds.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Gives the imported target `mxn_onnx`: libonnx.a, its headers and definitions, and the system's protobuf. The prefix is
# ONNX_PREFIX if that is set, else what `scripts/build-onnx --print-prefix` says. ONNX's own package files are not used:
# they would bring a second target for protobuf and its messages, which libonnx.a already holds.

set(ONNX_PREFIX "" CACHE PATH "Prefix of the ONNX C++ library (default: asks scripts/build-onnx)")

set(mxn_onnx_prefix "${ONNX_PREFIX}")
if(NOT mxn_onnx_prefix)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER}
            ${CMAKE_CURRENT_LIST_DIR}/../scripts/build-onnx --print-prefix
    OUTPUT_VARIABLE mxn_onnx_prefix OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_VARIABLE mxn_onnx_error RESULT_VARIABLE mxn_onnx_status)
  if(mxn_onnx_status)
    message(FATAL_ERROR "The ONNX C++ library is not built yet (${mxn_onnx_prefix}): run scripts/build-onnx, or set "
                        "ONNX_PREFIX. ${mxn_onnx_error}")
  endif()
endif()

find_package(Protobuf REQUIRED)
find_library(MXN_ONNX_LIBRARY onnx PATHS ${mxn_onnx_prefix}/lib NO_DEFAULT_PATH NO_CACHE)
find_path(MXN_ONNX_INCLUDE_DIR onnx/onnx_pb.h PATHS ${mxn_onnx_prefix}/include NO_DEFAULT_PATH NO_CACHE)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MxNOnnx REQUIRED_VARS MXN_ONNX_LIBRARY MXN_ONNX_INCLUDE_DIR)

if(MxNOnnx_FOUND AND NOT TARGET mxn_onnx)
  add_library(mxn_onnx STATIC IMPORTED)
  set_target_properties(mxn_onnx PROPERTIES
    IMPORTED_LOCATION ${MXN_ONNX_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES "${MXN_ONNX_INCLUDE_DIR}"
    INTERFACE_COMPILE_DEFINITIONS "ONNX_ML=1;ONNX_NAMESPACE=mxn_onnx"
    INTERFACE_LINK_LIBRARIES protobuf::libprotobuf)
endif()
