// Model.h - a bundle that is mapped and checked, with the code that its contexts share.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_MODEL_H
#define MXN_LIB_RUNTIME_CORE_MODEL_H

#include "lib/Runtime/core/Decoder.h"
#include "lib/Runtime/core/Status.h"
#include "mxn/Bundle/Format.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>

// What the public handle points to. Everything but `loaded` is written while the model is opened and read-only after.
struct mxn_model {
  mxn_model() = default;
  mxn_model(const mxn_model &) = delete;
  ~mxn_model();

  // Checks the bytes and decodes them. `data` must outlive the model.
  mxn_status_t open(const uint8_t *data, uint64_t length, const mxn_model_options_t *options);
  // Maps the file, then does the same.
  mxn_status_t openFile(const char *path, const mxn_model_options_t *options);

  // Opens the device and loads the code, once; later calls give the first one's result.
  mxn_status_t load();

  const mxn::runtime::Function *function(uint32_t index) const {
    return index < plan.functions.size() ? &plan.functions[index] : nullptr;
  }

  // Checks the hash that a section carries; 0 means that it has none.
  static mxn_status_t checkHash(const mxn::runtime::Section &section);

  const uint8_t *file = nullptr;
  uint64_t fileLength = 0;
  bool mapped = false;
  std::unique_ptr<uint64_t[]> manifestCopy; // strings of everything below point into it
  std::vector<mxn::runtime::Section> sections;
  std::vector<std::pair<const char *, const char *>> metadata;
  mxn::runtime::Plan plan; // the one that was chosen

  const mxn_driver_t *driver = nullptr; // null: nothing here can run the plan, `whyNot` says what
  uint32_t codeObject = 0;
  std::string whyNot;

  std::mutex mutex; // guards the rest
  mxn_device_t *device = nullptr;
  mxn_code_t *code = nullptr;

private:
  mxn_status_t checkHeader(mxn_bundle_header_t &header) const;
  mxn_status_t copyManifest(const mxn_bundle_header_t &header, const mxn::bundle::Manifest **out);
  mxn_status_t decodeMetadata(const mxn::bundle::Manifest &manifest, mxn::runtime::DecodeBudget &budget);
  mxn_status_t choosePlan(const mxn::bundle::Manifest &manifest, const char *wanted,
                          mxn::runtime::DecodeBudget &budget);
};

#endif
