#include "image/preprocess.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "tensor/contrast.h"

namespace alexnet {
namespace {

// A picture between two steps: bytes until the first step that computes, planes of f32 from then on.
struct Picture {
  int width = 0;
  int height = 0;
  ChannelOrder order = ChannelOrder::rgb;
  ImageView bytes;                       // always RGB; `order` is that of the planes to come
  std::shared_ptr<const Image> storage;  // what `bytes` looks at, once that is not the caller's picture
  std::vector<float> planes;             // 3 x height x width

  bool is_bytes() const { return planes.empty(); }
  std::size_t area() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
};

void hold(Picture& picture, Image image) {
  picture.storage = std::make_shared<const Image>(std::move(image));
  picture.bytes = *picture.storage;
  picture.width = picture.bytes.width;
  picture.height = picture.bytes.height;
}

// The steps that treat each number by itself: what becomes of x in channel c.
float applied(const Divide& step, std::size_t, float x) { return x / static_cast<float>(step.by); }
float applied(const Normalize& step, std::size_t c, float x) {
  return (x - static_cast<float>(step.mean[c])) / static_cast<float>(step.std[c]);
}

template <typename Kind>
concept Pointwise = requires(const Kind& step) {
  applied(step, std::size_t{}, 0.0f);
};

bool is_pointwise(const Step& step) {
  return std::visit([]<typename Kind>(const Kind&) { return Pointwise<Kind>; }, step);
}

float applied(const Step& step, std::size_t c, float x) {
  return std::visit(
      [&]<typename Kind>(const Kind& s) {
        if constexpr (Pointwise<Kind>) return applied(s, c, x);
        return x;
      },
      step);
}

// Bytes to planes. As a byte has 256 values, the steps run on these alone.
void write_planes(const Picture& picture, std::span<const Step> pointwise, float* dst) {
  for (std::size_t c = 0; c < 3; ++c) {
    std::array<float, 256> table;
    for (std::size_t value = 0; value < table.size(); ++value) {
      float x = static_cast<float>(value);
      for (const Step& step : pointwise) x = applied(step, c, x);
      table[value] = x;
    }
    const std::size_t from = picture.order == ChannelOrder::rgb ? c : 2 - c;
    for (int y = 0; y < picture.height; ++y) {
      const std::uint8_t* src = picture.bytes.row(y) + from;
      for (int x = 0; x < picture.width; ++x) dst[x] = table[src[3 * x]];
      dst += picture.width;
    }
  }
}

void make_planes(Picture& picture, std::span<const Step> pointwise) {
  std::vector<float> planes(3 * picture.area());
  write_planes(picture, pointwise, planes.data());
  picture.planes = std::move(planes);
}

struct Target {
  int width;
  int height;
};

Target target_of(const Resize& step, int width, int height) {
  if (step.size) return {static_cast<int>((*step.size)[1]), static_cast<int>((*step.size)[0])};
  const std::int64_t longer = *step.shorter * std::max(width, height) / std::min(width, height);
  if (longer > INT32_MAX) {
    throw Error(ErrorKind::too_large, "", fmt::format("resizing {} x {} pixels would make a side of {}", width, height, longer));
  }
  const int shorter = static_cast<int>(*step.shorter);
  return width <= height ? Target{shorter, static_cast<int>(longer)} : Target{static_cast<int>(longer), shorter};
}

ResampleOptions options_of(const Resize& step) {
  return {.filter = step.filter, .antialias = step.antialias, .pass_order = step.pass_order};
}

// Where a crop begins; before 0 if the picture is smaller.
int begin_of(int side, int crop, CropRounding rounding) {
  if (side < crop) return -((crop - side) / 2);
  const int half = (side - crop) / 2;
  const bool odd = (side - crop) % 2 != 0;
  return rounding == CropRounding::half_even && odd ? half + half % 2 : half;
}

Rectangle rectangle_of(const CenterCrop& step, int width, int height) {
  const int crop_width = static_cast<int>(step.size[1]);
  const int crop_height = static_cast<int>(step.size[0]);
  return {.x = begin_of(width, crop_width, step.rounding),
          .y = begin_of(height, crop_height, step.rounding),
          .width = crop_width,
          .height = crop_height};
}

Rectangle inside(const Rectangle& r, int width, int height) {
  const int x = std::max(r.x, 0);
  const int y = std::max(r.y, 0);
  return {.x = x, .y = y, .width = std::min(r.x + r.width, width) - x, .height = std::min(r.y + r.height, height) - y};
}

// Cuts the rectangle out; what lies outside the picture is 0.
void cut(Picture& picture, const Rectangle& r) {
  const Rectangle in = inside(r, picture.width, picture.height);
  if (!picture.is_bytes()) {
    std::vector<float> planes(3 * static_cast<std::size_t>(r.width) * static_cast<std::size_t>(r.height));
    for (int c = 0; c < 3; ++c) {
      for (int y = in.y; y < in.y + in.height; ++y) {
        const auto src = (static_cast<std::ptrdiff_t>(c) * picture.height + y) * picture.width + in.x;
        const auto dst = (static_cast<std::ptrdiff_t>(c) * r.height + y - r.y) * r.width + in.x - r.x;
        std::copy_n(picture.planes.begin() + src, in.width, planes.begin() + dst);
      }
    }
    picture.planes = std::move(planes);
    picture.width = r.width;
    picture.height = r.height;
    return;
  }
  picture.bytes = picture.bytes.rectangle(in.x, in.y, in.width, in.height);
  picture.width = r.width;
  picture.height = r.height;
  if (in.width == r.width && in.height == r.height) return;
  Image padded{.width = r.width, .height = r.height, .pixels = {}};
  padded.pixels.resize(3 * picture.area());
  for (int y = 0; y < in.height; ++y) {
    const auto at = static_cast<std::ptrdiff_t>(3) * (static_cast<std::ptrdiff_t>(in.y - r.y + y) * r.width + in.x - r.x);
    std::copy_n(picture.bytes.row(y), 3 * in.width, padded.pixels.begin() + at);
  }
  hold(picture, std::move(padded));
}

Picture mirrored(const Picture& picture) {
  Picture result = picture;
  if (picture.is_bytes()) {
    Image image{.width = picture.width, .height = picture.height, .pixels = {}};
    image.pixels.reserve(3 * picture.area());
    for (int y = 0; y < picture.height; ++y) {
      const std::uint8_t* row = picture.bytes.row(y);
      for (int x = picture.width - 1; x >= 0; --x) image.pixels.insert(image.pixels.end(), row + 3 * x, row + 3 * x + 3);
    }
    hold(result, std::move(image));
  } else {
    for (auto row = result.planes.begin(); row != result.planes.end(); row += picture.width) std::reverse(row, row + picture.width);
  }
  return result;
}

void apply(const Resize& step, Picture& picture) {
  const auto [width, height] = target_of(step, picture.width, picture.height);
  hold(picture, resize(picture.bytes, width, height, options_of(step)));
}

void apply(const CenterCrop& step, Picture& picture) { cut(picture, rectangle_of(step, picture.width, picture.height)); }

// Of a long picture the crop is a small part, and the only one that is made.
void apply_both(const Resize& step, const CenterCrop& crop, Picture& picture) {
  const auto [width, height] = target_of(step, picture.width, picture.height);
  Rectangle wanted = rectangle_of(crop, width, height);
  const Rectangle part = inside(wanted, width, height);
  hold(picture, resize_part(picture.bytes, width, height, part, options_of(step)));
  wanted.x -= part.x;
  wanted.y -= part.y;
  cut(picture, wanted);
}

void apply(const Channels& step, Picture& picture) {
  if (!picture.is_bytes() && step.order != picture.order) {
    const auto plane = static_cast<std::ptrdiff_t>(picture.area());
    std::swap_ranges(picture.planes.begin(), picture.planes.begin() + plane, picture.planes.begin() + 2 * plane);
  }
  picture.order = step.order;
}

template <Pointwise Kind>
void apply(const Kind& step, Picture& picture) {
  for (std::size_t c = 0; c < 3; ++c) {
    const auto plane = std::span(picture.planes).subspan(c * picture.area(), picture.area());
    for (float& x : plane) x = applied(step, c, x);
  }
}

void apply(const MeanImage& step, Picture& picture) {
  const Shape shape{3, picture.height, picture.width};
  if (step.mean.type() != ElementType::f32 || step.mean.shape() != shape) {
    throw Error(ErrorKind::model, "",
                fmt::format("mean image '{}' is {} of {}, the picture {} of F32", step.tensor, to_string(step.mean.shape()),
                            name(step.mean.type()), to_string(shape)));
  }
  if (picture.is_bytes()) make_planes(picture, {});
  std::ranges::transform(picture.planes, step.mean.values<float>(), picture.planes.begin(), std::minus<>());
}

Shape planes_of(Picture& picture) {
  if (picture.is_bytes()) make_planes(picture, {});
  return {3, picture.height, picture.width};
}

void apply(const GlobalContrastStep& step, Picture& picture) {
  planes_of(picture);
  normalise_global_contrast({step.scale, step.lambda, step.epsilon}, picture.planes, picture.planes);
}

void apply(const LocalContrastStep& step, Picture& picture) {
  const Shape maps = planes_of(picture);
  normalise_local_contrast({step.local_size, step.sigma, step.across_channels}, step.epsilon, maps, picture.planes, picture.planes);
}

void apply(const LocalMeanStep& step, Picture& picture) {
  const Shape maps = planes_of(picture);
  subtract_local_mean({step.local_size, step.sigma, step.across_channels}, maps, picture.planes, picture.planes);
}

void apply(const ZcaStep& step, Picture& picture) {
  const auto& [matrix, mean] = step.whitening;
  const auto rows = mean.shape().elements();
  const bool fit = matrix.type() == ElementType::f32 && mean.type() == ElementType::f32 && mean.shape().rank() == 1 &&
                   matrix.shape() == Shape{rows, rows};
  if (!fit) {
    throw Error(ErrorKind::model, "",
                fmt::format("whitening matrix '{}' is {} of {} and mean '{}' is {} of {}, must be n x n and n of F32", step.matrix,
                            to_string(matrix.shape()), name(matrix.type()), step.mean, to_string(mean.shape()), name(mean.type())));
  }
  const Shape maps = planes_of(picture);
  whiten(step.whitening, maps, picture.planes, picture.planes);
}

// Room for the result of one crop, of this width and height.
using Room = std::function<float*(int width, int height)>;

class Runner {
 public:
  Runner(const Preprocessing& preprocessing, Crops crops, Room room) : steps_(preprocessing.steps), room_(std::move(room)) {
    if (crops == Crops::one) return;
    while (ten_at_ > 0 && !std::holds_alternative<CenterCrop>(steps_[ten_at_ - 1])) --ten_at_;
    if (ten_at_-- == 0) throw Error(ErrorKind::usage, "", "ten crops need a preprocessing with a center_crop step");
  }

