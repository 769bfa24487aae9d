//===- mxn-compile.cpp - Compiles an ONNX model to a bundle ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Kernel/KernelDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "lib/Bundle/Writer.h"
#include "lib/Compiler/CodeGeneration.h"
#include "lib/Compiler/Phases.h"
#include "lib/Compiler/Registry.h"
#include "lib/Import/Import.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "passes/Import/Handlers.h"
#include "targets/CPU/CPUTarget.h"
#include "tools/mxn-compile/Attachments.h"
#include "tools/mxn-compile/Report.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;
using mxn::Phase;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static cl::OptionCategory category("mxn-compile options");
static cl::opt<std::string> model(cl::Positional, cl::desc("MODEL.onnx"), cl::Required, cl::cat(category));
static cl::opt<std::string> output("o", cl::desc("Where to write the result; '-' is the standard output (for IR)"),
                                   cl::value_desc("file"), cl::cat(category));
static cl::list<std::string> targets(
    "target", cl::CommaSeparated, cl::value_desc("name[:level+level...],..."), cl::cat(category),
    cl::desc("Chips to make code for; default: cpu, at the level that most machines have and at this machine's"));
static cl::opt<unsigned> optLevel("opt", cl::init(1), cl::value_desc("N"), cl::cat(category),
                                  cl::desc("0: plain loops; 1: vectors and threads"));
static cl::opt<unsigned> jobs("jobs", cl::init(0), cl::value_desc("N"), cl::cat(category),
                              cl::desc("Code generators at a time; 0: one for each core"));
static cl::alias jobsShort("j", cl::aliasopt(jobs), cl::desc("Alias for --jobs"), cl::cat(category));

static std::string phaseNames() {
  std::string text;
  for (const mxn::PhaseInfo &phase : mxn::phases())
    text += (text.empty() ? "" : ", ") + phase.name.str();
  return text;
}
static const std::string compileToHelp = "Stop after a phase and write its IR: " + phaseNames();
static cl::opt<std::string> compileTo("compile-to", cl::init("bundle"), cl::value_desc("phase"), cl::cat(category),
                                      cl::desc(compileToHelp));
static cl::opt<std::string> compileFrom("compile-from", cl::init(""), cl::value_desc("phase"), cl::cat(category),
                                        cl::desc("Take IR that --compile-to wrote, and go on from that phase"));
static cl::opt<bool> allowExternalLinks("allow-external-links", cl::cat(category),
                                        cl::desc("Follow symbolic and hard links to external data"));
static cl::opt<bool> noAttachments(
    "no-attachments", cl::cat(category),
    cl::desc("Leave out the files beside the model that otherwise go into the bundle: tokenizer.json, "
             "tokenizer_config.json, chat_template.jinja, generation_config.json, config.json, special_tokens_map.json "
             "(the first takes some MB, the others little; mxn-inspect says how much)"));
static cl::opt<bool> requireStep("require-step", cl::cat(category),
                                 cl::desc("Fail where a language model gets no ragged entry, and say why"));
static cl::opt<int64_t> blockTokens("block-tokens", cl::init(mxn::PhaseOptions().blockTokens), cl::value_desc("N"),
                                    cl::cat(category),
                                    cl::desc("Tokens in one block of a language model's cache, a power of two"));
static cl::opt<bool> printLocations("print-locations", cl::desc("Write locations into the IR"), cl::cat(category));
static cl::opt<bool> quiet("quiet", cl::desc("Print no progress"), cl::cat(category));
static cl::opt<bool> keepTemporaries("keep-temporaries", cl::Hidden, cl::cat(category),
                                     cl::desc("Leave the folder of intermediate files and print its name"));
static cl::list<std::string> nativeOps("import-native", cl::CommaSeparated, cl::Hidden, cl::cat(category),
                                       cl::desc("For tests: replace all ops but these by their function bodies"),
                                       cl::value_desc("op,..."));
static cl::opt<bool> printOps("print-ops", cl::Hidden, cl::cat(category),
                              cl::desc("Show with each message the operation that it is about"));
static cl::opt<std::string> reportAs("report-as", cl::Hidden, cl::cat(category), cl::value_desc("file"),
                                     cl::desc("The file that messages name; how workers name the model"));
