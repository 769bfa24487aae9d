// Output.h - files that are whole or not there, and JSON text.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TOOLS_SUPPORT_OUTPUT_H
#define MXN_TOOLS_SUPPORT_OUTPUT_H

#include <cstdint>
#include <string>

namespace mxn::tools {

// Writes beside `path` first and then moves the file there. Returns "" or what went wrong.
std::string writeFile(const std::string &path, const std::string &head, const void *data, uint64_t bytes);

// What main returns at its end: 1, with a message, where the standard output couldn't be written.
int finish(const char *tool);

// The text in quotation marks.
std::string quote(const std::string &text);

// Makes a folder where there is none. Returns "" or what went wrong.
std::string makeFolder(const std::string &path);

// A name in which everything that means something to a file system is an underscore.
std::string fileName(const std::string &text);

} // namespace mxn::tools

#endif
