#include "tests/layers/conventions_page.h"

#include "base/file.h"
#include "tests/support.h"

namespace alexnet::test {
namespace {

std::string text_of(const std::string& path) {
  const auto bytes = read_file(source_path(path));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr const char* kRemake = "; remake it with: cmake --build build/release --target conventions_page";

TEST(ConventionsPage, IsWhatTheLayersCompute) {
  const auto page = text_of("docs/conventions.md");
  EXPECT_EQ(with_generated_parts(page), page) << "docs/conventions.md is out of date" << kRemake;
  EXPECT_EQ(conventions_plot(), text_of("docs/conventions.svg")) << "docs/conventions.svg is out of date" << kRemake;
}

}  // namespace
}  // namespace alexnet::test
