// Helpers that several test programs share.
#pragma once

#include <filesystem>
#include <string>

namespace alexnet::test {

// A file of the repository, by its path from the top.
std::filesystem::path source_path(const std::string& relative);

// The folder with large data beside the repository; tests that need it skip themselves where it is absent.
std::filesystem::path shared_path(const std::string& relative);
bool shared_data_present();

// A folder of its own for one test, removed with everything in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  // Writes a file of these bytes and returns its path.
  std::filesystem::path write(const std::string& name, const std::string& bytes) const;

 private:
  std::filesystem::path path_;
};

}  // namespace alexnet::test

// Ends a test that needs ../shared where it is absent.
#define ALEXNET_NEEDS_SHARED_DATA() \
  if (!alexnet::test::shared_data_present()) GTEST_SKIP() << "needs ../shared/data, which is absent"
