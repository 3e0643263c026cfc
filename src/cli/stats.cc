#include "tasks/stats.h"

#include <unistd.h>

#include <cmath>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/json_text.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "formats/npz.h"
#include "model/model_file.h"

namespace alexnet::cli {
namespace {

// The pictures, taken once or several times, with progress and what is wrong with them reported the first time.
class Pictures {
 public:
  explicit Pictures(const Arguments& arguments)
      : operands_(arguments.all("images")),
        source_(source_options(arguments)),
        options_{.batch = arguments.has("batch") ? static_cast<int>(arguments.integer("batch")) : PictureBatchOptions{}.batch,
                 .decode = decode_options(arguments),
                 .stop = &interruption()},
        progress_(terminal_of(STDERR_FILENO, arguments.text("color")), arguments.has("quiet"),
                  [this] { return count_pictures(operands_, source_); }) {
    if (operands_.empty())
      throw Error(ErrorKind::usage, "--images", "is needed", "the pictures to measure on: --images DIR, a file, or @LIST");
  }

  // Calls take(source, options, receive) for a pass over all pictures.
  template <typename Take>
  auto pass(const Take& take) {
    PictureSource pictures(operands_, source_);
    std::uint64_t done = 0, failed = 0;
    const NextPicture next = [&](PictureInput& input, bool wait) { return pictures.next(input, wait); };
    auto result = take(next, options_, [&](const PictureInput& input, const Prepared& picture) {
      if (picture.error && first_) {
        progress_.hide();
        report(*picture.error);
        resources_ran_out_ |= picture.error->kind() == ErrorKind::resources;
      }
      if (picture.error) ++failed;
      for (const auto& note : picture.notes) log(LogLevel::debug, fmt::format("{}: {}", printable(input.path), note));
      progress_.update(++done, failed);
    });
    progress_.hide();
    end_if_interrupted();
    if (done == failed) throw Error(ErrorKind::not_found, "--images", "no picture could be used");
    first_ = false;
    done_ = done;
    failed_ = failed;
    return result;
  }

  std::uint64_t used() const { return done_ - failed_; }
  int exit_code() const { return failures(failed_, done_, resources_ran_out_); }

  // Several passes need pictures that can be had again.
  void need_files() const {
    for (const auto& operand : operands_) {
      if (operand != "-" && operand != "@-") continue;
      throw Error(ErrorKind::usage, "--images", fmt::format("{} can be read once only", shown(operand)),
                  "give files, folders or @LIST");
    }
  }