  void run(Picture picture, std::size_t at = 0) const {
    while (at < steps_.size()) {
      if (at == ten_at_) return run_ten(picture);
      const auto* resize_step = std::get_if<Resize>(&steps_[at]);
      const auto* crop = at + 1 < ten_at_ ? std::get_if<CenterCrop>(&steps_[at + 1]) : nullptr;
      if (resize_step != nullptr && crop != nullptr) {
        apply_both(*resize_step, *crop, picture);
        at += 2;
      } else if (picture.is_bytes() && is_pointwise(steps_[at])) {
        const auto end = static_cast<std::size_t>(
            std::find_if_not(steps_.begin() + static_cast<std::ptrdiff_t>(at), steps_.end(), is_pointwise) - steps_.begin());
        const auto pointwise = steps_.subspan(at, end - at);
        if (end == steps_.size()) return write_planes(picture, pointwise, room_(picture.width, picture.height));
        make_planes(picture, pointwise);
        at = end;
      } else {
        std::visit([&](const auto& step) { apply(step, picture); }, steps_[at]);
        ++at;
      }
    }
    float* dst = room_(picture.width, picture.height);
    if (picture.is_bytes()) return write_planes(picture, {}, dst);
    std::ranges::copy(picture.planes, dst);
  }

 private:
  void run_ten(const Picture& picture) const {
    const Rectangle centre = rectangle_of(std::get<CenterCrop>(steps_[ten_at_]), picture.width, picture.height);
    const int left = std::min(centre.x, 0);
    const int top = std::min(centre.y, 0);
    const int right = std::max(picture.width - centre.width, left);
    const int bottom = std::max(picture.height - centre.height, top);
    for (const Picture& side : {picture, mirrored(picture)}) {
      for (const auto& [x, y] : {std::pair{left, top}, {right, top}, {left, bottom}, {right, bottom}, {centre.x, centre.y}}) {
        Picture one = side;
        cut(one, {.x = x, .y = y, .width = centre.width, .height = centre.height});
        run(std::move(one), ten_at_ + 1);
      }
    }
  }

