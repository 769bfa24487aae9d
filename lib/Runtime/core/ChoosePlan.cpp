// ChoosePlan.cpp - chooses the plan and the code object for this machine, and loads the code.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Drivers.h"
#include "lib/Runtime/core/Model.h"
#include "mxn/Runtime/Runtime.h"

#include <cstring>

using namespace mxn;
using namespace mxn::runtime;

static mxn_code_object_t describe(const CodeObject &object, const std::vector<Section> &sections) {
  mxn_code_object_t out = {};
  out.struct_size = sizeof(out);
  out.feature_count = object.features.size();
  out.level = object.level;
  out.features = object.features.data();
  out.data = sections[object.section].data;
  out.length = sections[object.section].length;
  return out;
}

// Score of the first code object that the machine has everything for; 0 with the reasons if there is none.
static uint32_t scorePlan(const Plan &plan, const std::vector<Section> &sections, const mxn_driver_t **driver,
                          uint32_t *codeObject, std::string &whyNot) {
  *driver = findDriver(plan.driver);
  if (!*driver) {
    whyNot += std::string("; there is no driver \"") + plan.driver + "\"";
    return 0;
  }
  for (size_t i = 0; i < plan.code.size(); ++i) {
    mxn_code_object_t object = describe(plan.code[i], sections);
    mxn_driver_error_t error = noError();
    uint32_t score = (*driver)->score(&object, &error);
    if (score) {
      *codeObject = i;
      return score;
    }
    whyNot += std::string("; ") + plan.code[i].level + ": " + error.text;
  }
  // A plan without kernels, which only copies, needs no code.
  *codeObject = none;
  if (plan.kernels.empty())
    return 1;
  whyNot += std::string("; the plan for \"") + plan.driver + "\" has no other code";
  *driver = nullptr;
  return 0;
}

mxn_status_t mxn_model::choosePlan(const bundle::Manifest &manifest, const char *wanted, DecodeBudget &budget) {
  // A file that nothing here can run is opened all the same, so that tools can look into it.
  uint32_t best = 0;
  bool any = false;
  if (manifest.plans()) {
    for (const bundle::Plan *source : *manifest.plans()) {
      Plan candidate;
      MXN_RETURN_IF_FAILED(decodePlan(*source, sections, budget, candidate));
      if (wanted && strcmp(wanted, candidate.driver) != 0)
        continue;
      const mxn_driver_t *candidateDriver = nullptr;
      uint32_t object = none;
      uint32_t score = scorePlan(candidate, sections, &candidateDriver, &object, whyNot);
      if (any && score <= best)
        continue;
      any = true;
      best = score;
      plan = std::move(candidate);
      driver = score ? candidateDriver : nullptr;
      codeObject = object;
    }
  }
  if (!any)
    return wanted ? fail(MXN_STATUS_NOT_FOUND, "the bundle has no plan for the driver \"%s\"", wanted)
                  : fail(MXN_STATUS_BAD_BUNDLE, "the bundle has no plan");
  return MXN_STATUS_OK;
}

mxn_status_t mxn_model::load() {
  std::lock_guard<std::mutex> lock(mutex);
  if (!driver)
    return fail(MXN_STATUS_UNSUPPORTED, "nothing on this machine runs this bundle%s", whyNot.c_str());
  mxn_driver_error_t error = noError();
  if (!device) {
    if (mxn_status_t status = driver->open(&device, &error)) {
      device = nullptr;
      return failFromDriver(status, "can't open the device", error);
    }
  }
  if (code || codeObject == none)
    return MXN_STATUS_OK;
  MXN_RETURN_IF_FAILED(checkHash(sections[plan.code[codeObject].section]));
  std::vector<const char *> names;
  for (const Kernel &kernel : plan.kernels)
    names.push_back(kernel.name);
  mxn_code_object_t object = describe(plan.code[codeObject], sections);
  if (mxn_status_t status = driver->code_load(device, &object, names.data(), names.size(), &code, &error)) {
    code = nullptr;
    return failFromDriver(status, "can't load the kernels", error);
  }
  return MXN_STATUS_OK;
}
