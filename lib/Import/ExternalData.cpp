//===- ExternalData.cpp - Files beside a model ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ExternalData.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace mxn::import;

FileDescriptor &FileDescriptor::operator=(FileDescriptor &&other) noexcept {
  std::swap(fd, other.fd);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd >= 0)
    ::close(fd);
}

static const char *const kLinkAdvice = "; pass --allow-external-links if you trust the file";

/// Splits a relative path and resolves "." and ".." in the text. False where it leaves the folder.
static bool splitLocation(const std::string &location, std::vector<std::string> &parts) {
  for (size_t at = 0; at <= location.size();) {
    size_t slash = std::min(location.find('/', at), location.size());
    std::string part = location.substr(at, slash - at);
    at = slash + 1;
    if (part == "..") {
      if (parts.empty())
        return false;
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(std::move(part));
    }
  }
  return true;
}

bool mxn::import::openExternalFile(const std::string &folder, const std::string &location, bool allowLinks,
                                   ExternalFile &file, std::string &error) {
  auto refuse = [&](std::string why) {
    error = "external data '" + location + "' " + std::move(why);
    return false;
  };
  std::vector<std::string> parts;
  if (location.empty())
    return refuse("has an empty location; it must be a path relative to the model's folder");
  if (location.find('\0') != std::string::npos)
    return refuse("holds a zero byte in its location");
  if (location.front() == '/')
    return refuse("is an absolute path; it must be relative to the model's folder");
  if (!splitLocation(location, parts))
    return refuse("lies outside of the model's folder");
  if (parts.empty())
    return refuse("is a directory");

  std::string relative;
  for (const std::string &part : parts)
    relative += (relative.empty() ? "" : "/") + part;
  file.path = folder.empty() ? relative : folder.back() == '/' ? folder + relative : folder + "/" + relative;

  // One component at a time and never through a link, so that nobody can exchange a directory in between. O_NONBLOCK
  // keeps a pipe from blocking; it is refused below.
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  FileDescriptor current;
  if (allowLinks) {
    current = FileDescriptor(::open(file.path.c_str(), kFlags));
  } else {
    current = FileDescriptor(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
    for (size_t i = 0; current && i < parts.size(); ++i) {
      bool last = i + 1 == parts.size();
      int next = ::openat(current.get(), parts[i].c_str(), kFlags | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
      if (next < 0) {
        int reason = errno;
        struct stat info;
        if (!::fstatat(current.get(), parts[i].c_str(), &info, AT_SYMLINK_NOFOLLOW) && S_ISLNK(info.st_mode))
          return refuse("is or lies behind a symbolic link ('" + parts[i] + "')" + kLinkAdvice);
        errno = reason;
      }
      current = FileDescriptor(next);
    }
  }
  if (!current)
    return refuse("can't be opened at '" + file.path + "': " + std::strerror(errno));
  struct stat info;
  if (::fstat(current.get(), &info))
    return refuse(std::string("can't be examined: ") + std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return refuse("isn't a regular file");
  if (info.st_nlink > 1 && !allowLinks)
    return refuse("has " + std::to_string(info.st_nlink) + " hard links" + kLinkAdvice);
  if (allowLinks) {
    if (char *canonical = ::realpath(file.path.c_str(), nullptr)) {
      file.path = canonical;
      std::free(canonical);
    }
  }
  file.size = static_cast<uint64_t>(info.st_size);
  file.fd = std::move(current);
  return true;
}

bool mxn::import::readAt(const ExternalFile &file, uint64_t offset, uint64_t length, std::string &bytes) {
  bytes.resize(length);
  for (uint64_t done = 0; done < length;) {
    ssize_t got = ::pread(file.fd.get(), &bytes[done], length - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    done += static_cast<uint64_t>(got);
  }
  return true;
}