static cl::opt<bool> codegenWorker("codegen-worker", cl::Hidden, cl::cat(category),
                                   cl::desc("Make an object file from kernels; how the compiler calls itself"));

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

static int fail(const Twine &message) {
  errs() << "mxn-compile: error: " << message << "\n";
  return 1;
}

static int fail(Error e) { return fail(toString(std::move(e))); }

static void progress(const Twine &text) {
  static const bool show = !quiet && !codegenWorker && sys::Process::StandardErrIsDisplayed();
  if (show)
    errs() << "\r\033[K" << text << (text.isTriviallyEmpty() ? "" : "...");
}

static std::optional<Phase> findPhase(StringRef name) {
  for (const mxn::PhaseInfo &phase : mxn::phases())
    if (phase.name == name)
      return phase.phase;
  return std::nullopt;
}

/// The target and the levels that `--target` asks for.
static Expected<std::pair<const mxn::plugin::Target *, std::vector<mxn::plugin::Level>>>
chooseTarget(const mxn::plugin::TargetRegistry &registry) {
  if (targets.size() > 1)
    return createStringError("this version compiles for one target at a time");
  const std::string asked = targets.empty() ? "cpu" : targets.front();
  auto [name, request] = StringRef(asked).split(':');
  const mxn::plugin::Target *target = registry.find(name);
  if (!target)
    return createStringError("unknown target '" + name + "'; there are: " + join(registry.names(), ", "));
  std::string wanted = request.str();
  if (wanted.empty() && name == "cpu") {
    // What every machine of the last ten years has, and what this one can do beyond.
    StringMap<bool> features = sys::getHostCPUFeatures();
    wanted = "x86-64-v3";
    if (features.lookup("avx512f") && features.lookup("avx512bw") && features.lookup("avx512cd") &&
        features.lookup("avx512dq") && features.lookup("avx512vl"))
      wanted += "+x86-64-v4";
  }
  auto levels = target->levels(wanted);
  if (!levels)
    return levels.takeError();
  return std::pair(target, *levels);
}

static mlir::OwningOpRef<mlir::ModuleOp> load(mlir::MLIRContext &context) {
  if (!compileFrom.empty())
    return mlir::parseSourceFile<mlir::ModuleOp>(model, &context);
  mxn::import::Options options;
  options.allowExternalLinks = allowExternalLinks;
  if (nativeOps.getNumOccurrences())
    options.isNative = [](StringRef domain, StringRef op, int64_t) {
      return is_contained(nativeOps, (domain.empty() ? "" : domain + ".").str() + op.str());
    };
  else
    options.isNative = [](StringRef domain, StringRef op, int64_t version) {
      return mxn::HandlerRegistry::instance().find(domain, op, version) != nullptr;
    };
  return mxn::import::importModel(context, model, options);
}

static int writeIR(mlir::ModuleOp module) {
  std::string error;
  auto file = mlir::openOutputFile(output.empty() ? "-" : output.getValue(), &error);
  if (!file)
    return fail(error);
  mlir::OpPrintingFlags flags;
  if (printLocations)
    flags.enableDebugInfo();
  module.print(file->os(), flags);
  file->os().flush();
  if (file->os().has_error()) {
    std::error_code code = file->os().error();
    file->os().clear_error();
    return fail("can't write " + output + ": " + code.message());
  }
  file->keep();
  return 0;
}

