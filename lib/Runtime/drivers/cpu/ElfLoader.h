// ElfLoader.h - loads a code object: a freestanding ELF shared object that needs nothing from outside.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_DRIVERS_CPU_ELFLOADER_H
#define MXN_LIB_RUNTIME_DRIVERS_CPU_ELFLOADER_H

#include <cstddef>
#include <cstdint>
#include <elf.h>
#include <string>
#include <string_view>

namespace mxn::cpu {

// The system's loader takes only files and runs what they ask it to run; this one takes bytes, resolves symbols inside
// the object only, and runs nothing. Every offset of the file is checked, as a bundle may be damaged. No page is ever
// writable and executable at the same time.
class LoadedObject {
public:
  LoadedObject() = default;
  LoadedObject(const LoadedObject &) = delete;
  ~LoadedObject();

  // Returns "" or what is wrong.
  std::string load(const void *data, uint64_t length);

  // Address of an exported function; null if there is none of that name.
  void *findFunction(const char *name) const;

private:
  std::string checkHeader();
  std::string mapSegments();
  std::string readDynamic();
  std::string countSymbols();
  std::string relocate();
  std::string relocateTable(uint64_t address, uint64_t bytes);
  std::string relocateRelative(uint64_t address, uint64_t bytes);
  std::string protectSegments();

  // `count` values of type T at an address of the object; null if they leave it.
  template <typename T> T *at(uint64_t address, uint64_t count = 1) const {
    if (address > size || count > (size - address) / sizeof(T) || address % alignof(T))
      return nullptr;
    return reinterpret_cast<T *>(base + address);
  }
  bool isExecutable(uint64_t address) const;
  std::string_view nameOf(uint64_t offset) const;

  const uint8_t *file = nullptr;
  uint64_t fileLength = 0;
  Elf64_Ehdr header = {};
  static constexpr unsigned maxSegments = 32;
  Elf64_Phdr segments[maxSegments];
  unsigned segmentCount = 0;

  uint8_t *base = nullptr; // where address 0 of the object is
  uint64_t size = 0;       // bytes from there, all mapped

  // From the dynamic section.
  uint64_t strings = 0, stringBytes = 0, symbols = 0, symbolCount = 0, hash = 0, gnuHash = 0;
  uint64_t rela = 0, relaBytes = 0, jumpRela = 0, jumpRelaBytes = 0, relr = 0, relrBytes = 0;
};

} // namespace mxn::cpu

#endif
