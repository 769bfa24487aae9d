// Summary.cpp - what is in a bundle, for people and as JSON.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/Support/Output.h"
#include "tools/mxn-inspect/Inspect.h"

#include <cstdio>

using namespace mxn;
using namespace mxn::tools;

static unsigned long long number(uint64_t value) { return value; }

std::string tools::describe(const bundle::Tensor &tensor) {
  std::string out = text(tensor.name()) + ": " + bundle::EnumNameElementType(tensor.type()) + "[";
  for (unsigned axis = 0; axis < count(tensor.dims()); ++axis) {
    const bundle::Dim *dim = tensor.dims()->Get(axis);
    std::string name = text(dim->name());
    out += (axis ? ", " : "") + (name.empty() ? "r" + std::to_string(dim->size()) : name);
  }
  return out + "]";
}

static void printFunction(const bundle::Function &function) {
  printf("  function %s\n", text(function.name()).c_str());
  for (unsigned i = 0; i < count(function.inputs()); ++i)
    printf("    input  %s\n", describe(*function.inputs()->Get(i)).c_str());
  for (unsigned i = 0; i < count(function.outputs()); ++i)
    printf("    output %s\n", describe(*function.outputs()->Get(i)).c_str());
  for (unsigned i = 0; i < count(function.cache_groups()); ++i) {
    const bundle::CacheGroup *group = function.cache_groups()->Get(i);
    printf("    cache  %s: %s, %u layers, %u heads of %u, blocks of %u tokens", text(group->name()).c_str(),
           bundle::EnumNameElementType(group->type()), group->layers(), group->heads(), group->head_size(),
           group->block_tokens());
    if (group->window())
      printf(", keeps the first %llu and the last %llu tokens", number(group->sink()), number(group->window()));
    printf("\n");
  }
  unsigned instructions = 0;
  for (unsigned i = 0; i < count(function.blocks()); ++i)
    instructions += count(function.blocks()->Get(i)->instructions());
  printf("    %u registers, %u buffers, %u instructions in the prologue, %u in %u blocks\n", function.register_count(),
         count(function.buffers()), count(function.prologue()), instructions, count(function.blocks()));
}

void tools::printSummary(const mxn_bundle_header_t &header, const bundle::Manifest &manifest) {
  printf("bundle %u.%u, %llu bytes, manifest of %llu bytes\n", header.version_major, header.version_minor,
         number(header.file_length), number(header.manifest_length));
  printf("model \"%s\" by %s\n", text(manifest.model_name()).c_str(), text(manifest.producer()).c_str());
  for (unsigned i = 0; i < count(manifest.metadata()); ++i)
    printf("metadata %s = %s\n", text(manifest.metadata()->Get(i)->key()).c_str(),
           text(manifest.metadata()->Get(i)->value()).c_str());
  for (unsigned i = 0; i < count(manifest.sections()); ++i) {
    const bundle::Section *section = manifest.sections()->Get(i);
    printf("section %u: %s, %llu bytes at %llu%s%s\n", i, bundle::EnumNameSectionKind(section->kind()),
           number(section->length()), number(section->offset()), section->name() ? ", " : "",
           text(section->name()).c_str());
  }
  for (unsigned p = 0; p < count(manifest.plans()); ++p) {
    const bundle::Plan *plan = manifest.plans()->Get(p);
    printf("plan %u for driver \"%s\"\n", p, text(plan->driver()).c_str());
    for (unsigned i = 0; i < count(plan->code()); ++i) {
      const bundle::CodeObject *object = plan->code()->Get(i);
      printf("  code %s", text(object->level()).c_str());
      for (unsigned k = 0; k < count(object->features()); ++k)
        printf(" +%s", text(object->features()->Get(k)).c_str());
      printf(" in section %u\n", object->section());
    }
    printf("  %u kernels, %u locations\n", count(plan->kernels()), count(plan->locations()));
    for (unsigned i = 0; i < count(plan->functions()); ++i)
      printFunction(*plan->functions()->Get(i));
  }
}

