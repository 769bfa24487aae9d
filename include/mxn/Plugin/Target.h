//===- Target.h - What a code generator gives the compiler ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A chip joins MxN with a Target. Those of this repository are registered through the same structs as those of a
// plugin, which is a shared library that exports mxnGetPlugin().
//
#ifndef MXN_PLUGIN_TARGET_H
#define MXN_PLUGIN_TARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
}

namespace mxn::plugin {

/// Grows whenever a struct or a virtual function of this header changes. A plugin of another version is refused.
inline constexpr uint32_t kApiVersion = 1;

/// What a chip can do: passes ask this and never who made the chip.
struct TargetInfo {
  /// Bits of the widest vector register.
  unsigned vectorBits = 0;
  /// Bytes of a cache line, and of the caches that one core has for itself.
  unsigned cacheLine = 64;
  uint64_t l1Bytes = 32 << 10, l2Bytes = 1 << 20;
};

/// One kind of machine that a target makes code for, such as "x86-64-v3".
struct Level {
  std::string name;
  /// What the runtime's driver must find on the machine beyond the level's name, in the driver's spelling.
  std::vector<std::string> features;
  TargetInfo info;
};

struct CodegenOptions {
  Level level;
  /// 0: plain loops, the measure of all faster code. 1 and more: optimised.
  unsigned optLevel = 0;
};

class Target {
public:
  virtual ~Target() = default;
  /// The name on the command line ("cpu") and the name of the runtime driver that runs the code.
  virtual llvm::StringRef name() const = 0;
  virtual llvm::StringRef driver() const = 0;
  /// The levels that a request such as "x86-64-v3+x86-64-v4" names; an error for a name that the target doesn't know.
  virtual llvm::Expected<std::vector<Level>> levels(llvm::StringRef request) const = 0;
  /// Adds the passes that turn kernels on tensors into what `emit` takes. Runs on the module `@kernels`.
  virtual void buildPipeline(mlir::OpPassManager &pm, const CodegenOptions &options) const = 0;
  /// Object code of a part of the kernels. Runs in a worker process, which LLVM's fatal errors may end.
  virtual llvm::Error emit(mlir::ModuleOp kernels, const CodegenOptions &options,
                           llvm::SmallVectorImpl<char> &object) const = 0;
  /// Links object files into one code object of the bundle.
  virtual llvm::Error link(llvm::ArrayRef<std::string> objectFiles, llvm::StringRef outputFile) const = 0;
};

class TargetRegistry {
public:
  /// An error where the name is taken.
  llvm::Error add(std::unique_ptr<Target> target);
  const Target *find(llvm::StringRef name) const;
  std::vector<std::string> names() const;

private:
  std::map<std::string, std::unique_ptr<Target>> targets;
};

/// What a plugin exports under the C name `mxnGetPlugin`.
struct Plugin {
  uint32_t apiVersion;     // kApiVersion
  const char *llvmVersion; // LLVM_VERSION_STRING
  const char *name;
  llvm::Error (*registerTargets)(TargetRegistry &registry);
};
using GetPluginFunction = Plugin (*)();

/// Refuses a plugin built for another API or LLVM; the message names both versions.
llvm::Error registerPlugin(TargetRegistry &registry, const Plugin &plugin);

} // namespace mxn::plugin

#endif
