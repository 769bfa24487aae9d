// Options.h - command-line options of the tools that link no LLVM, in the style of LLVM's.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TOOLS_SUPPORT_OPTIONS_H
#define MXN_TOOLS_SUPPORT_OPTIONS_H

#include <string>
#include <vector>

namespace mxn::tools {

// One option. `-name` and `--name` mean the same; a value comes as `--name=value` or as the next word.
struct Option {
  const char *name;
  const char *value; // what the help calls its value; null for a flag
  const char *help;
  bool given = false;
  std::vector<std::string> values = {};

  const std::string &last() const { return values.back(); }
};

struct CommandLine {
  const char *tool;     // "mxn-run"
  const char *overview; // one line
  const char *usage;    // "[options] <bundle>"
  std::vector<Option *> options;
  std::vector<std::string> positional = {};

  // Reads the words. Prints the help or the version and returns false with *exitCode set where that is all there is to
  // do, or where an option is wrong.
  bool parse(int argc, char **argv, int *exitCode);
};

// Prints "tool: error: text" and returns the exit code 1.
[[gnu::format(printf, 2, 3)]] int error(const char *tool, const char *format, ...);

// The number in a word, if it is one that fits.
bool parseNumber(const std::string &text, unsigned *out);

} // namespace mxn::tools

#endif