static void printTensorsJson(const char *what,
                             const flatbuffers::Vector<flatbuffers::Offset<bundle::Tensor>> *tensors) {
  printf("\"%s\": [", what);
  for (unsigned i = 0; i < count(tensors); ++i) {
    const bundle::Tensor *tensor = tensors->Get(i);
    printf("%s{\"name\": %s, \"type\": \"%s\", \"dims\": [", i ? ", " : "", quote(text(tensor->name())).c_str(),
           bundle::EnumNameElementType(tensor->type()));
    for (unsigned axis = 0; axis < count(tensor->dims()); ++axis)
      printf("%s%s", axis ? ", " : "", quote(text(tensor->dims()->Get(axis)->name())).c_str());
    printf("]}");
  }
  printf("]");
}

static void printPlanJson(const bundle::Plan &plan) {
  printf("{\"driver\": %s, \"kernels\": [", quote(text(plan.driver())).c_str());
  for (unsigned i = 0; i < count(plan.kernels()); ++i)
    printf("%s%s", i ? ", " : "", quote(text(plan.kernels()->Get(i)->name())).c_str());
  printf("], \"code\": [");
  for (unsigned i = 0; i < count(plan.code()); ++i) {
    const bundle::CodeObject *object = plan.code()->Get(i);
    printf("%s{\"section\": %u, \"level\": %s, \"features\": [", i ? ", " : "", object->section(),
           quote(text(object->level())).c_str());
    for (unsigned k = 0; k < count(object->features()); ++k)
      printf("%s%s", k ? ", " : "", quote(text(object->features()->Get(k))).c_str());
    printf("]}");
  }
  printf("], \"functions\": [");
  for (unsigned i = 0; i < count(plan.functions()); ++i) {
    const bundle::Function *function = plan.functions()->Get(i);
    printf("%s{\"name\": %s, ", i ? ", " : "", quote(text(function->name())).c_str());
    printTensorsJson("inputs", function->inputs());
    printf(", ");
    printTensorsJson("outputs", function->outputs());
    printf(", \"cache_groups\": [");
    for (unsigned k = 0; k < count(function->cache_groups()); ++k) {
      const bundle::CacheGroup *group = function->cache_groups()->Get(k);
      printf(
          "%s{\"name\": %s, \"type\": \"%s\", \"layers\": %u, \"heads\": %u, \"head_size\": %u, \"block_tokens\": %u, "
          "\"sink\": %llu, \"window\": %llu}",
          k ? ", " : "", quote(text(group->name())).c_str(), bundle::EnumNameElementType(group->type()),
          group->layers(), group->heads(), group->head_size(), group->block_tokens(), number(group->sink()),
          number(group->window()));
    }
    printf("], \"registers\": %u, \"buffers\": %u}", function->register_count(), count(function->buffers()));
  }
  printf("]}");
}

void tools::printJson(const mxn_bundle_header_t &header, const bundle::Manifest &manifest) {
  printf("{\"version\": \"%u.%u\", \"file_length\": %llu, \"manifest_length\": %llu,\n", header.version_major,
         header.version_minor, number(header.file_length), number(header.manifest_length));
  printf(" \"model_name\": %s, \"producer\": %s,\n \"metadata\": {", quote(text(manifest.model_name())).c_str(),
         quote(text(manifest.producer())).c_str());
  for (unsigned i = 0; i < count(manifest.metadata()); ++i)
    printf("%s%s: %s", i ? ", " : "", quote(text(manifest.metadata()->Get(i)->key())).c_str(),
           quote(text(manifest.metadata()->Get(i)->value())).c_str());
  printf("},\n \"sections\": [");
  for (unsigned i = 0; i < count(manifest.sections()); ++i) {
    const bundle::Section *section = manifest.sections()->Get(i);
    printf("%s{\"kind\": \"%s\", \"offset\": %llu, \"length\": %llu, \"hash\": \"%016llx\", \"name\": %s}",
           i ? ", " : "", bundle::EnumNameSectionKind(section->kind()), number(section->offset()),
           number(section->length()), number(section->hash()), quote(text(section->name())).c_str());
  }
  printf("],\n \"plans\": [");
  for (unsigned i = 0; i < count(manifest.plans()); ++i) {
    printf("%s", i ? ", " : "");
    printPlanJson(*manifest.plans()->Get(i));
  }
  printf("]}\n");
}
