// Features.cpp - compares a code object's needs with what the processor has.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/drivers/cpu/Features.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {
uint32_t refuse(mxn_driver_error_t &error, const char *format, const char *what) {
  snprintf(error.text, sizeof(error.text), format, what);
  return 0;
}

// Whether `word` is among the comma-separated words after the first.
bool lists(const std::string &words, const char *word) {
  return (words + ",").find(std::string(",") + word + ",") != std::string::npos;
}
} // namespace

uint32_t mxn::cpu::score(const mxn_code_object_t &object, mxn_driver_error_t &error) {
  uint32_t rank = levelRank(object.level);
  if (!rank)
    return refuse(error, "\"%s\" is code for another processor", object.level);
  if (rank > machineRank())
    return refuse(error, "this processor is below %s", object.level);
  const char *allowed = getenv("MXN_CPU");
  std::string limit = allowed ? allowed : "";
  if (!limit.empty()) {
    uint32_t limitRank = levelRank(limit.substr(0, limit.find(',')).c_str());
    if (!limitRank)
      return refuse(error, "MXN_CPU=%s names no level of this processor", limit.c_str());
    if (rank > limitRank)
      return refuse(error, "MXN_CPU allows less than %s", object.level);
  }
  for (uint32_t i = 0; i < object.feature_count; ++i) {
    if (!limit.empty() && !lists(limit, object.features[i]))
      return refuse(error, "MXN_CPU doesn't list %s", object.features[i]);
    if (!hasFeature(object.features[i]))
      return refuse(error, "this processor lacks %s", object.features[i]);
  }
  return rank * 100 + object.feature_count;
}
