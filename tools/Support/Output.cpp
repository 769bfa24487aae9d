// Output.cpp - files that are whole or not there, and JSON text.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/Support/Output.h"
#include "tools/Support/Options.h"

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

using namespace mxn;

std::string tools::writeFile(const std::string &path, const std::string &head, const void *data, uint64_t bytes) {
  struct stat status;
  // A device or a pipe must not be replaced by a file.
  bool inPlace = stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  std::string temporary = inPlace ? path : path + "." + std::to_string(getpid()) + ".partial";
  FILE *file = fopen(temporary.c_str(), "wbe");
  if (!file)
    return "can't write " + path + ": " + strerror(errno);
  bool good =
      fwrite(head.data(), 1, head.size(), file) == head.size() && (bytes == 0 || fwrite(data, 1, bytes, file) == bytes);
  int reason = errno;
  if (fclose(file) != 0 && good) {
    reason = errno;
    good = false;
  }
  if (good && (inPlace || rename(temporary.c_str(), path.c_str()) == 0))
    return "";
  if (good)
    reason = errno;
  if (!inPlace)
    remove(temporary.c_str());
  return "can't write " + path + ": " + strerror(reason);
}

int tools::finish(const char *tool) {
  if (fflush(stdout) == 0 && !ferror(stdout))
    return 0;
  return error(tool, "can't write the standard output: %s", strerror(errno));
}

std::string tools::quote(const std::string &text) {
  std::string out = "\"";
  for (char c : text) {
    char escaped[8];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      snprintf(escaped, sizeof(escaped), "\\u%04x", c);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string tools::makeFolder(const std::string &path) {
  if (mkdir(path.c_str(), 0777) == 0 || errno == EEXIST)
    return "";
  return "can't make the folder " + path + ": " + strerror(errno);
}

std::string tools::fileName(const std::string &text) {
  std::string out = text;
  for (char &c : out)
    if (!isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.')
      c = '_';
  if (out.empty() || out[0] == '.')
    out = "_" + out;
  return out;
}
