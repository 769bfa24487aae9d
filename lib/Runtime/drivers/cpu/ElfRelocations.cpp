// ElfRelocations.cpp - applies a code object's relocations, all of which stay inside it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/drivers/cpu/ElfLoader.h"

#include <cstring>

using namespace mxn::cpu;

namespace {
enum class Kind { None, Relative, Symbol, Unknown };

// The few kinds that a shared object without outside references holds, by architecture.
Kind kindOf(uint32_t type) {
#if defined(__x86_64__)
  switch (type) {
  case R_X86_64_NONE:
    return Kind::None;
  case R_X86_64_RELATIVE:
    return Kind::Relative;
  case R_X86_64_64:
  case R_X86_64_GLOB_DAT:
  case R_X86_64_JUMP_SLOT:
    return Kind::Symbol;
  }
#elif defined(__aarch64__)
  switch (type) {
  case R_AARCH64_NONE:
    return Kind::None;
  case R_AARCH64_RELATIVE:
    return Kind::Relative;
  case R_AARCH64_ABS64:
  case R_AARCH64_GLOB_DAT:
  case R_AARCH64_JUMP_SLOT:
    return Kind::Symbol;
  }
#elif defined(__riscv)
  switch (type) {
  case R_RISCV_NONE:
    return Kind::None;
  case R_RISCV_RELATIVE:
    return Kind::Relative;
  case R_RISCV_64:
  case R_RISCV_JUMP_SLOT:
    return Kind::Symbol;
  }
#endif
  return Kind::Unknown;
}

void store(uint8_t *target, uint64_t value) { memcpy(target, &value, sizeof(value)); }
} // namespace

std::string LoadedObject::relocateTable(uint64_t address, uint64_t bytes) {
  uint64_t count = bytes / sizeof(Elf64_Rela);
  if (count == 0)
    return "";
  const Elf64_Rela *entries = at<Elf64_Rela>(address, count);
  const Elf64_Sym *symbolTable = at<Elf64_Sym>(symbols, symbolCount);
  if (!entries)
    return "the code object's relocations are damaged";
  for (uint64_t i = 0; i < count; ++i) {
    // A copy, as a damaged file may let a relocation write to the table.
    Elf64_Rela entry = entries[i];
    uint64_t addend = entry.r_addend;
    Kind kind = kindOf(ELF64_R_TYPE(entry.r_info));
    if (kind == Kind::None)
      continue;
    if (kind == Kind::Unknown)
      return "the code object has relocations of the unknown type " + std::to_string(ELF64_R_TYPE(entry.r_info));
    uint8_t *target = at<uint8_t>(entry.r_offset, sizeof(uint64_t));
    if (!target)
      return "a relocation leaves the code object";
    uint64_t value = reinterpret_cast<uint64_t>(base) + addend;
    if (kind == Kind::Symbol) {
      uint64_t index = ELF64_R_SYM(entry.r_info);
      if (index >= symbolCount)
        return "a relocation names a symbol that doesn't exist";
      Elf64_Sym symbol = symbolTable[index];
      if (symbol.st_shndx == SHN_UNDEF)
        return "the code object lacks the symbol \"" + std::string(nameOf(symbol.st_name)) + "\"";
      if (ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC)
        return "the code object wants to run code when it is loaded";
      value += symbol.st_value;
    }
    store(target, value);
  }
  return "";
}

// The compact form of relative relocations: an address, then bit maps of the 63 words after it.
std::string LoadedObject::relocateRelative(uint64_t address, uint64_t bytes) {
  uint64_t count = bytes / sizeof(uint64_t);
  if (count == 0)
    return "";
  const uint64_t *entries = at<uint64_t>(address, count);
  if (!entries)
    return "the code object's relocations are damaged";
  auto apply = [&](uint64_t where) {
    uint8_t *target = at<uint8_t>(where, sizeof(uint64_t));
    if (!target)
      return false;
    uint64_t value;
    memcpy(&value, target, sizeof(value));
    store(target, value + reinterpret_cast<uint64_t>(base));
    return true;
  };
  uint64_t next = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t entry = entries[i];
    if ((entry & 1) == 0) {
      if (!apply(entry))
        return "a relocation leaves the code object";
      next = entry + 8;
      continue;
    }
    for (unsigned bit = 1; bit < 64; ++bit)
      if ((entry >> bit & 1) && !apply(next + (bit - 1) * 8))
        return "a relocation leaves the code object";
    next += 63 * 8;
  }
  return "";
}

std::string LoadedObject::relocate() {
  std::string wrong = relocateTable(rela, relaBytes);
  if (wrong.empty())
    wrong = relocateTable(jumpRela, jumpRelaBytes);
  return wrong.empty() ? relocateRelative(relr, relrBytes) : wrong;
}
