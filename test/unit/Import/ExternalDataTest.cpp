//===- ExternalDataTest.cpp - Files beside a model ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ExternalData.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

using namespace mxn::import;
namespace fs = std::filesystem;

namespace {

/// base/model holds f, sub/f, a..b, a pipe and links; base/out holds f.
class ExternalData : public ::testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "mxn-external-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(name.data()));
    base = fs::canonical(name);
    fs::create_directories(base / "model/sub");
    fs::create_directories(base / "out");
    for (const char *file : {"model/f", "model/sub/f", "model/a..b", "out/f", "model/h"})
      std::ofstream(base / file) << "0123456789";
    fs::create_symlink("f", base / "model/inside");
    fs::create_symlink("../out/f", base / "model/outside");
    fs::create_directory_symlink("sub", base / "model/subinside");
    fs::create_directory_symlink("../out", base / "model/suboutside");
    fs::create_hard_link(base / "model/h", base / "out/h");
    ::mkfifo((base / "model/pipe").c_str(), 0600);
  }
  void TearDown() override { fs::remove_all(base); }
  bool open(const std::string &location, bool links = false) {
    return openExternalFile((base / "model").string(), location, links, file, error);
  }
  fs::path base;
  ExternalFile file;
  std::string error;
};

TEST_F(ExternalData, OpensFilesBelowTheFolder) {
  for (const char *location : {"f", "./f", "sub/f", "sub/../f", "a..b", "sub//f"})
    EXPECT_TRUE(open(location)) << error;
  ASSERT_TRUE(open("sub/f"));
  EXPECT_EQ(file.size, 10u);
  EXPECT_EQ(file.path, (base / "model/sub/f").string());
  std::string bytes;
  EXPECT_TRUE(readAt(file, 3, 4, bytes));
  EXPECT_EQ(bytes, "3456");
  EXPECT_FALSE(readAt(file, 8, 4, bytes));
}

TEST_F(ExternalData, RefusesTheRest) {
  for (std::string location :
       {std::string(), std::string("."), std::string("sub"), std::string("pipe"), std::string("missing"),
        std::string("../out/f"), std::string("sub/../../out/f"), (base / "model/f").string(),
        std::string("f\0/../out/f", 11), std::string("inside"), std::string("outside"), std::string("subinside/f"),
        std::string("suboutside/f"), std::string("h")})
    EXPECT_FALSE(open(location)) << location;
}

TEST_F(ExternalData, FollowsLinksWhereAllowed) {
  for (const char *location : {"inside", "outside", "subinside/f", "suboutside/f", "h"})
    EXPECT_TRUE(open(location, true)) << error;
  ASSERT_TRUE(open("outside", true));
  EXPECT_EQ(file.path, (base / "out/f").string());
  for (const char *location : {"", "..", "../out/f", "/etc/passwd", "pipe", "sub"})
    EXPECT_FALSE(open(location, true)) << location;
}

} // namespace
