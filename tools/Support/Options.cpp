// Options.cpp - command-line options of the tools that link no LLVM.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/Support/Options.h"

#include "mxn/Runtime/Runtime.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace mxn;

int tools::error(const char *tool, const char *format, ...) {
  fprintf(stderr, "%s: error: ", tool);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  return 1;
}

bool tools::parseNumber(const std::string &text, unsigned *out) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    return false;
  *out = strtoul(text.c_str(), nullptr, 10);
  return true;
}

static void printHelp(const tools::CommandLine &line) {
  printf("OVERVIEW: %s\n\nUSAGE: %s %s\n\nOPTIONS:\n", line.overview, line.tool, line.usage);
  auto print = [](std::string name, const char *help) { printf("  %-26s - %s\n", name.c_str(), help); };
  for (const tools::Option *option : line.options)
    print(std::string("--") + option->name + (option->value ? std::string("=<") + option->value + ">" : ""),
          option->help);
  print("--help", "Display available options");
  print("--version", "Display the version of this program");
}

bool tools::CommandLine::parse(int argc, char **argv, int *exitCode) {
  *exitCode = 0;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.size() < 2 || word[0] != '-') {
      positional.push_back(word);
      continue;
    }
    if (word == "--") {
      positional.insert(positional.end(), argv + i + 1, argv + argc);
      return true;
    }
    std::string name = word.substr(word[1] == '-' ? 2 : 1);
    size_t equals = name.find('=');
    bool hasValue = equals != std::string::npos;
    std::string value = hasValue ? name.substr(equals + 1) : "";
    name = name.substr(0, equals);
    if (name == "help" || name == "h") {
      printHelp(*this);
      return false;
    }
    if (name == "version") {
      printf("%s %s\n", tool, mxn_version());
      return false;
    }
    Option *found = nullptr;
    for (Option *option : options)
      if (name == option->name)
        found = option;
    if (!found) {
      *exitCode = error(tool, "unknown option '%s'; '%s --help' lists them", word.c_str(), tool);
      return false;
    }
    if (found->value && !hasValue) {
      if (i + 1 == argc) {
        *exitCode = error(tool, "option '--%s' needs a value", found->name);
        return false;
      }
      value = argv[++i];
    } else if (!found->value && hasValue) {
      *exitCode = error(tool, "option '--%s' takes no value", found->name);
      return false;
    }
    found->given = true;
    found->values.push_back(value);
  }
  return true;
}
