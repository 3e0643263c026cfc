#include "base/cgroup.h"

#include <algorithm>
#include <fstream>

#include "base/text.h"

namespace alexnet {

namespace fs = std::filesystem;

std::vector<fs::path> cgroup_folders(std::string_view controller) {
  std::vector<fs::path> folders;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    const bool v2 = fields[0] == "0" && fields[1].empty();
    const auto controllers = split(fields[1], ',');
    if (!v2 && std::find(controllers.begin(), controllers.end(), controller) == controllers.end()) continue;
    fs::path root = "/sys/fs/cgroup";
    // v1 mounts each set of controllers under its joined name, and usually links the single names to it.
    if (!v2) root = fs::exists(root / controller) ? root / controller : root / fields[1];
    for (fs::path group = fs::path(fields[2]).relative_path();; group = group.parent_path()) {
      folders.push_back(root / group);
      if (group.empty()) break;
    }
  }
  return folders;
}

std::string cgroup_value(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

}  // namespace alexnet
