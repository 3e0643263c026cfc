#include "tests/layers/golden.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "formats/safetensors.h"
#include "tests/support.h"

namespace alexnet::test {
namespace {

Shape shape_from(const Json& json) {
  const auto extents = json.get<std::vector<std::int64_t>>();
  return Shape(std::span(extents));
}

Tensor tensor_from(const Json& json, const std::map<std::string, Tensor>& stored) {
  if (json.contains("tensor")) return stored.at(json["tensor"].get<std::string>());
  return generated(shape_from(json["shape"]), json["seed"].get<std::uint64_t>(), json["low"].get<double>(),
                   json["high"].get<double>());
}

}  // namespace

Tensor generated(const Shape& shape, std::uint64_t seed, double low, double high) {
  Tensor tensor = Tensor::zeros(shape);
  std::uint64_t index = 0;
  for (float& value : tensor.mutable_values<float>()) {
    std::uint64_t z = ++index * 0x9E3779B97F4A7C15u + seed * 0xD1B54A32D192ED03u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    value = static_cast<float>(low + (high - low) * (static_cast<double>(z >> 40) / 16777216.0));
  }
  return tensor;
}

std::vector<Shape> shapes_of(const std::vector<Tensor>& tensors) {
  std::vector<Shape> shapes;
  for (const auto& tensor : tensors) shapes.push_back(tensor.shape());
  return shapes;
}

std::vector<GoldenCase> golden_cases(std::string_view kind) {
  const auto path = source_path(fmt::format("tests/golden/layers/{}.safetensors", kind));
  const auto file = read_safetensors(path);
  std::map<std::string, Tensor> stored;
  for (const auto& [name, tensor] : file.tensors) stored[name] = tensor;
  std::vector<GoldenCase> cases;
  const Json golden = parse_json(file.metadata.at("golden"), path.string());
  for (const auto& json : golden.at("cases")) {
    GoldenCase one{json["name"].get<std::string>(), layer_from_json(json["layer"], {}), {}, {}, {}, 1, {}, 0};
    for (const auto& input : json["inputs"]) one.inputs.push_back(tensor_from(input, stored));
    auto unread = json["parameters"].size();
    for (const auto& parameter : parameters(one.layer, shapes_of(one.inputs))) {
      one.parameters.push_back(tensor_from(json["parameters"].at(std::string(parameter.name)), stored));
      if (one.parameters.back().shape() != parameter.shape) throw std::runtime_error(one.name + ": parameter of another shape");
      --unread;
    }
    if (unread != 0) throw std::runtime_error(one.name + ": has parameters that the layer does not want");
    one.output = shape_from(json["output"]["shape"]);
    one.step = json["output"]["step"].get<std::int64_t>();
    const auto values = stored.at(fmt::format("{}.output", cases.size())).values<double>();
    one.values.assign(values.begin(), values.end());
    const auto& sum = json["output"]["sum"];
    one.sum = sum.is_null() ? std::numeric_limits<double>::quiet_NaN() : sum.get<double>();
    cases.push_back(std::move(one));
  }
  if (cases.empty()) throw std::runtime_error("no golden cases");
  return cases;
}

void expect_golden(const GoldenCase& golden, const Tensor& found, double relative, double absolute) {
  ASSERT_EQ(found.shape(), golden.output);
  const auto y = found.values<float>();
  ASSERT_EQ(golden.values.size(), (y.size() + static_cast<std::size_t>(golden.step) - 1) / static_cast<std::size_t>(golden.step));
  double largest = 0;
  for (const float value : y) {
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(static_cast<double>(value)));
  }
  double total_allowed = 0;
  double worst = 0;
  for (std::size_t i = 0; i < golden.values.size(); ++i) {
    const auto at = i * static_cast<std::size_t>(golden.step);
    const auto value = static_cast<double>(y[at]);
    const double wanted = golden.values[i];
    if (std::isfinite(wanted)) {
      const double allowed = relative * std::fabs(wanted) + absolute * largest;
      worst = std::max(worst, std::fabs(value - wanted) / std::max(allowed, std::numeric_limits<double>::denorm_min()));
      ASSERT_LE(std::fabs(value - wanted), allowed) << "element " << at << ": found " << value << ", wanted " << wanted;
    } else {
      ASSERT_TRUE(std::isnan(wanted) ? std::isnan(value) : value == wanted)
          << "element " << at << " is " << value << ", not " << wanted;
    }
  }
  if (std::isfinite(golden.sum)) {
    double sum = 0;
    for (const float value : y) {
      sum += static_cast<double>(value);
      total_allowed += relative * std::fabs(static_cast<double>(value)) + absolute * largest;
    }
    EXPECT_LE(std::fabs(sum - golden.sum), total_allowed) << "the sum of all elements is " << sum << ", wanted " << golden.sum;
  }
  ::testing::Test::RecordProperty("worst_of_allowed", fmt::format("{:.3f}", worst));
}

void expect_reference_is_golden(std::string_view kind) {
  for (const auto& golden : golden_cases(kind)) {
    SCOPED_TRACE(fmt::format("{}: {}, {}", kind, golden.name, to_json(golden.layer).dump()));
    const auto shapes = shapes_of(golden.inputs);
    ASSERT_EQ(to_string(output_shape(golden.layer, shapes)), to_string(golden.output));
    expect_golden(golden, reference(golden.layer, golden.inputs, golden.parameters), 0x1p-24, 1e-12);
  }
}

std::string refusal(const Layer& layer, const std::vector<Shape>& inputs) {
  try {
    output_shape(layer, inputs);
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.hint().empty() ? error.message() : fmt::format("{} ({})", error.message(), error.hint());
  }
}

}  // namespace alexnet::test
