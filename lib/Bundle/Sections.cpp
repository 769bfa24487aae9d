//===- Sections.cpp - The bytes behind the manifest -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Bundle/Sections.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mxn/Bundle/Format.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;

namespace mxn::bundle_writer {

uint64_t Piece::length() const {
  if (const auto *range = std::get_if<FileRange>(&source))
    return range->length;
  return std::get<std::string>(source).size();
}

uint64_t Section::place(uint64_t length) {
  uint64_t at = alignTo(end, MXN_BUNDLE_CONSTANT_ALIGNMENT);
  end = at + length;
  return at;
}

uint64_t Section::append(FileRange range) {
  uint64_t at = place(range.length);
  pieces.push_back({at, std::move(range)});
  return at;
}

uint64_t Section::append(std::string bytes) {
  uint64_t at = place(bytes.size());
  pieces.push_back({at, std::move(bytes)});
  return at;
}

Expected<uint64_t> Section::hash() const {
  std::string all;
  raw_string_ostream stream(all);
  if (Error e = write(stream))
    return std::move(e);
  return xxh3_64bits(StringRef(all));
}

/// Copies in pieces of this size: memory stays small however large the weights are.
static constexpr uint64_t kCopyBytes = 4 << 20;

static Error copyRange(const FileRange &range, raw_ostream &out) {
  auto file = sys::fs::openNativeFileForRead(range.file);
  if (!file)
    return file.takeError();
  scope_exit close([&] { sys::fs::closeFile(*file); });
  std::vector<char> buffer(std::min(range.length, kCopyBytes));
  for (uint64_t done = 0; done < range.length;) {
    uint64_t want = std::min<uint64_t>(buffer.size(), range.length - done);
    auto got = sys::fs::readNativeFileSlice(*file, MutableArrayRef(buffer.data(), want), range.offset + done);
    if (!got)
      return got.takeError();
    if (!*got)
      return createStringError(range.file + " ends before byte " + Twine(range.offset + range.length));
    out.write(buffer.data(), *got);
    done += *got;
  }
  return Error::success();
}

Error Section::write(raw_ostream &out) const {
  uint64_t at = 0;
  for (const Piece &piece : pieces) {
    pad(out, piece.offset - at);
    if (const auto *range = std::get_if<FileRange>(&piece.source)) {
      if (Error e = copyRange(*range, out))
        return e;
    } else {
      out << std::get<std::string>(piece.source);
    }
    at = piece.offset + piece.length();
  }
  return Error::success();
}

void pad(raw_ostream &out, uint64_t count) {
  static const char zeros[4096] = {};
  for (; count; count -= std::min<uint64_t>(count, sizeof zeros))
    out.write(zeros, std::min<uint64_t>(count, sizeof zeros));
}

std::string rawBytes(mlir::ElementsAttr value) {
  auto dense = mlir::cast<mlir::DenseElementsAttr>(value);
  int64_t count = dense.getNumElements();
  std::string out;
  if (dense.getElementType().isInteger(1)) {
    for (bool b : dense.getValues<bool>())
      out.push_back(b);
    return out;
  }
  ArrayRef<char> raw = dense.getRawData();
  if (!dense.isSplat())
    return std::string(raw.data(), raw.size());
  for (int64_t i = 0; i < count; ++i)
    out.append(raw.data(), raw.size());
  return out;
}

} // namespace mxn::bundle_writer