 private:
  std::vector<std::string> operands_;
  PictureSourceOptions source_;
  PictureBatchOptions options_;
  ProgressBar progress_;
  bool first_ = true;
  bool resources_ran_out_ = false;
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
};

std::vector<LayerStatistics> measured(const Arguments& arguments, const Model& model, const std::vector<std::string>& layers,
                                      Pictures& pictures) {
  const auto network = compiled(arguments, [&](const CompileOptions& options) {
    NamedNetwork named = compile_named(model, layers, options);
    check_takes_pictures(*named.network, model.preprocessing);
    return named;
  });
  return pictures.pass([&](const auto& source, const auto& options, const auto& receive) {
    return statistics(network, model.preprocessing, source, options, receive);
  });
}

std::string text_of(const std::vector<LayerStatistics>& layers, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  const auto number = [](double value) { return fmt::format("{:.6g}", value); };
  for (const auto& layer : layers) {
    Moments all;
    for (const auto& channel : layer.channels) all = merged(all, channel);
    const auto row = [&](const std::string& name, const std::string& channel, const Moments& m) {
      rows.push_back({name, channel, number(m.mean), number(m.variance()), number(std::sqrt(m.variance()))});
    };
    row(layer.layer, "all", all);
    for (std::size_t c = 0; c < layer.channels.size(); ++c) row("", fmt::format("{}", c), layer.channels[c]);
  }
  return table({{"layer"}, {"channel", true}, {"mean", true}, {"variance", true}, {"deviation", true}}, rows, terminal);
}

std::string numbers(const std::vector<Moments>& channels, double (*number)(const Moments&)) {
  std::string text;
  for (const auto& channel : channels) {
    const double value = number(channel);
    text += fmt::format("{}{}", text.empty() ? "" : ", ", std::isfinite(value) ? shortest(value) : "null");
  }
  return text;
}

double mean(const Moments& m) { return m.mean; }
double variance(const Moments& m) { return m.variance(); }

// {"pictures": 5, "layers": {"conv1": {"shape": [...], "count": 1, "mean": [...], "variance": [...]}}}, count of each channel.
std::string json_of(const std::vector<LayerStatistics>& layers, std::uint64_t pictures) {
  std::string text = fmt::format("{{\"pictures\": {}, \"layers\": {{", pictures);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& layer = layers[i];
    text += fmt::format("{}{}: {{\"shape\": [{}], \"count\": {}, \"mean\": [{}], \"variance\": [{}]}}", i == 0 ? "" : ", ",
                        json_text(layer.layer), fmt::join(layer.shape.extents(), ", "), layer.channels.front().count,
                        numbers(layer.channels, mean), numbers(layer.channels, variance));
  }
  return text + "}}\n";
}

Tensor doubles(const std::vector<Moments>& channels, double (*number)(const Moments&)) {
  std::vector<double> values;
  for (const auto& channel : channels) values.push_back(number(channel));
  return Tensor::of<double>({std::ssize(values)}, values);
}

// LAYER.mean and LAYER.variance (f64, by channel), LAYER.count.
void write_npz_of(const std::vector<LayerStatistics>& layers, const std::string& path) {
  NpzWriter archive(path);
  for (const auto& layer : layers) {
    archive.add(layer.layer + ".mean", doubles(layer.channels, mean));
    archive.add(layer.layer + ".variance", doubles(layer.channels, variance));
    archive.add(layer.layer + ".count", Tensor::of<std::int64_t>({1}, std::array{layer.channels.front().count}));
  }
  archive.finish();
}

std::string needed_file(const Arguments& arguments, const char* what) {
  const std::string path = arguments.text("output");
  if (path == "-") throw Error(ErrorKind::usage, "--output", fmt::format("{} needs a file", what), "give it with -o FILE");
  return path;
}

void measure_layers(const Arguments& arguments, const Model& model, Pictures& pictures) {
  const auto layers = layer_names(arguments);
  const std::string format = arguments.text("format");
  if (layers.empty()) {
    throw Error(ErrorKind::usage, "--layer", "is needed", "name layers as alexnet inspect lists them: --layer data,conv1");
  }
  if (format == "npz") return write_npz_of(measured(arguments, model, layers, pictures), needed_file(arguments, "npz"));
  Output output(arguments.text("output"));
  const auto found = measured(arguments, model, layers, pictures);
  const Terminal terminal =
      output.is_standard_output() ? terminal_of(STDOUT_FILENO, arguments.text("color")) : Terminal{.utf8 = true};
  output.write(format == "json" ? json_of(found, pictures.used()) : text_of(found, terminal));
  output.commit();
}

void recalibrate(const Arguments& arguments, const Model& model, Pictures& pictures) {
  const std::string path = needed_file(arguments, "--recalibrate");
  pictures.need_files();
  const auto result = recalibrated(model, [&](const Model& so_far, const std::string& layer) {
    return measured(arguments, so_far, {layer}, pictures).front().channels;
  });
  write_model(result.model, path);
  log(LogLevel::info,
      fmt::format("{}: statistics of {} pictures for {}", printable(path), pictures.used(), join(result.layers, ", ")));
}

void whiten(const Arguments& arguments, const Model& model, Pictures& pictures) {
  const std::string path = needed_file(arguments, "--zca");
  const auto epsilon = parse_number(arguments.text("epsilon"));
  if (!epsilon || !(*epsilon >= 0)) {
    throw Error(ErrorKind::usage, "--epsilon", fmt::format("{} is not allowed", shown(arguments.text("epsilon"))),
                "allowed: a number from 0");
  }
  const auto shape = output_shape(model.preprocessing);
  if (!shape) throw Error(ErrorKind::model, model_name(arguments), "its preprocessing gives a size that depends on the picture");
  const auto samples = arguments.text("zca") == "pictures" ? WhitenedSamples::pictures : WhitenedSamples::pixels;
  const int threads = compile_options(arguments).threads;
  const auto covariance = pictures.pass([&](const auto& source, const auto& options, const auto& receive) {
    return input_covariance(model.preprocessing, *shape, samples, threads, source, options, receive);
  });
  const Whitening whitening = zca(covariance, *epsilon);
  NpzWriter archive(path);
  archive.add("zca.matrix", whitening.matrix);
  archive.add("zca.mean", whitening.mean);
  archive.finish();
}

}  // namespace

int stats(const Arguments& arguments) {
  if (arguments.has("recalibrate") && arguments.has("zca"))
    throw Error(ErrorKind::usage, "--zca", "does not go with --recalibrate", "each writes the file of -o");
  Pictures pictures(arguments);
  const Model model = load_model(arguments);
  if (arguments.has("recalibrate")) {
    recalibrate(arguments, model, pictures);
  } else if (arguments.has("zca")) {
    whiten(arguments, model, pictures);
  } else {
    measure_layers(arguments, model, pictures);
  }
  return pictures.exit_code();
}

}  // namespace alexnet::cli
