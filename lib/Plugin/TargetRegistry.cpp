//===- TargetRegistry.cpp - The chips that this compiler knows ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Plugin/Target.h"
#include "llvm/Config/llvm-config.h"

using namespace llvm;

namespace mxn::plugin {

Error TargetRegistry::add(std::unique_ptr<Target> target) {
  std::string name = target->name().str();
  if (!targets.try_emplace(name, std::move(target)).second)
    return createStringError("two plugins bring a target of the name '" + name + "'");
  return Error::success();
}

const Target *TargetRegistry::find(StringRef name) const {
  auto it = targets.find(name.str());
  return it == targets.end() ? nullptr : it->second.get();
}

std::vector<std::string> TargetRegistry::names() const {
  std::vector<std::string> out;
  for (const auto &[name, target] : targets)
    out.push_back(name);
  return out;
}

Error registerPlugin(TargetRegistry &registry, const Plugin &plugin) {
  if (plugin.apiVersion != kApiVersion)
    return createStringError(Twine("plugin '") + plugin.name + "' is built for version " + Twine(plugin.apiVersion) +
                             " of the plugin interface, this compiler has version " + Twine(kApiVersion));
  if (StringRef(plugin.llvmVersion) != LLVM_VERSION_STRING)
    return createStringError(Twine("plugin '") + plugin.name + "' is built for LLVM " + plugin.llvmVersion +
                             ", this compiler uses LLVM " + LLVM_VERSION_STRING);
  return plugin.registerTargets(registry);
}

} // namespace mxn::plugin
