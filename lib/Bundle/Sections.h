//===- Sections.h - The bytes behind the manifest -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_BUNDLE_SECTIONS_H
#define MXN_LIB_BUNDLE_SECTIONS_H

#include "bundle_generated.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <variant>

namespace mxn::bundle_writer {

/// A run of bytes in a file.
struct FileRange {
  std::string file;
  uint64_t offset, length;
};

/// One piece of a section, at an offset that is a multiple of the constants' alignment.
struct Piece {
  uint64_t offset;
  std::variant<FileRange, std::string> source;
  uint64_t length() const;
};

/// A section under construction.
class Section {
public:
  explicit Section(bundle::SectionKind kind, std::string name = "") : kind(kind), name(std::move(name)) {}
  /// Gives the offset inside the section.
  uint64_t append(FileRange range);
  uint64_t append(std::string bytes);
  uint64_t length() const { return end; }
  /// XXH3-64 of the bytes, for sections of one piece.
  llvm::Expected<uint64_t> hash() const;
  llvm::Error write(llvm::raw_ostream &out) const;

  bundle::SectionKind kind;
  std::string name;

private:
  uint64_t place(uint64_t length);
  std::vector<Piece> pieces;
  uint64_t end = 0;
};

/// The elements of a constant as they stand in memory: little-endian, a byte for each bool.
std::string rawBytes(mlir::ElementsAttr value);

/// Writes zeros.
void pad(llvm::raw_ostream &out, uint64_t count);

} // namespace mxn::bundle_writer

#endif
