// Main.cpp - mxn-inspect: shows what is in a bundle.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Runtime/Runtime.h"
#include "tools/Support/Options.h"
#include "tools/Support/Output.h"
#include "tools/mxn-inspect/Inspect.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mxn;
using namespace mxn::tools;

static constexpr const char *tool = "mxn-inspect";

static Option jsonOption{"json", nullptr, "Print the summary as JSON"};
static Option programOption{"program", nullptr, "List buffers and instructions too"};
static Option extractOption{"extract", "folder", "Write each code object to folder/PLAN-LEVEL-FEATURES.so"};

static std::string extract(const bundle::Manifest &manifest, const uint8_t *file, const std::string &folder) {
  std::string wrong = makeFolder(folder);
  for (unsigned p = 0; p < count(manifest.plans()) && wrong.empty(); ++p) {
    const bundle::Plan *plan = manifest.plans()->Get(p);
    for (unsigned i = 0; i < count(plan->code()) && wrong.empty(); ++i) {
      const bundle::CodeObject *object = plan->code()->Get(i);
      std::string name = std::to_string(p) + "-" + text(object->level());
      for (unsigned k = 0; k < count(object->features()); ++k)
        name += "-" + text(object->features()->Get(k));
      const bundle::Section *section = manifest.sections()->Get(object->section());
      wrong = writeFile(folder + "/" + fileName(name) + ".so", "", file + section->offset(), section->length());
    }
  }
  return wrong;
}

int main(int argc, char **argv) {
  CommandLine line{
      tool, "shows what is in an MxN bundle", "[options] <bundle>", {&jsonOption, &programOption, &extractOption}};
  int code;
  if (!line.parse(argc, argv, &code))
    return code;
  if (line.positional.size() != 1)
    return error(tool, "one bundle is needed, %zu came", line.positional.size());
  const char *path = line.positional[0].c_str();
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  struct stat facts;
  if (descriptor < 0 || fstat(descriptor, &facts) != 0)
    return error(tool, "can't open %s: %s", path, strerror(errno));
  if (!S_ISREG(facts.st_mode))
    return error(tool, "%s is not a regular file", path);
  void *memory = mmap(nullptr, facts.st_size ? facts.st_size : 1, PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (memory == MAP_FAILED)
    return error(tool, "can't map %s: %s", path, strerror(errno));
  // The runtime checks everything that is printed from here on.
  mxn_model_t *model = nullptr;
  if (mxn_model_open_memory(memory, facts.st_size, nullptr, &model) != MXN_STATUS_OK)
    return error(tool, "%s: %s", path, mxn_last_error());
  mxn_model_close(model);

  const auto *file = static_cast<const uint8_t *>(memory);
  mxn_bundle_header_t header;
  memcpy(&header, file, sizeof(header));
  const bundle::Manifest &manifest = *bundle::GetManifest(file + header.manifest_offset);
  if (extractOption.given) {
    std::string wrong = extract(manifest, file, extractOption.last());
    if (!wrong.empty())
      return error(tool, "%s", wrong.c_str());
  }
  if (jsonOption.given)
    printJson(header, manifest);
  else if (!programOption.given)
    printSummary(header, manifest);
  if (programOption.given)
    printProgram(manifest);
  return finish(tool);
}
