# MxN.cmake - thin functions over CMake for the compiler's components.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A component is an object library; all of them make up the one libMxNCompiler.so. MLIR's own add_mlir_library is not
# used: with Debian's package it puts static archives beside libMLIR.so on a link line, which gives two registries.

# mxn_tablegen(OUTPUT SOURCE.td ARGS...): runs mlir-tblgen and adds OUTPUT to TABLEGEN_OUTPUTS of the directory.
function(mxn_tablegen output source)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${output})
  file(GLOB_RECURSE tds CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/dialects/*.td ${PROJECT_SOURCE_DIR}/passes/*.td)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} -I ${PROJECT_SOURCE_DIR} -I ${MLIR_INCLUDE_DIRS}
            ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${out}
    DEPENDS ${tds}
    COMMENT "mlir-tblgen ${output}")
  set_property(DIRECTORY APPEND PROPERTY MXN_TABLEGEN_OUTPUTS ${out})
endfunction()

# mxn_dialect(NAME cpp-namespace): the usual outputs of NAMEDialect.td, NAMEOps.td and friends of this folder.
function(mxn_dialect name mnemonic)
  foreach(kind Ops Attributes Types)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}${kind}.td)
      if(kind STREQUAL Ops)
        mxn_tablegen(${name}Ops.h.inc ${name}Ops.td -gen-op-decls)
        mxn_tablegen(${name}Ops.cpp.inc ${name}Ops.td -gen-op-defs)
      elseif(kind STREQUAL Attributes)
        mxn_tablegen(${name}Attributes.h.inc ${name}Attributes.td -gen-attrdef-decls -attrdefs-dialect=${mnemonic})
        mxn_tablegen(${name}Attributes.cpp.inc ${name}Attributes.td -gen-attrdef-defs -attrdefs-dialect=${mnemonic})
      else()
        mxn_tablegen(${name}Types.h.inc ${name}Types.td -gen-typedef-decls -typedefs-dialect=${mnemonic})
        mxn_tablegen(${name}Types.cpp.inc ${name}Types.td -gen-typedef-defs -typedefs-dialect=${mnemonic})
      endif()
    endif()
  endforeach()
  mxn_tablegen(${name}Dialect.h.inc ${name}Dialect.td -gen-dialect-decls -dialect=${mnemonic})
  mxn_tablegen(${name}Dialect.cpp.inc ${name}Dialect.td -gen-dialect-defs -dialect=${mnemonic})
endfunction()

add_custom_target(MxNGenerated)

# mxn_component(NAME SOURCES...): one component of the compiler.
function(mxn_component name)
  add_library(${name} OBJECT ${ARGN})
  get_property(generated DIRECTORY PROPERTY MXN_TABLEGEN_OUTPUTS)
  if(generated)
    add_custom_target(${name}Generated DEPENDS ${generated})
    add_dependencies(MxNGenerated ${name}Generated)
  endif()
  # Headers of one component include what is generated for another: everything is generated first.
  add_dependencies(${name} MxNGenerated)
  target_link_libraries(${name} PRIVATE MxNCompilerFlags)
  target_precompile_headers(${name} REUSE_FROM MxNPrecompiled)
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON)
  set_property(GLOBAL APPEND PROPERTY MXN_COMPONENTS ${name})
endfunction()
