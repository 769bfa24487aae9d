//===- Load.cpp - From a file to a checked and inferred model -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/OnnxModel.h"
#include "onnx/checker.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <map>
#include <random>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mxn::import;

// The newest that the ONNX library in use knows the schemas of. Without a check, a newer model would be read with the
// newest of the old schemas.
constexpr int64_t kMaxOpset = 28, kMaxIRVersion = 14;

namespace {

/// A file mapped for reading.
class MappedFile {
public:
  explicit MappedFile(const std::string &path) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
      throw Failure(std::string("the file can't be opened: ") + std::strerror(errno));
    struct stat info;
    std::string why;
    if (::fstat(fd, &info) || S_ISDIR(info.st_mode))
      why = "this is a directory; name the .onnx file in it";
    else if (!S_ISREG(info.st_mode))
      why = "this isn't a regular file";
    else if (!info.st_size)
      why = "the file is empty";
    if (why.empty()) {
      size = static_cast<uint64_t>(info.st_size);
      void *at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
      if (at == MAP_FAILED)
        why = std::string("the file can't be mapped: ") + std::strerror(errno);
      else
        data = static_cast<const char *>(at);
    }
    ::close(fd);
    if (!why.empty())
      throw Failure(why);
  }
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile() {
    if (data)
      ::munmap(const_cast<char *>(data), size);
  }
  const char *data = nullptr;
  uint64_t size = 0;
};

} // namespace

/// Reads the file without its weights. `nonce` marks what was cut out.
static onnx::ModelProto parse(const std::string &path, const std::string &nonce, Cut &cut) {
  MappedFile file(path);
  static const std::string kPointer = "version https://git-lfs";
  if (file.size > kPointer.size() && !std::memcmp(file.data, kPointer.data(), kPointer.size()))
    throw Failure("this is a Git LFS pointer, not the model itself; fetch it with 'git lfs pull'");
  if (!cutWeights(file.data, file.size, nonce, kKeptInFile, cut))
    throw Failure("this isn't an ONNX model, or it is cut short: at byte " + std::to_string(cut.errorOffset) + " of " +
                  std::to_string(file.size) + ", " + cut.error);
  if (cut.bytes.size() > INT32_MAX)
    throw Failure("the graph has " + std::to_string(cut.bytes.size()) +
                  " bytes without its raw data, protobuf reads less than 2 GB; store the weights as raw_data or as "
                  "external data");
  google::protobuf::LogSilencer silence; // it would write to the terminal, the message below says as much
  onnx::ModelProto model;
  if (!model.ParseFromArray(cut.bytes.data(), static_cast<int>(cut.bytes.size())))
    throw Failure("this isn't an ONNX model: protobuf can't parse it");
  std::string().swap(cut.bytes);
  if (!model.has_graph())
    throw Failure("this isn't an ONNX model: it holds no graph");
  return model;
}

static void checkHeader(const onnx::ModelProto &model) {
  if (!model.ir_version())
    throw Failure("the model has no IR version; is this an ONNX file?");
  if (model.ir_version() > kMaxIRVersion)
    throw Failure("the model has IR version " + std::to_string(model.ir_version()) + ", this compiler reads up to " +
                  std::to_string(kMaxIRVersion) + "; export it for an older version of ONNX");
  if (!model.opset_import_size())
    throw Failure("the model imports no operator set; add an opset_import for ai.onnx, or export it again");
  std::set<std::string> domains, keys;
  for (const auto &import : model.opset_import()) {
    std::string domain = canonicalDomain(import.domain());
    std::string shown = domain.empty() ? "ai.onnx" : domain;
    if (import.version() < 1 || import.version() > INT32_MAX)
      throw Failure("the model imports version " + std::to_string(import.version()) + " of the operator set " + shown +
                    "; versions begin with 1");
    if (domain.empty() && import.version() > kMaxOpset)
      throw Failure("the model imports version " + std::to_string(import.version()) +
                    " of the operator set ai.onnx, this compiler knows up to " + std::to_string(kMaxOpset) +
                    "; export it with opset_version=" + std::to_string(kMaxOpset) +
                    " or lower, or convert it with onnx.version_converter");
    if (!domains.insert(domain).second)
      throw Failure("the model imports the operator set " + shown + " twice");
  }
  for (const auto &entry : model.metadata_props())
    if (!keys.insert(entry.key()).second)
      throw Failure("the model's metadata has the key '" + entry.key() + "' twice");
}

static void check(const onnx::ModelProto &model) {
  onnx::checker::CheckerContext context;
  context.set_ir_version(static_cast<int>(model.ir_version()));
  std::unordered_map<std::string, int> imports;
  for (const auto &import : model.opset_import())
    imports[canonicalDomain(import.domain())] = static_cast<int>(import.version());
  context.set_opset_imports(imports);
  // Versions that differ from the model's are converted when the functions are inlined.
  context.set_skip_opset_compatibility_check(true);
  onnx::checker::LexicalScopeContext scope;
  onnx::checker::check_graph(model.graph(), context, scope);
  onnx::checker::check_model_local_functions(model, context, scope);
}

/// The library's messages have several lines.
static std::string oneLine(const std::string &text) {
  std::string line;
  for (char c : text) {
    bool space = static_cast<unsigned char>(c) <= ' ';
    if (!space)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (!line.empty() && line.back() == ' ')
    line.pop_back();
  constexpr size_t kMaxLength = 600;
  if (line.size() > kMaxLength)
    line = line.substr(0, kMaxLength) + " ...";
  return line;
}

bool mxn::import::loadModel(const std::string &path, const LoadOptions &options, Model &model, LoadError &error) {
  try {
    registerForeignSchemas();
    std::string nonce = std::to_string(std::random_device()()) + std::to_string(std::random_device()());
    Cut cut;
    onnx::ModelProto proto = parse(path, nonce, cut);
    checkHeader(proto);
    proto.clear_training_info();
    resolveTensors(proto, path, cut, nonce, options.allowExternalLinks, model.weights);
    check(proto);
    densify(proto);
    std::vector<Type> declared;
    for (const auto &output : proto.graph().output())
      declared.push_back(toPlain(output.type()));
    if (proto.functions_size()) {
      inlineFunctions(proto);
      check(proto);
    }
    try {
      inferTypes(proto, /*strict=*/true);
    } catch (const std::exception &exception) {
      // A graph may run though a rule of ONNX's inference doesn't hold; the later stages check what they rely on.
      model.warnings.push_back("ONNX's type inference contradicts the model: " + oneLine(exception.what()));
      inferTypes(proto, /*strict=*/false);
    }
    expandFunctions(proto, options);
    toPlain(proto, model);
    for (size_t i = 0; i < declared.size(); ++i)
      model.graph.outputs[i].type = declared[i];
    return true;
  } catch (const Failure &failure) {
    error.message = oneLine(failure.what());
    error.node = failure.node;
  } catch (const std::exception &exception) {
    error.message = oneLine(exception.what());
  }
  return false;
}
