//===- Writer.cpp - Writes a bundle ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Bundle/Writer.h"
#include "dialects/LLM/LLMDialect.h"
#include "lib/Bundle/ProgramSerializer.h"
#include "lib/Bundle/Sections.h"
#include "mxn/Bundle/Format.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

using llvm::createStringError;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace mxn::bundle_writer {
namespace {

llvm::Expected<FileRange> wholeFile(const std::string &file) {
  uint64_t length;
  if (std::error_code code = llvm::sys::fs::file_size(file, length))
    return createStringError(code, "can't read " + file + ": " + code.message());
  return FileRange{file, 0, length};
}

/// The constants that functions use, one after another in one section; unused ones stay behind.
Section constantsSection(mlir::ModuleOp module, llvm::StringMap<ConstantPlace> &places) {
  ::llvm::StringSet<> used;
  module.walk([&](program::ConstantOp op) { used.insert(op.getSymbol()); });
  Section section(bundle::SectionKind_Weights);
  for (mlir::Operation &op : *module.getBody()) {
    if (auto weight = mlir::dyn_cast<llm::WeightOp>(op); weight && used.contains(weight.getSymName())) {
      FileRange range{weight.getFile().str(), weight.getOffset(), weight.getLength()};
      places[weight.getSymName()] = {0, section.append(range), range.length};
    } else if (auto blob = mlir::dyn_cast<program::BlobOp>(op); blob && used.contains(blob.getSymName())) {
      std::string bytes = rawBytes(blob.getValue());
      uint64_t length = bytes.size();
      places[blob.getSymName()] = {0, section.append(std::move(bytes)), length};
    }
  }
  return section;
}

std::string serialize(const bundle::ManifestT &manifest) {
  flatbuffers::FlatBufferBuilder builder;
  bundle::FinishManifestBuffer(builder, bundle::Manifest::Pack(builder, &manifest));
  return std::string(reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize());
}

/// Gives sections their places behind the manifest. A FlatBuffer's size depends on its values (zeros are left out), so
/// this goes on until nothing moves.
std::string layOut(bundle::ManifestT &manifest, llvm::ArrayRef<Section> sections) {
  std::string bytes = serialize(manifest);
  for (size_t before = 0; before != bytes.size();) {
    before = bytes.size();
    uint64_t at = sizeof(mxn_bundle_header_t) + bytes.size();
    for (auto [entry, section] : llvm::zip(manifest.sections, sections)) {
      at = llvm::alignTo(at, MXN_BUNDLE_SECTION_ALIGNMENT);
      entry->offset = at;
      at += section.length();
    }
    bytes = serialize(manifest);
  }
  return bytes;
}

mxn_bundle_header_t makeHeader(const std::string &manifest, uint64_t fileLength) {
  mxn_bundle_header_t header = {};
  memcpy(header.magic, MXN_BUNDLE_MAGIC, sizeof header.magic);
  header.version_major = MXN_BUNDLE_VERSION_MAJOR;
  header.version_minor = MXN_BUNDLE_VERSION_MINOR;
  header.file_length = fileLength;
  header.manifest_offset = sizeof header;
  header.manifest_length = manifest.size();
  header.manifest_hash = llvm::xxh3_64bits(StringRef(manifest));
  header.header_hash = llvm::xxh3_64bits(
      llvm::ArrayRef(reinterpret_cast<const uint8_t *>(&header), offsetof(mxn_bundle_header_t, header_hash)));
  return header;
}

Error writeTo(int descriptor, StringRef path, const std::string &manifest, const bundle::ManifestT &table,
              llvm::ArrayRef<Section> sections) {
  llvm::raw_fd_ostream out(descriptor, /*shouldClose=*/false);
  uint64_t length = sizeof(mxn_bundle_header_t) + manifest.size();
  if (!sections.empty())
    length = table.sections.back()->offset + sections.back().length();
  mxn_bundle_header_t header = makeHeader(manifest, length);
  out.write(reinterpret_cast<const char *>(&header), sizeof header);
  out << manifest;
  for (auto [entry, section] : llvm::zip(table.sections, sections)) {
    pad(out, entry->offset - out.tell());
    if (Error e = section.write(out)) {
      out.clear_error();
      return e;
    }
    if (out.has_error())
      break;
  }
  out.flush();
  if (!out.has_error())
    return Error::success();
  std::error_code code = out.error();
  out.clear_error(); // otherwise the stream's destructor ends the process
  return createStringError(code, "can't write " + path + ": " + code.message());
}

Error writeFile(StringRef path, const std::string &manifest, const bundle::ManifestT &table,
                llvm::ArrayRef<Section> sections) {
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) && !llvm::sys::fs::is_regular_file(status)) {
    // A device or a pipe must not be replaced by a file.
    int descriptor;
    if (std::error_code code = llvm::sys::fs::openFileForWrite(path, descriptor, llvm::sys::fs::CD_OpenExisting))
      return createStringError("can't write " + path + ": " + code.message());
    Error e = writeTo(descriptor, path, manifest, table, sections);
    llvm::sys::fs::closeFile(descriptor);
    return e;
  }
  auto temporary = llvm::sys::fs::TempFile::create(path + ".%%%%%%.part");
  if (!temporary)
    return createStringError("can't write " + path + ": " + toString(temporary.takeError()));
  if (Error e = writeTo(temporary->FD, path, manifest, table, sections)) {
    consumeError(temporary->discard());
    return e;
  }
  // Temporary files are private; a bundle is as readable as any other output.
  (void)llvm::sys::fs::setPermissions(temporary->FD, llvm::sys::fs::all_read | llvm::sys::fs::owner_write);
  if (Error e = temporary->keep(path))
    return createStringError("can't write " + path + ": " + toString(std::move(e)));
  return Error::success();
}

} // namespace

