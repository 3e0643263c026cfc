#include "cli/version.h"

#include <exception>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "image/decode.h"
#include "model/embedded_model.h"
#include "model/model_file.h"
#include "runtime/instruction_set.h"
#include "runtime/precision.h"

namespace alexnet::cli {
namespace {

using namespace nlohmann::literals;

// Never fails: --version is what people are asked for when something does.
std::string embedded_text() {
  const auto bytes = embedded_model();
  if (bytes.empty()) return "none";
  try {
    const Model model = read_model(bytes, nullptr, "embedded model");
    const Json provenance = parse_json(model.provenance.empty() ? "{}" : model.provenance, "provenance");
    const std::string source = provenance.value("/source/name"_json_pointer, "unknown source");
    const auto chosen = chosen_precision(model, Precision::automatic, instruction_set(), /*emulate=*/false);
    return fmt::format("{} classes, {} bytes, made from {}; computed in {} by default", model.labels.size(), bytes.size(),
                       printable(source), name(chosen.precision));
  } catch (const std::exception& error) {
    return fmt::format("unusable: {}", error.what());
  }
}

}  // namespace

std::string version_text() {
  return fmt::format(
      "alexnet {} ({})\n"
      "oneDNN {}, instruction set {}\n"
      "JPEG decoder {}\n"
      "embedded model: {}\n",
      ALEXNET_VERSION, ALEXNET_BUILD_TYPE, onednn_version(), instruction_set().name, jpeg_decoder(), embedded_text());
}

}  // namespace alexnet::cli
