// ElfLoader.cpp - maps a code object's segments and looks up its functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/drivers/cpu/ElfLoader.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace mxn::cpu;

#if defined(__x86_64__)
static constexpr uint16_t machine = EM_X86_64;
#elif defined(__aarch64__)
static constexpr uint16_t machine = EM_AARCH64;
#elif defined(__riscv)
static constexpr uint16_t machine = EM_RISCV;
#else
static constexpr uint16_t machine = EM_NONE;
#endif

// More than any real code object; keeps a damaged one from asking for all memory.
static constexpr uint64_t maxImage = uint64_t(1) << 30;

LoadedObject::~LoadedObject() {
  if (base)
    munmap(base, size);
}

std::string LoadedObject::checkHeader() {
  if (fileLength < sizeof(header))
    return "the code object is too short";
  memcpy(&header, file, sizeof(header));
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return "the code object is no ELF file";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return "the code object is not 64-bit little-endian ELF";
  if (header.e_type != ET_DYN)
    return "the code object is no shared object";
  if (header.e_machine != machine)
    return "the code object is for another processor (ELF machine " + std::to_string(header.e_machine) +
           ", this one is " + std::to_string(machine) + ")";
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > maxSegments || header.e_phoff > fileLength ||
      header.e_phnum > (fileLength - header.e_phoff) / sizeof(Elf64_Phdr))
    return "the code object's segments aren't where they have to be";
  segmentCount = header.e_phnum;
  memcpy(segments, file + header.e_phoff, segmentCount * sizeof(Elf64_Phdr));
  return "";
}

// Copies the segments into memory of our own. It stays writable until relocations are done.
std::string LoadedObject::mapSegments() {
  uint64_t page = sysconf(_SC_PAGESIZE), end = 0;
  for (unsigned i = 0; i < segmentCount; ++i) {
    const Elf64_Phdr &segment = segments[i];
    if (segment.p_type == PT_TLS || segment.p_type == PT_INTERP)
      return "the code object wants thread-local storage or an interpreter";
    if (segment.p_type != PT_LOAD)
      continue;
    if (segment.p_offset > fileLength || segment.p_filesz > fileLength - segment.p_offset ||
        segment.p_filesz > segment.p_memsz || segment.p_vaddr > maxImage || segment.p_memsz > maxImage)
      return "a segment of the code object leaves the file";
    if ((segment.p_flags & PF_W) && (segment.p_flags & PF_X))
      return "a segment of the code object is writable and executable";
    // Segments come in the order of their addresses; two must not share a page, or they would share its protection.
    if (end && segment.p_vaddr / page * page < end)
      return "segments of the code object overlap or share a page";
    end = (segment.p_vaddr + segment.p_memsz + page - 1) / page * page;
  }
  if (end == 0)
    return "the code object has nothing to load";
  void *memory = mmap(nullptr, end, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return "there is no memory for the code object";
  base = static_cast<uint8_t *>(memory);
  size = end;
  for (unsigned i = 0; i < segmentCount; ++i)
    if (segments[i].p_type == PT_LOAD)
      memcpy(base + segments[i].p_vaddr, file + segments[i].p_offset, segments[i].p_filesz);
  return "";
}

std::string LoadedObject::readDynamic() {
  for (unsigned i = 0; i < segmentCount; ++i) {
    if (segments[i].p_type != PT_DYNAMIC)
      continue;
    uint64_t count = segments[i].p_memsz / sizeof(Elf64_Dyn);
    const Elf64_Dyn *entries = at<Elf64_Dyn>(segments[i].p_vaddr, count);
    if (!entries)
      return "the code object's dynamic section is damaged";
    for (uint64_t k = 0; k < count && entries[k].d_tag != DT_NULL; ++k) {
      uint64_t value = entries[k].d_un.d_val;
      switch (entries[k].d_tag) {
      case DT_STRTAB:
        strings = value;
        break;
      case DT_STRSZ:
        stringBytes = value;
        break;
      case DT_SYMTAB:
        symbols = value;
        break;
      case DT_HASH:
        hash = value;
        break;
      case DT_GNU_HASH:
        gnuHash = value;
        break;
      case DT_RELA:
        rela = value;
        break;
      case DT_RELASZ:
        relaBytes = value;
        break;
      case DT_JMPREL:
        jumpRela = value;
        break;
      case DT_PLTRELSZ:
        jumpRelaBytes = value;
        break;
      case 36 /* DT_RELR */:
        relr = value;
        break;
      case 35 /* DT_RELRSZ */:
        relrBytes = value;
        break;
      case DT_NEEDED:
        return "the code object needs another library";
      case DT_REL:
        return "the code object has relocations of an unknown form";
      case DT_INIT:
      case DT_INIT_ARRAY:
      case DT_PREINIT_ARRAY:
      case DT_FINI:
      case DT_FINI_ARRAY:
        return "the code object wants to run code when it is loaded";
      default:
        break;
      }
    }
    break;
  }
  if (!at<char>(strings, stringBytes) || stringBytes == 0 || base[strings + stringBytes - 1] != 0)
    return "the code object's string table is damaged";
  return countSymbols();
}

// The dynamic section doesn't say how many symbols there are; the hash tables do.
std::string LoadedObject::countSymbols() {
  const std::string damaged = "the code object's hash table is damaged";
  if (hash) {
    const uint32_t *table = at<uint32_t>(hash, 2);
    if (!table)
      return damaged;
    symbolCount = table[1];
  } else if (gnuHash) {
    const uint32_t *table = at<uint32_t>(gnuHash, 4);
    if (!table)
      return damaged;
    uint64_t bucketCount = table[0], firstSymbol = table[1], bloomWords = table[2];
    uint64_t buckets = gnuHash + 16 + bloomWords * 8, chains = buckets + bucketCount * 4;
    const uint32_t *bucket = at<uint32_t>(buckets, bucketCount);
    if (!bucket)
      return damaged;
    uint64_t last = bucketCount ? *std::max_element(bucket, bucket + bucketCount) : 0;
    symbolCount = firstSymbol;
    if (last >= firstSymbol && last != 0) {
      // The last chain runs on until an entry whose lowest bit is set.
      for (;; ++last) {
        const uint32_t *entry = at<uint32_t>(chains + (last - firstSymbol) * 4);
        if (!entry)
          return damaged;
        if (*entry & 1)
          break;
      }
      symbolCount = last + 1;
    }
  }
  if (!at<Elf64_Sym>(symbols, symbolCount))
    return "the code object's symbol table is damaged";
  return "";
}

bool LoadedObject::isExecutable(uint64_t address) const {
  for (unsigned i = 0; i < segmentCount; ++i)
    if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X) && address >= segments[i].p_vaddr &&
        address - segments[i].p_vaddr < segments[i].p_memsz)
      return true;
  return false;
}