Error write(const Contents &contents, StringRef path) {
  bundle::ManifestT manifest;
  manifest.producer = "mxn-compile " MXN_VERSION;
  manifest.model_name = contents.modelName;
  for (const auto &[key, value] : contents.metadata) {
    auto attribute = std::make_unique<bundle::AttributeT>();
    attribute->key = key;
    attribute->value = value;
    manifest.metadata.push_back(std::move(attribute));
  }
  std::vector<Section> sections;
  llvm::StringMap<ConstantPlace> places;
  sections.push_back(constantsSection(contents.module, places));

  manifest.plans.push_back(std::make_unique<bundle::PlanT>());
  bundle::PlanT &plan = *manifest.plans.back();
  plan.driver = contents.driver;
  ProgramSerializer serializer(plan, places);
  mlir::ModuleOp module = contents.module;
  for (auto function : module.getOps<program::FunctionOp>())
    if (Error e = serializer.add(function))
      return e;
  for (const CodeObject &object : contents.code) {
    auto range = wholeFile(object.file);
    if (!range)
      return range.takeError();
    auto entry = std::make_unique<bundle::CodeObjectT>();
    entry->section = sections.size();
    entry->level = object.level;
    entry->features = object.features;
    plan.code.push_back(std::move(entry));
    sections.emplace_back(bundle::SectionKind_Code);
    sections.back().append(*range);
  }
  for (const Attachment &attachment : contents.attachments) {
    auto range = wholeFile(attachment.file);
    if (!range)
      return range.takeError();
    sections.emplace_back(attachment.tokenizer ? bundle::SectionKind_Tokenizer : bundle::SectionKind_Metadata,
                          attachment.name);
    sections.back().append(*range);
  }
  for (const Section &section : sections) {
    auto entry = std::make_unique<bundle::SectionT>();
    entry->kind = section.kind;
    entry->length = section.length();
    entry->name = section.name;
    if (section.kind != bundle::SectionKind_Weights) {
      auto hash = section.hash();
      if (!hash)
        return hash.takeError();
      entry->hash = *hash;
    }
    manifest.sections.push_back(std::move(entry));
  }
  std::string bytes = layOut(manifest, sections);
  return writeFile(path, bytes, manifest, sections);
}

} // namespace mxn::bundle_writer