static int writeBundle(mlir::ModuleOp module, const mxn::plugin::Target &target, std::vector<mxn::plugin::Level> levels,
                       StringRef self) {
  std::vector<mxn::bundle_writer::Attachment> attachments;
  if (!noAttachments) {
    auto found = mxn::findAttachments(model, allowExternalLinks);
    if (!found)
      return fail(found.takeError());
    attachments = std::move(*found);
  }
  // lld, which runs in this process, sets all command-line options back: what is needed behind it is copied here.
  const std::string path = output, name = sys::path::stem(model).str();
  const bool keep = keepTemporaries;
  SmallString<128> directory;
  if (std::error_code code = sys::fs::createUniqueDirectory("mxn-compile", directory))
    return fail("can't make a folder for intermediate files: " + code.message());
  scope_exit cleanUp([&] {
    if (keep)
      errs() << "intermediate files: " << directory << "\n";
    else
      sys::fs::remove_directories(directory);
  });
  auto kernels = module.lookupSymbol<mlir::ModuleOp>(mxn::kernel::kModuleName);
  if (!kernels)
    return fail("internal error: there is no module of kernels");

  std::vector<mxn::plugin::CodegenOptions> options;
  for (const mxn::plugin::Level &level : levels)
    options.push_back({level, optLevel});
  mxn::CodeGeneration how;
  how.workerProgram = self.str();
  how.workerArguments = {"--report-as=" + model.getValue()};
  if (printOps)
    how.workerArguments.push_back("--print-ops");
  how.workDirectory = directory.str().str();
  how.jobs = jobs ? jobs.getValue() : hardware_concurrency().compute_thread_count();
  auto report = [](unsigned done, unsigned total) { progress("generating code " + Twine(done) + "/" + Twine(total)); };
  how.progress = report;
  auto code = mxn::generateCode(kernels, target, options, how);
  if (!code)
    return fail(code.takeError());

  progress("writing " + path);
  mxn::bundle_writer::Contents contents;
  contents.module = module;
  contents.driver = target.driver().str();
  contents.modelName = name;
  contents.attachments = std::move(attachments);
  if (auto reason = module->getAttrOfType<mlir::StringAttr>(mxn::program::kStepRefusedAttrName))
    contents.metadata.push_back({"step.refused", reason.getValue().str()});
  for (auto [level, file] : zip(levels, *code))
    contents.code.push_back({level.name, level.features, file});
  if (Error e = mxn::bundle_writer::write(contents, path))
    return fail(std::move(e));
  return 0;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(
      [](raw_ostream &out) { out << "mxn-compile " MXN_VERSION " (LLVM " LLVM_VERSION_STRING ")\n"; });
  cl::ParseCommandLineOptions(argc, argv, "MxN: compiles an ONNX model to a bundle\n");

  auto to = findPhase(compileTo);
  if (!to)
    return fail("there is no phase '" + compileTo + "'; the phases are: " + phaseNames());
  auto from = compileFrom.empty() ? Phase::Import : findPhase(compileFrom);
  if (!from || *from == Phase::Bundle)
    return fail("IR of a phase '" + compileFrom + "' can't be read; the phases are: " + phaseNames());
  if (*to < *from)
    return fail("--compile-to=" + compileTo + " lies before --compile-from=" + compileFrom);
  if (*to == Phase::Bundle && output.empty())
    return fail("where should the bundle go? Add -o FILE.mxn");
  mxn::plugin::TargetRegistry registry;
  if (Error e = mxn::plugin::registerPlugin(registry, mxn::cpu::getPlugin()))
    return fail(std::move(e));
  auto target = chooseTarget(registry);
  if (!target)
    return fail(target.takeError());

  mlir::DialectRegistry dialects;
  mxn::registerDialects(dialects);
  mlir::MLIRContext context(dialects);
  context.printOpOnDiagnostic(false); // a message names the node; the IR is for --compile-to
  context.printOpOnDiagnostic(printOps);
  mxn::ErrorReporter reporter(context, reportAs.empty() ? model.getValue() : reportAs.getValue());
  if (codegenWorker) {
    context.disableMultithreading();
    return failed(mxn::runWorker(context, *target->first, {target->second.front(), optLevel}, model, output));
  }

  progress("reading " + model);
  mlir::OwningOpRef<mlir::ModuleOp> module = load(context);
  if (!module)
    return 1;
  progress("compiling");
  mlir::PassManager pm(&context);
  mxn::buildPhases(pm, *from, *to, {requireStep, blockTokens, optLevel});
  if (failed(pm.run(*module)))
    return reporter.ensureError();
  if (*to != Phase::Bundle)
    return writeIR(*module);
  int status = writeBundle(*module, *target->first, target->second,
                           sys::fs::getMainExecutable(argv[0], reinterpret_cast<void *>(&main)));
  progress("");
  return status;
}
