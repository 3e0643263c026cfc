#include <array>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "image/preprocess.h"
#include "image/preprocess_presets.h"
#include "tasks/diagnosis/edit.h"

namespace alexnet::suspect {
namespace {

constexpr std::array<double, 3> kImageNetMean{0.485, 0.456, 0.406};
constexpr std::array<double, 3> kImageNetStd{0.229, 0.224, 0.225};
constexpr std::array<double, 3> kCaffeMean{104, 117, 123};
constexpr std::array<double, 3> kTensorFlowMean{123.68, 116.78, 103.94};

using Steps = std::vector<Step>;

// The first step of this kind, or nullptr; const if the model is.
template <typename Kind, typename SomeModel>
auto step_as(SomeModel& model) -> decltype(std::get_if<Kind>(&model.preprocessing.steps.front())) {
  for (auto& step : model.preprocessing.steps) {
    if (auto* found = std::get_if<Kind>(&step)) return found;
  }
  return nullptr;
}

template <typename Kind>
bool erase_step(Model& model) {
  return std::erase_if(model.preprocessing.steps, [](const Step& step) { return std::holds_alternative<Kind>(step); }) > 0;
}

bool is_geometric(const Step& step) { return std::holds_alternative<Resize>(step) || std::holds_alternative<CenterCrop>(step); }

// Where arithmetic may begin.
Steps::iterator behind_geometry(Steps& steps) { return std::find_if(steps.rbegin(), steps.rend(), is_geometric).base(); }

// The step that subtracts and divides by numbers, made if there is none.
Normalize& normalize(Model& model) {
  if (auto* found = step_as<Normalize>(model)) return *found;
  model.preprocessing.steps.push_back(Normalize{});
  return std::get<Normalize>(model.preprocessing.steps.back());
}

std::string numbers(const std::array<double, 3>& values) {
  return fmt::format("[{}, {}, {}]", shortest(values[0]), shortest(values[1]), shortest(values[2]));
}

std::array<double, 3> scaled(const std::array<double, 3>& values, double factor) {
  std::array<double, 3> result{};
  for (std::size_t c = 0; c < 3; ++c)
    result[c] = parse_number(fmt::format("{:.9g}", values[c] * factor)).value_or(values[c] * factor);
  return result;
}

std::array<double, 3> reversed(const std::array<double, 3>& values) { return {values[2], values[1], values[0]}; }

// The largest value that a pixel has in front of the normalisation: 255, or 1.
double range_of(const Model& model) {
  const auto* divide = step_as<Divide>(model);
  return divide == nullptr ? 255 : 255 / divide->by;
}

struct Adder {
  std::string suspect;
  std::vector<Change>* changes;

