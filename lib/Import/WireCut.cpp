//===- WireCut.cpp - Takes weights out of a serialized model --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/WireCut.h"

using namespace mxn::import;

namespace {

/// The messages in which a tensor may stand. Everything else is copied as it is.
enum class Message { None, Model, Training, Graph, Function, Node, Attribute, Sparse, Tensor };

Message child(Message parent, uint32_t field) {
  switch (parent) {
  case Message::Model:
    return field == 7    ? Message::Graph
           : field == 25 ? Message::Function
           : field == 20 ? Message::Training
                         : Message::None;
  case Message::Training:
    return field == 1 || field == 2 ? Message::Graph : Message::None;
  case Message::Graph:
    return field == 1 ? Message::Node : field == 5 ? Message::Tensor : field == 15 ? Message::Sparse : Message::None;
  case Message::Function:
    return field == 7 ? Message::Node : field == 11 ? Message::Attribute : Message::None;
  case Message::Node:
    return field == 5 ? Message::Attribute : Message::None;
  case Message::Attribute:
    return field == 5 || field == 10    ? Message::Tensor
           : field == 6 || field == 11  ? Message::Graph
           : field == 22 || field == 23 ? Message::Sparse
                                        : Message::None;
  case Message::Sparse:
    return field == 1 || field == 2 ? Message::Tensor : Message::None;
  case Message::Tensor:
  case Message::None:
    return Message::None;
  }
  return Message::None;
}

enum Wire { Varint = 0, Fixed64 = 1, Length = 2, Fixed32 = 5 };
// protobuf's own limit of nested messages.
constexpr int kMaxDepth = 100;
constexpr uint32_t kRawData = 9, kExternalData = 13, kDataLocation = 14;

struct Field {
  uint32_t number = 0;
  unsigned wire = 0;
  uint64_t begin = 0;                    // of the tag
  uint64_t payload = 0, payloadSize = 0; // for wire type Length
  uint64_t end = 0;
};

void putVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void putBytes(std::string &out, uint32_t field, const std::string &bytes) {
  putVarint(out, field << 3 | Length);
  putVarint(out, bytes.size());
  out += bytes;
}

class Cutter {
public:
  Cutter(const char *data, const std::string &nonce, uint64_t threshold, Cut &cut)
      : data(data), nonce(nonce), threshold(threshold), cut(cut) {}

  bool copy(Message kind, uint64_t begin, uint64_t end, std::string &out, int depth) {
    if (depth > kMaxDepth)
      return fail(begin, "more than 100 messages are nested");
    if (kind == Message::Tensor)
      return copyTensor(begin, end, out);
    uint64_t run = begin; // what stands from here on is copied as it is
    for (uint64_t at = begin; at < end;) {
      Field field;
      if (!next(at, end, field))
        return false;
      Message inner = field.wire == Length ? child(kind, field.number) : Message::None;
      if (inner != Message::None) {
        out.append(data + run, field.begin - run);
        std::string text;
        if (!copy(inner, field.payload, field.end, text, depth + 1))
          return false;
        putBytes(out, field.number, text);
        run = field.end;
      }
      at = field.end;
    }
    out.append(data + run, end - run);
    return true;
  }

private:
  bool copyTensor(uint64_t begin, uint64_t end, std::string &out) {
    // A repeated raw_data means the last one, so that the others go in any case.
    Field raw;
    for (uint64_t at = begin; at < end;) {
      Field field;
      if (!next(at, end, field))
        return false;
      at = field.end;
      if (field.number != kRawData || field.wire != Length) {
        out.append(data + field.begin, field.end - field.begin);
        continue;
      }
      raw = field;
    }
    if (!raw.number)
      return true;
    if (raw.payloadSize < threshold) {
      out.append(data + raw.begin, raw.end - raw.begin);
      return true;
    }
    // At the end of the message: some writers put `data_location: DEFAULT` behind raw_data, and the last one wins.
    std::string entry;
    putBytes(entry, 1, "location");
    putBytes(entry, 2, "#" + nonce + ":" + std::to_string(cut.ranges.size()));
    putBytes(out, kExternalData, entry);
    putVarint(out, kDataLocation << 3 | Varint);
    putVarint(out, 1);
    cut.ranges.push_back({raw.payload, raw.payloadSize});
    return true;
  }

  bool next(uint64_t at, uint64_t end, Field &field) {
    field.begin = at;
    uint64_t tag = 0, ignored;
    if (!varint(at, end, tag))
      return false;
    if (tag > UINT32_MAX || !(tag >> 3))
      return fail(field.begin, "there is no field of that number");
    field.number = static_cast<uint32_t>(tag >> 3);
    field.wire = tag & 7;
    switch (field.wire) {
    case Varint:
      if (!varint(at, end, ignored))
        return false;
      break;
    case Fixed64:
    case Fixed32: {
      uint64_t size = field.wire == Fixed64 ? 8 : 4;
      if (end - at < size)
        return fail(field.begin, "the data ends inside of a number");
      at += size;
      break;
    }
    case Length:
      if (!varint(at, end, field.payloadSize))
        return false;
      if (field.payloadSize > end - at)
        return fail(field.begin, "field " + std::to_string(field.number) + " says that it has " +
                                     std::to_string(field.payloadSize) + " bytes, " + std::to_string(end - at) +
                                     " are left");
      field.payload = at;
      at += field.payloadSize;
      break;
    default:
      return fail(field.begin, "a field has the wire type " + std::to_string(field.wire) + ", which ONNX doesn't use");
    }
    field.end = at;
    return true;
  }

  bool varint(uint64_t &at, uint64_t end, uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at == end)
        return fail(at, "the data ends inside of a number");
      auto byte = static_cast<unsigned char>(data[at++]);
      if (shift < 64)
        value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80)
        return true;
    }
    return fail(at, "a number has more than 64 bits");
  }

  bool fail(uint64_t at, std::string why) {
    cut.error = std::move(why);
    cut.errorOffset = at;
    return false;
  }

  const char *data;
  const std::string &nonce;
  uint64_t threshold;
  Cut &cut;
};

} // namespace

bool mxn::import::cutWeights(const char *data, uint64_t size, const std::string &nonce, uint64_t threshold, Cut &cut) {
  return Cutter(data, nonce, threshold, cut).copy(Message::Model, 0, size, cut.bytes, 0);
}
