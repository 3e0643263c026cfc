// Where this process's resource limits are written down.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace alexnet {

// The folders of the cgroups (v1 and v2) that this process belongs to for `controller` ("cpu", "memory"), each followed by
// its parents up to the root of the hierarchy; those that do not exist here (as in a container) included.
std::vector<std::filesystem::path> cgroup_folders(std::string_view controller);

// The first line of a file there, or nothing.
std::string cgroup_value(const std::filesystem::path& file);

}  // namespace alexnet
