//===- ExternalData.h - Files beside a model ------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_IMPORT_EXTERNALDATA_H
#define MXN_LIB_IMPORT_EXTERNALDATA_H

#include <cstdint>
#include <string>

namespace mxn::import {

/// An open descriptor; -1: none.
class FileDescriptor {
public:
  explicit FileDescriptor(int fd = -1) : fd(fd) {}
  FileDescriptor(FileDescriptor &&other) noexcept : fd(other.fd) { other.fd = -1; }
  FileDescriptor &operator=(FileDescriptor &&other) noexcept;
  ~FileDescriptor();
  int get() const { return fd; }
  explicit operator bool() const { return fd >= 0; }

private:
  int fd;
};

struct ExternalFile {
  FileDescriptor fd;
  uint64_t size = 0;
  /// Where it lies: below the model's folder, or the canonical path where links are allowed.
  std::string path;
};

/// Opens `location` below `folder` as a regular file. A model is data from elsewhere, so that it may not name files
/// outside of its folder: absolute paths and "..", symbolic links on the way and hard links are refused; with
/// `allowLinks` the latter two are followed. On failure says why in `error`.
bool openExternalFile(const std::string &folder, const std::string &location, bool allowLinks, ExternalFile &file,
                      std::string &error);

/// Reads `length` bytes at `offset`; false where that many aren't there.
bool readAt(const ExternalFile &file, uint64_t offset, uint64_t length, std::string &bytes);

} // namespace mxn::import

#endif