std::string LoadedObject::protectSegments() {
  uint64_t page = sysconf(_SC_PAGESIZE), end = 0;
  for (unsigned i = 0; i < segmentCount; ++i) {
    const Elf64_Phdr &segment = segments[i];
    if (segment.p_type != PT_LOAD)
      continue;
    uint64_t start = segment.p_vaddr / page * page;
    // Gaps hold zeros. They stay readable, as a damaged object's tables may point there.
    if (start > end && mprotect(base + end, start - end, PROT_READ) != 0)
      return "the code object's memory can't be protected";
    end = (segment.p_vaddr + segment.p_memsz + page - 1) / page * page;
    int protection = PROT_READ | (segment.p_flags & PF_W ? PROT_WRITE : 0) | (segment.p_flags & PF_X ? PROT_EXEC : 0);
    if (segment.p_flags & PF_X)
      __builtin___clear_cache(reinterpret_cast<char *>(base + start), reinterpret_cast<char *>(base + end));
    if (end > start && mprotect(base + start, end - start, protection) != 0)
      return "the system doesn't allow code from a bundle to run";
  }
  // What was written only by relocations, such as tables of addresses.
  for (unsigned i = 0; i < segmentCount; ++i) {
    const Elf64_Phdr &segment = segments[i];
    uint64_t start = segment.p_vaddr / page * page, stop = (segment.p_vaddr + segment.p_memsz) / page * page;
    if (segment.p_type == PT_GNU_RELRO && segment.p_memsz <= maxImage && start < stop && stop <= size)
      mprotect(base + start, stop - start, PROT_READ);
  }
  return "";
}

// Up to its end or the table's: relocations of a damaged object may have overwritten the last NUL.
std::string_view LoadedObject::nameOf(uint64_t offset) const {
  if (offset >= stringBytes)
    return "?";
  const char *text = reinterpret_cast<const char *>(base + strings + offset);
  return std::string_view(text, strnlen(text, stringBytes - offset));
}

void *LoadedObject::findFunction(const char *name) const {
  const Elf64_Sym *table = at<Elf64_Sym>(symbols, symbolCount);
  for (uint64_t i = 1; i < symbolCount; ++i) {
    const Elf64_Sym &symbol = table[i];
    if (symbol.st_shndx != SHN_UNDEF && nameOf(symbol.st_name) == name)
      return isExecutable(symbol.st_value) ? base + symbol.st_value : nullptr;
  }
  return nullptr;
}

std::string LoadedObject::load(const void *data, uint64_t length) {
  file = static_cast<const uint8_t *>(data);
  fileLength = length;
  std::string wrong = checkHeader();
  if (wrong.empty())
    wrong = mapSegments();
  if (wrong.empty())
    wrong = readDynamic();
  if (wrong.empty())
    wrong = relocate();
  if (wrong.empty())
    wrong = protectSegments();
  return wrong;
}