  void operator()(const std::string& variant, const std::string& finding, const std::string& advice,
                  const std::function<bool(Model&)>& apply) const {
    changes->push_back({.suspect = suspect, .variant = variant, .layer = {}, .finding = finding, .advice = advice, .apply = apply});
  }
};

// Pixels reach to 1 or to 255 in front of the normalisation, whatever they do in the model: another suspect may change that.
constexpr std::array<double, 2> kRanges{1, 255};

void add_means(const Adder& add, const Model& model) {
  const auto* now = step_as<Normalize>(model);
  const auto set = [&](const std::string& name, const std::array<double, 3>& mean) {
    if (now != nullptr && now->mean == mean) return;
    add(name, fmt::format("subtracts {} as its mean", numbers(mean)), fmt::format("\"mean\": {} in step normalize", numbers(mean)),
        [mean](Model& m) {
          erase_step<MeanImage>(m);
          normalize(m).mean = mean;
          return true;
        });
  };
  set("none", {0, 0, 0});
  for (const double range : kRanges) {
    for (const bool turned : {false, true}) {
      const auto order = [&](const std::array<double, 3>& values) { return turned ? reversed(values) : values; };
      set(fmt::format("ImageNet {} {}", range, turned), order(scaled(kImageNetMean, range)));
      set(fmt::format("Caffe {} {}", range, turned), order(scaled(kCaffeMean, range / 255)));
      set(fmt::format("TensorFlow {} {}", range, turned), order(scaled(kTensorFlowMean, range / 255)));
    }
    set(fmt::format("half {}", range), scaled({0.5, 0.5, 0.5}, range));
  }
  if (now != nullptr) set("turned", reversed(now->mean));
}

}  // namespace

std::vector<Change> whole_preprocessing(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const Adder add{"preprocessing", &changes};
  const Shape input = model.graph.inputs.front().shape;
  if (input.rank() != 3) return changes;
  for (const auto& name : preprocess_preset_names()) {
    const Preprocessing other = preprocess_preset(name, {input[1], input[2]});
    if (other == model.preprocessing) continue;
    add(name, fmt::format("prepares pictures as {} does", name), fmt::format("convert --preprocess {}", name), [other](Model& m) {
      m.preprocessing = other;
      return true;
    });
  }
  return changes;
}

std::vector<Change> channels(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const Adder add{"channels", &changes};
  const auto* now = step_as<Channels>(model);
  const bool is_bgr = now != nullptr && now->order == ChannelOrder::bgr;
  const std::string wanted = is_bgr ? "rgb" : "bgr";
  const auto finding = fmt::format("has its channels as {}, ours {}", is_bgr ? "RGB" : "BGR", is_bgr ? "BGR" : "RGB");
  const auto order = is_bgr ? ChannelOrder::rgb : ChannelOrder::bgr;
  // With means and deviations by position: the first channel, whatever it is, keeps its numbers.
  add("by position", finding, fmt::format("{{\"step\": \"channels\", \"order\": \"{}\"}} in front of step normalize", wanted),
      [order](Model& m) {
        erase_step<Channels>(m);
        auto& steps = m.preprocessing.steps;
        steps.insert(behind_geometry(steps), Channels{order});
        return true;
      });
  add("by colour", finding + ", each colour with its mean and std", fmt::format("convert --channels {}", wanted),
      [order](Model& m) {
        const bool had = erase_step<Channels>(m);
        auto& steps = m.preprocessing.steps;
        if (had || order == ChannelOrder::rgb) {
          // Numbers stand for the order that was; turned around, each stays with its colour.
          if (auto* step = step_as<Normalize>(m)) *step = {reversed(step->mean), reversed(step->std)};
          steps.insert(behind_geometry(steps), Channels{order});
        } else {
          steps.push_back(Channels{order});
        }
        return true;
      });
  return changes;
}

std::vector<Change> range(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const Adder add{"range", &changes};
  if (const auto* divide = step_as<Divide>(model)) {
    add("0 to 255", fmt::format("does not divide pixels by {}", shortest(divide->by)), "take step divide out of the preprocessing",
        erase_step<Divide>);
  } else {
    add("0 to 1", "divides pixels by 255", "{\"step\": \"divide\", \"by\": 255} in front of step normalize", [](Model& m) {
      auto& steps = m.preprocessing.steps;
      auto place = behind_geometry(steps);
      while (place != steps.end() && std::holds_alternative<Channels>(*place)) ++place;
      steps.insert(place, Divide{255});
      return true;
    });
  }
  const double top = range_of(model);
  const auto half = scaled({0.5, 0.5, 0.5}, top);
  add("-1 to 1", "brings pixels to -1 ... 1", fmt::format("\"mean\": {0}, \"std\": {0} in step normalize", numbers(half)),
      [half](Model& m) {
        erase_step<MeanImage>(m);
        normalize(m) = {half, half};
        return true;
      });
  return changes;
}

std::vector<Change> mean(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const Adder add{"mean", &changes};
  add_means(add, model);
  const auto* picture = step_as<MeanImage>(model);
  if (picture == nullptr || picture->mean.shape().rank() != 3) return changes;
  std::array<double, 3> average{};
  const auto values = picture->mean.values<float>();
  const std::size_t plane = values.size() / 3;
  for (std::size_t c = 0; c < 3; ++c) {
    for (const float value : values.subspan(c * plane, plane))
      average[c] += static_cast<double>(value) / static_cast<double>(plane);
  }
  add("pixel", "subtracts the mean picture's mean pixel, not the picture",
      fmt::format("{{\"step\": \"normalize\", \"mean\": {}}} in place of step mean_image (convert --mean V,V,V)", numbers(average)),
      [average](Model& m) {
        for (Step& step : m.preprocessing.steps) {
          if (!std::holds_alternative<MeanImage>(step)) continue;
          step = Normalize{.mean = average};
          return true;
        }
        return false;
      });
  return changes;
}

std::vector<Change> deviation(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const Adder add{"std", &changes};
  const auto* now = step_as<Normalize>(model);
  const auto set = [&](const std::string& name, const std::array<double, 3>& std) {
    if (now != nullptr && now->std == std) return;
    add(name, fmt::format("divides by {} as its std", numbers(std)), fmt::format("\"std\": {} in step normalize", numbers(std)),
        [std](Model& m) {
          normalize(m).std = std;
          return true;
        });
  };
  set("none", {1, 1, 1});
  for (const double range : kRanges) {
    set(fmt::format("ImageNet {}", range), scaled(kImageNetStd, range));
    set(fmt::format("ImageNet {} reversed", range), reversed(scaled(kImageNetStd, range)));
    set(fmt::format("half {}", range), scaled({0.5, 0.5, 0.5}, range));
  }
  if (now != nullptr) set("turned", reversed(now->std));
  return changes;
}

std::vector<Change> crop(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const auto* now = step_as<CenterCrop>(model);
  if (now == nullptr) return changes;
  const auto other = now->rounding == CropRounding::down ? CropRounding::half_even : CropRounding::down;
  Adder{"crop", &changes}(
      "rounding", "rounds half a pixel of the crop's margin the other way",
      fmt::format("\"rounding\": \"{}\" in step center_crop", other == CropRounding::down ? "down" : "half_even"),
      [other](Model& m) {
        auto* step = step_as<CenterCrop>(m);
        if (step != nullptr) step->rounding = other;
        return step != nullptr;
      });
  return changes;
}

std::vector<Change> orientation(const Model&, EditedWeights&) {
  constexpr std::array<std::string_view, 7> kTurns{"mirrors pictures",
                                                   "turns pictures upside down",
                                                   "mirrors pictures upside down",
                                                   "mirrors pictures along their diagonal",
                                                   "turns pictures clockwise",
                                                   "mirrors pictures along their other diagonal",
                                                   "turns pictures anticlockwise"};
  std::vector<Change> changes;
  for (std::size_t i = 0; i < kTurns.size(); ++i) {
    const int exif = static_cast<int>(i) + 2;
    changes.push_back({.suspect = "orientation",
                       .variant = fmt::format("{}", exif),
                       .layer = {},
                       .finding = fmt::format("{}, as EXIF orientation {} asks for", kTurns[i], exif),
                       .advice =
                           "turn the files themselves (exiftran -ai), or take exif_transpose out of the reference: the tag is "
                           "ignored here, as torchvision does",
                       .apply = [](Model&) { return true; },
                       .orientation = exif});
  }
  return changes;
}

std::vector<Change> resize_filter(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const auto* now = step_as<Resize>(model);
  if (now == nullptr) return changes;
  const auto variant = [&](const std::string& name, const std::string& finding, const std::string& advice,
                           ResampleFilterKind filter, bool antialias, PassOrder order) {
    if (now->filter == filter && now->antialias == antialias && now->pass_order == order) return;
    Adder{"resize_filter", &changes}(name, finding, advice + " in step resize", [=](Model& m) {
      auto* step = step_as<Resize>(m);
      if (step == nullptr) return false;
      step->filter = filter;
      step->antialias = antialias;
      step->pass_order = order;
      return true;
    });
  };
  const auto order = now->pass_order;
  variant("OpenCV", "resizes as OpenCV's INTER_LINEAR does", "\"filter\": \"opencv_linear\"", ResampleFilterKind::opencv_linear,
          now->antialias, order);
  variant("Pillow", "resizes as Pillow's BILINEAR does, with antialiasing", "\"filter\": \"bilinear\", \"antialias\": true",
          ResampleFilterKind::bilinear, true, order);
  variant("two taps", "resizes without antialiasing", "\"filter\": \"bilinear\", \"antialias\": false",
          ResampleFilterKind::bilinear, false, order);
  if (now->filter != ResampleFilterKind::bilinear) return changes;
  for (const auto& [other, name] : {std::pair{PassOrder::pillow13, "pillow13"},
                                    {PassOrder::pillow12_2, "pillow12.2"},
                                    {PassOrder::horizontal_first, "horizontal_first"}}) {
    variant(fmt::format("order {}", name), "resizes first along the other axis, as another version of Pillow does",
            fmt::format("\"pass_order\": \"{}\"", name), now->filter, now->antialias, other);
  }
  return changes;
}

std::vector<Change> resize_size(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const Adder add{"resize_size", &changes};
  const auto* now = step_as<Resize>(model);
  if (now == nullptr) return changes;
  const auto variant = [&](const std::string& name, const std::string& finding, const std::string& advice,
                           std::optional<std::int64_t> shorter, std::optional<HeightWidth> size, bool crops) {
    add(name, finding, advice, [=](Model& m) {
      if (!crops) erase_step<CenterCrop>(m);
      auto* step = step_as<Resize>(m);
      if (step == nullptr) return false;
      step->shorter = shorter;
      step->size = size;
      return true;
    });
  };
  const std::int64_t side = now->shorter ? *now->shorter : std::min((*now->size)[0], (*now->size)[1]);
  if (now->shorter) {
    variant("squash", "squashes pictures to a square", fmt::format("\"size\": [{0}, {0}] for \"shorter\" in step resize", side), {},
            HeightWidth{side, side}, true);
  } else {
    variant("shorter side", "keeps the proportions of pictures", fmt::format("\"shorter\": {} for \"size\" in step resize", side),
            side, {}, true);
  }
  add("none", "does not resize pictures", "take step resize out of the preprocessing", erase_step<Resize>);
  const auto* crop = step_as<CenterCrop>(model);
  if (crop == nullptr) return changes;
  const std::int64_t shorter = std::min(crop->size[0], crop->size[1]);
  variant("shorter side to the crop", "resizes the shorter side to the crop's size",
          fmt::format("\"shorter\": {} in step resize", shorter), shorter, {}, true);
  variant("squash to the crop", "squashes pictures to the network's input and does not crop",
          fmt::format("\"size\": [{}, {}] in step resize, and no step center_crop", crop->size[0], crop->size[1]), {}, crop->size,
          false);
  return changes;
}

}  // namespace alexnet::suspect
