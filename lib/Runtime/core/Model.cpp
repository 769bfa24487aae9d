// Model.cpp - maps a bundle and checks its header, manifest and structure.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Model.h"

#include "lib/Runtime/core/Drivers.h"
#include "mxn/Runtime/Runtime.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mxn;
using namespace mxn::runtime;

mxn_model::~mxn_model() {
  if (code)
    driver->code_unload(code);
  if (device)
    driver->close(device);
  if (mapped)
    munmap(const_cast<uint8_t *>(file), fileLength);
}

mxn_status_t mxn_model::openFile(const char *path, const mxn_model_options_t *options) {
  int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return fail(MXN_STATUS_IO_ERROR, "can't open %s: %s", path, strerror(errno));
  struct stat facts;
  if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    close(descriptor);
    return fail(MXN_STATUS_IO_ERROR, "%s is not a regular file", path);
  }
  if (static_cast<uint64_t>(facts.st_size) < sizeof(mxn_bundle_header_t)) {
    close(descriptor);
    return fail(MXN_STATUS_BAD_BUNDLE, "%s is too short for a bundle", path);
  }
  void *memory = mmap(nullptr, facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  int reason = errno;
  close(descriptor);
  if (memory == MAP_FAILED)
    return fail(MXN_STATUS_IO_ERROR, "can't map %s: %s", path, strerror(reason));
  mapped = true;
  file = static_cast<const uint8_t *>(memory);
  fileLength = facts.st_size;
  mxn_status_t status = open(file, fileLength, options);
  return status == MXN_STATUS_OK ? status : fail(status, "%s: %s", path, mxn_last_error());
}

mxn_status_t mxn_model::checkHeader(mxn_bundle_header_t &header) const {
  if (fileLength < sizeof(header))
    return fail(MXN_STATUS_BAD_BUNDLE, "too short for a bundle");
  memcpy(&header, file, sizeof(header));
  if (memcmp(header.magic, MXN_BUNDLE_MAGIC, sizeof(header.magic)) != 0)
    return fail(MXN_STATUS_BAD_BUNDLE, "not a bundle: it doesn't start with \"" MXN_BUNDLE_MAGIC "\"");
  // The version comes before the hash, so that a bundle of a later version is called that and not damaged.
  if (header.version_major != MXN_BUNDLE_VERSION_MAJOR)
    return fail(MXN_STATUS_UNSUPPORTED, "bundle version %u.%u, this runtime reads %u.x: compile the model anew",
                header.version_major, header.version_minor, MXN_BUNDLE_VERSION_MAJOR);
  if (XXH3_64bits(file, offsetof(mxn_bundle_header_t, header_hash)) != header.header_hash)
    return fail(MXN_STATUS_BAD_BUNDLE, "the header is damaged: its hash doesn't fit");
  if (fileLength < header.file_length)
    return fail(MXN_STATUS_BAD_BUNDLE, "the file is cut off: %llu of %llu bytes are there",
                static_cast<unsigned long long>(fileLength), static_cast<unsigned long long>(header.file_length));
  if (header.manifest_offset != sizeof(header) || header.file_length < sizeof(header) ||
      header.manifest_length > header.file_length - sizeof(header) || header.manifest_length > UINT32_MAX / 4)
    return fail(MXN_STATUS_BAD_BUNDLE, "the manifest isn't where it has to be");
  return MXN_STATUS_OK;
}

mxn_status_t mxn_model::copyManifest(const mxn_bundle_header_t &header, const bundle::Manifest **out) {
  // A copy, as decoded strings stay in use: whoever changes the file later can't change them after they were checked.
  manifestCopy.reset(new (std::nothrow) uint64_t[header.manifest_length / 8 + 1]);
  if (!manifestCopy)
    return fail(MXN_STATUS_OUT_OF_MEMORY, "no memory for a manifest of %llu bytes",
                static_cast<unsigned long long>(header.manifest_length));
  auto *bytes = reinterpret_cast<uint8_t *>(manifestCopy.get());
  memcpy(bytes, file + header.manifest_offset, header.manifest_length);
  if (XXH3_64bits(bytes, header.manifest_length) != header.manifest_hash)
    return fail(MXN_STATUS_BAD_BUNDLE, "the manifest is damaged: its hash doesn't fit");
  // A table that isn't shared takes 8 bytes at least.
  flatbuffers::Verifier verifier(bytes, header.manifest_length, 64, header.manifest_length / 8 + 16);
  if (!bundle::VerifyManifestBuffer(verifier))
    return fail(MXN_STATUS_BAD_BUNDLE, "the manifest is damaged");
  *out = bundle::GetManifest(bytes);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_model::decodeMetadata(const bundle::Manifest &manifest, DecodeBudget &budget) {
  metadata.push_back({"producer", ""});
  metadata.push_back({"model_name", ""});
  MXN_RETURN_IF_FAILED(decodeString(manifest.producer(), "the producer", &metadata[0].second));
  MXN_RETURN_IF_FAILED(decodeString(manifest.model_name(), "the model's name", &metadata[1].second));
  if (!manifest.metadata())
    return MXN_STATUS_OK;
  for (const bundle::Attribute *attribute : *manifest.metadata()) {
    std::pair<const char *, const char *> entry = {"", ""};
    MXN_RETURN_IF_FAILED(decodeString(attribute->key(), "a metadata key", &entry.first));
    if (const flatbuffers::String *value = attribute->value()) {
      if (!budget.take(value->size()) || !isCleanText(value->Data(), value->size()))
        return fail(MXN_STATUS_BAD_BUNDLE, "the metadata \"%s\" is not clean UTF-8", entry.first);
      entry.second = value->c_str();
    }
    metadata.push_back(entry);
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_model::open(const uint8_t *data, uint64_t length, const mxn_model_options_t *options) {
  file = data;
  fileLength = length;
  mxn_bundle_header_t header;
  const bundle::Manifest *manifest;
  MXN_RETURN_IF_FAILED(checkHeader(header));
  MXN_RETURN_IF_FAILED(copyManifest(header, &manifest));
  DecodeBudget budget = {header.manifest_length + 64};
  MXN_RETURN_IF_FAILED(decodeSections(*manifest, file, header.file_length, sections));
  MXN_RETURN_IF_FAILED(decodeMetadata(*manifest, budget));
  return choosePlan(*manifest, options ? options->driver : nullptr, budget);
}

mxn_status_t mxn_model::checkHash(const Section &section) {
  if (section.hash != 0 && XXH3_64bits(section.data, section.length) != section.hash)
    return fail(MXN_STATUS_BAD_BUNDLE, "section \"%s\" is damaged: its hash doesn't fit", section.name);
  return MXN_STATUS_OK;
}
