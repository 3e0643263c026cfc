#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/json_fields.h"
#include "base/located.h"
#include "image/preprocess.h"

namespace alexnet {

template <>
struct EnumNames<PassOrder> {
  static constexpr std::array<std::string_view, 3> kNames{"pillow13", "pillow12.2", "horizontal_first"};
};
template <>
struct EnumNames<ResampleFilterKind> {
  static constexpr std::array<std::string_view, 2> kNames{"bilinear", "opencv_linear"};
};
template <>
struct EnumNames<CropRounding> {
  static constexpr std::array<std::string_view, 2> kNames{"half_even", "down"};
};
template <>
struct EnumNames<ChannelOrder> {
  static constexpr std::array<std::string_view, 2> kNames{"rgb", "bgr"};
};

Json to_json(const Preprocessing& preprocessing) {
  Json list = Json::array();
  for (const Step& step : preprocessing.steps) {
    std::visit(
        [&]<typename Kind>(const Kind& s) {
          Json json{{"step", Kind::kKind}};
          write_fields(s, json);
          list.push_back(std::move(json));
        },
        step);
  }
  return list;
}

Preprocessing preprocessing_from_json(const Json& json, const std::string& where) {
  if (!json.is_array()) throw Error(ErrorKind::model, where, "must be a list of steps");
  Preprocessing preprocessing;
  for (const Json& step : json) {
    const std::size_t number = preprocessing.steps.size() + 1;
    located(fmt::format("{}: step {}", where, number),
            [&] { preprocessing.steps.push_back(read_tagged<Step>(step, "step", "step")); });
  }
  check(preprocessing, where);
  return preprocessing;
}

}  // namespace alexnet
