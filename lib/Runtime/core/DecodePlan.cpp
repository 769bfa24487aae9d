// DecodePlan.cpp - checks and decodes all of a manifest but its functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Decoder.h"
#include "mxn/Bundle/Format.h"

using namespace mxn;
using namespace mxn::runtime;

bool runtime::isCleanText(const uint8_t *text, size_t length) {
  for (size_t i = 0; i < length;) {
    uint8_t lead = text[i++];
    if (lead < 0x80) {
      if ((lead < 0x20 && lead != '\t' && lead != '\n') || lead == 0x7f)
        return false;
      continue;
    }
    unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || length - i < more)
      return false;
    uint32_t point = lead & (0x3f >> more);
    for (unsigned k = 0; k < more; ++k, ++i) {
      if ((text[i] & 0xc0) != 0x80)
        return false;
      point = point << 6 | (text[i] & 0x3f);
    }
    constexpr uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    if (point < smallest[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
      return false;
  }
  return true;
}

mxn_status_t runtime::decodeString(const flatbuffers::String *string, const char *what, const char **out) {
  *out = "";
  if (!string)
    return MXN_STATUS_OK;
  if (string->size() > maxStringBytes)
    return fail(MXN_STATUS_BAD_BUNDLE, "%s has %u bytes, at most %u are allowed", what, string->size(), maxStringBytes);
  if (!isCleanText(string->Data(), string->size()))
    return fail(MXN_STATUS_BAD_BUNDLE, "%s is not clean UTF-8", what);
  *out = string->c_str();
  return MXN_STATUS_OK;
}

mxn_status_t runtime::decodeSections(const bundle::Manifest &manifest, const uint8_t *file, uint64_t fileLength,
                                     std::vector<Section> &out) {
  if (!manifest.sections())
    return MXN_STATUS_OK;
  out.reserve(manifest.sections()->size());
  for (const bundle::Section *section : *manifest.sections()) {
    size_t number = out.size();
    if (section->kind() > bundle::SectionKind_MAX)
      return fail(MXN_STATUS_BAD_BUNDLE, "section %zu has the unknown kind %u", number, section->kind());
    if (section->offset() % MXN_BUNDLE_SECTION_ALIGNMENT)
      return fail(MXN_STATUS_BAD_BUNDLE, "section %zu starts at %llu, which is no multiple of %u", number,
                  static_cast<unsigned long long>(section->offset()), MXN_BUNDLE_SECTION_ALIGNMENT);
    if (section->offset() > fileLength || section->length() > fileLength - section->offset())
      return fail(MXN_STATUS_BAD_BUNDLE, "section %zu (%llu bytes at %llu) leaves the file of %llu bytes", number,
                  static_cast<unsigned long long>(section->length()),
                  static_cast<unsigned long long>(section->offset()), static_cast<unsigned long long>(fileLength));
    Section decoded = {section->kind(), file + section->offset(), section->length(), section->hash(), ""};
    MXN_RETURN_IF_FAILED(decodeString(section->name(), "a section's name", &decoded.name));
    out.push_back(decoded);
  }
  return MXN_STATUS_OK;
}

static mxn_status_t decodeKernels(const bundle::Plan &plan, Plan &out) {
  if (!plan.kernels())
    return MXN_STATUS_OK;
  out.kernels.reserve(plan.kernels()->size());
  for (const bundle::Kernel *kernel : *plan.kernels()) {
    Kernel decoded = {"", kernel->bindings(), kernel->constants()};
    MXN_RETURN_IF_FAILED(decodeString(kernel->name(), "a kernel's name", &decoded.name));
    if (!decoded.name[0])
      return fail(MXN_STATUS_BAD_BUNDLE, "kernel %zu has no name", out.kernels.size());
    out.kernels.push_back(decoded);
  }
  return MXN_STATUS_OK;
}

static mxn_status_t decodeCode(const bundle::Plan &plan, const std::vector<Section> &sections, DecodeBudget &budget,
                               Plan &out) {
  if (!plan.code())
    return MXN_STATUS_OK;
  out.code.reserve(plan.code()->size());
  for (const bundle::CodeObject *object : *plan.code()) {
    size_t number = out.code.size();
    if (object->section() >= sections.size() || sections[object->section()].kind != bundle::SectionKind_Code)
      return fail(MXN_STATUS_BAD_BUNDLE, "code object %zu lies in section %u, which is no code section", number,
                  object->section());
    CodeObject decoded = {object->section(), "", {}};
    MXN_RETURN_IF_FAILED(decodeString(object->level(), "a code object's level", &decoded.level));
    if (object->features()) {
      if (!budget.take(object->features()->size()))
        return fail(MXN_STATUS_BAD_BUNDLE, "code object %zu has too many features", number);
      for (const flatbuffers::String *feature : *object->features()) {
        decoded.features.push_back("");
        MXN_RETURN_IF_FAILED(decodeString(feature, "a feature's name", &decoded.features.back()));
      }
    }
    out.code.push_back(std::move(decoded));
  }
  return MXN_STATUS_OK;
}

mxn_status_t runtime::decodePlan(const bundle::Plan &plan, const std::vector<Section> &sections, DecodeBudget &budget,
                                 Plan &out) {
  uint64_t elements = (plan.kernels() ? plan.kernels()->size() : 0) + (plan.locations() ? plan.locations()->size() : 0);
  if (!budget.take(elements))
    return fail(MXN_STATUS_BAD_BUNDLE, "a plan has more parts than the manifest has room for");
  MXN_RETURN_IF_FAILED(decodeString(plan.driver(), "a plan's driver", &out.driver));
  MXN_RETURN_IF_FAILED(decodeKernels(plan, out));
  if (plan.locations()) {
    out.locations.reserve(plan.locations()->size());
    for (const flatbuffers::String *location : *plan.locations()) {
      out.locations.push_back("");
      MXN_RETURN_IF_FAILED(decodeString(location, "a location", &out.locations.back()));
    }
  }
  MXN_RETURN_IF_FAILED(decodeCode(plan, sections, budget, out));
  if (!plan.functions())
    return MXN_STATUS_OK;
  if (plan.functions()->size() > maxFunctions)
    return fail(MXN_STATUS_BAD_BUNDLE, "a plan has %u functions, at most %u are allowed", plan.functions()->size(),
                maxFunctions);
  out.functions.reserve(plan.functions()->size());
  for (const bundle::Function *function : *plan.functions()) {
    Function decoded;
    MXN_RETURN_IF_FAILED(decodeFunction(*function, out, sections, budget, decoded));
    for (const Function &other : out.functions)
      if (!strcmp(other.name, decoded.name))
        return fail(MXN_STATUS_BAD_BUNDLE, "two functions have the name \"%s\"", decoded.name);
    out.functions.push_back(std::move(decoded));
  }
  return MXN_STATUS_OK;
}
