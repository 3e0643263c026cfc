// write_conventions_page DOCS: makes the generated parts of DOCS/conventions.md and DOCS/conventions.svg anew.
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include "base/file.h"
#include "tests/layers/conventions_page.h"

int main(int argc, char** argv) {
  try {
    const std::filesystem::path docs = argc == 2 ? argv[1] : "docs";
    const auto bytes = alexnet::read_file(docs / "conventions.md");
    const std::string page(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto write = [](const std::filesystem::path& path, const std::string& text) {
      alexnet::AtomicFile file(path);
      file.write(text);
      file.commit();
    };
    write(docs / "conventions.md", alexnet::test::with_generated_parts(page));
    write(docs / "conventions.svg", alexnet::test::conventions_plot());
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "write_conventions_page: " << error.what() << '\n';
    return 1;
  }
}
