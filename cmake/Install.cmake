# Install.cmake - what `cmake --install` puts where, and the CMake package `MxN`.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Components: Runtime (the library, mxn-run, mxn-inspect), Compiler (the library and its tools), Development (headers
# and CMake files). A wheel takes the first two.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/MxN)

install(TARGETS MxNCompiler EXPORT MxNTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Compiler)
install(TARGETS mxn-compile mxn-opt RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT Compiler)
target_include_directories(MxNCompiler INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                                 $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(DIRECTORY include/mxn/Plugin DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mxn COMPONENT Development)

install(EXPORT MxNTargets FILE MxNTargets.cmake NAMESPACE MxN:: DESTINATION ${package} COMPONENT Development)
configure_package_config_file(cmake/MxNConfig.cmake.in MxNConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(MxNConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/MxNConfig.cmake ${PROJECT_BINARY_DIR}/MxNConfigVersion.cmake
        DESTINATION ${package} COMPONENT Development)
