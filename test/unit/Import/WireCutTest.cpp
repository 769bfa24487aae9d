//===- WireCutTest.cpp - Taking weights out of a serialized model ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/WireCut.h"
#include <gtest/gtest.h>

using namespace mxn::import;

namespace {

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
std::string bytes(unsigned field, const std::string &text) {
  return varint(field << 3 | 2) + varint(text.size()) + text;
}
std::string number(unsigned field, uint64_t value) { return varint(field << 3) + varint(value); }
std::string tensor(size_t size, const std::string &behind = "") {
  return number(2, 2) + bytes(8, "w") + bytes(9, std::string(size, 'x')) + behind;
}
std::string model(const std::string &graph) { return number(1, 9) + bytes(7, graph); }
/// What stands in for raw data: the location "#n:<index>" and `data_location: EXTERNAL`.
std::string placeholder(unsigned index) {
  return bytes(13, bytes(1, "location") + bytes(2, "#n:" + std::to_string(index))) + number(14, 1);
}

Cut cut(const std::string &data, uint64_t threshold = 16) {
  Cut result;
  EXPECT_TRUE(cutWeights(data.data(), data.size(), "n", threshold, result)) << result.error;
  return result;
}
std::string errorOf(const std::string &data) {
  Cut result;
  EXPECT_FALSE(cutWeights(data.data(), data.size(), "n", 16, result));
  return result.error;
}

TEST(WireCut, KeepsWhatIsSmall) {
  std::string data = model(bytes(5, tensor(15)) + bytes(2, "name"));
  Cut result = cut(data);
  EXPECT_EQ(result.bytes, data);
  EXPECT_TRUE(result.ranges.empty());
}

TEST(WireCut, CutsAnInitializer) {
  std::string data = model(bytes(5, tensor(200)) + bytes(2, "name"));
  Cut result = cut(data);
  EXPECT_EQ(result.bytes, model(bytes(5, number(2, 2) + bytes(8, "w") + placeholder(0)) + bytes(2, "name")));
  ASSERT_EQ(result.ranges.size(), 1u);
  EXPECT_EQ(data.substr(result.ranges[0].offset, result.ranges[0].length), std::string(200, 'x'));
}

TEST(WireCut, CutsWhereverATensorMayStand) {
  std::string attribute = bytes(5, tensor(50)) + bytes(10, tensor(51)),
              sparse = bytes(1, tensor(52)) + bytes(2, tensor(53));
  std::string inner = bytes(5, tensor(54));
  std::string node =
      bytes(5, attribute) + bytes(5, bytes(6, inner) + bytes(11, inner) + bytes(22, sparse) + bytes(23, sparse));
  std::string graph = bytes(1, node) + bytes(15, sparse);
  std::string function = bytes(7, node) + bytes(11, attribute), training = bytes(1, graph) + bytes(2, graph);
  Cut result = cut(bytes(7, graph) + bytes(25, function) + bytes(20, training));
  EXPECT_EQ(result.ranges.size(), 3 * 10u + 8u + 2u);
  EXPECT_EQ(result.bytes.find("xxxxx"), std::string::npos);
}

TEST(WireCut, WritesItsFieldsBehindAllOthers) {
  Cut result = cut(model(bytes(5, tensor(99, number(14, 0)))));
  EXPECT_EQ(result.bytes, model(bytes(5, number(2, 2) + bytes(8, "w") + number(14, 0) + placeholder(0))));
}

TEST(WireCut, TakesTheLastOfRepeatedRawData) {
  std::string data = model(bytes(5, tensor(99, bytes(9, std::string(77, 'y')))));
  Cut result = cut(data);
  ASSERT_EQ(result.ranges.size(), 1u);
  EXPECT_EQ(result.ranges[0].length, 77u);
  EXPECT_EQ(data[result.ranges[0].offset], 'y');
  result = cut(model(bytes(5, tensor(99, bytes(9, "yy")))));
  EXPECT_TRUE(result.ranges.empty());
  EXPECT_EQ(result.bytes, model(bytes(5, number(2, 2) + bytes(8, "w") + bytes(9, "yy"))));
}

TEST(WireCut, RefusesWhatIsNoMessage) {
  EXPECT_EQ(errorOf("\x3a\x05x"), "field 7 says that it has 5 bytes, 1 are left");
  EXPECT_EQ(errorOf(std::string("\x00", 1)), "there is no field of that number");
  EXPECT_EQ(errorOf("\x0b"), "a field has the wire type 3, which ONNX doesn't use");
  EXPECT_EQ(errorOf("\x08\x80"), "the data ends inside of a number");
  EXPECT_EQ(errorOf("\x09\x01\x02"), "the data ends inside of a number");
  EXPECT_EQ(errorOf("\x08" + std::string(10, '\xff')), "a number has more than 64 bits");
  // A length near 2^64 must not wrap around.
  EXPECT_NE(errorOf("\x3a" + varint(UINT64_MAX) + "x").find("says that it has 18446744073709551615 bytes"),
            std::string::npos);
}

TEST(WireCut, BoundsTheDepth) {
  std::string graph;
  for (int i = 0; i < 60; ++i)
    graph = bytes(1, bytes(5, bytes(6, graph)));
  EXPECT_EQ(errorOf(model(graph)), "more than 100 messages are nested");
}

TEST(WireCut, SurvivesTruncationsAndFlippedBits) {
  std::string sparse = bytes(1, tensor(20)) + bytes(2, tensor(8));
  std::string node = bytes(1, "x") + bytes(5, bytes(5, tensor(40)) + bytes(22, sparse));
  std::string data =
      model(bytes(1, node) + bytes(5, tensor(30, number(14, 0))) + bytes(15, sparse)) + bytes(25, bytes(7, node));
  for (size_t size = 0; size <= data.size(); ++size) {
    std::string part(data.begin(), data.begin() + size); // a copy of that size, so that ASan sees reads beyond it
    Cut result;
    if (cutWeights(part.data(), part.size(), "n", 16, result))
      for (const CutRange &range : result.ranges)
        EXPECT_LE(range.offset + range.length, part.size());
  }
  for (size_t bit = 0; bit < data.size() * 8; ++bit) {
    std::string changed = data;
    changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
    Cut result;
    if (cutWeights(changed.data(), changed.size(), "n", 16, result))
      for (const CutRange &range : result.ranges)
        EXPECT_LE(range.offset + range.length, changed.size());
  }
}

} // namespace