  std::span<const Step> steps_;
  Room room_;
  std::size_t ten_at_ = steps_.size();  // the crop that is made ten times
};

Picture picture_of(const Image& image) {
  Picture picture;
  picture.width = image.width;
  picture.height = image.height;
  picture.bytes = image;
  return picture;
}

}  // namespace

std::vector<StepTensor> tensors(Preprocessing& preprocessing) {
  std::vector<StepTensor> result;
  for (Step& step : preprocessing.steps) {
    if (auto* mean_image = std::get_if<MeanImage>(&step)) result.push_back({mean_image->tensor, &mean_image->mean});
    if (auto* zca = std::get_if<ZcaStep>(&step)) {
      result.push_back({zca->matrix, &zca->whitening.matrix});
      result.push_back({zca->mean, &zca->whitening.mean});
    }
  }
  return result;
}

std::int64_t crop_count(Crops crops) { return crops == Crops::ten ? 10 : 1; }

Tensor preprocess(const Preprocessing& preprocessing, const Image& image, Crops crops) {
  Tensor result;
  float* next = nullptr;
  const auto room = [&](int width, int height) {
    const Shape one{3, height, width};
    if (next == nullptr) {
      result = Tensor::zeros(crops == Crops::one ? one : one.with_batch(crop_count(crops)));
      next = result.mutable_values<float>().data();
    }
    return std::exchange(next, next + one.elements());
  };
  Runner(preprocessing, crops, room).run(picture_of(image));
  return result;
}

void preprocess_into(const Preprocessing& preprocessing, const Image& image, std::span<float> dst, Crops crops) {
  float* next = dst.data();
  const auto room = [&](int width, int height) {
    const std::int64_t elements = Shape{3, height, width}.elements();
    if (static_cast<std::uint64_t>(elements * crop_count(crops)) != dst.size()) {
      throw Error(
          ErrorKind::usage, "",
          fmt::format("preprocessing makes {} x {} numbers, there is room for {}", crop_count(crops), elements, dst.size()));
    }
    return std::exchange(next, next + elements);
  };
  Runner(preprocessing, crops, room).run(picture_of(image));
}

}  // namespace alexnet
