#include <algorithm>

#include "tasks/bench_rounds.h"

namespace alexnet {

PipelineBench bench_pipeline(std::shared_ptr<const Network> network, const Preprocessing& preprocessing,
                             const std::vector<std::string>& operands, const PictureSourceOptions& source,
                             const ClassifyOptions& classify_options, const BenchOptions& options) {
  struct Pass {
    double milliseconds = 0;
    ClassifyTotals totals;
  };
  std::vector<Pass> passes;
  run_rounds(options, 1, [&](bool counts) {
    Pass pass;
    pass.milliseconds = milliseconds_of([&] {
      PictureSource pictures(operands, source);
      pass.totals = classify(
          network, preprocessing, [&](PictureInput& input, bool wait) { return pictures.next(input, wait); }, classify_options,
          [](std::span<Classification>) {});
    });
    if (counts && !pass.totals.stopped) passes.push_back(pass);
  });
  PipelineBench result;
  if (passes.empty()) return result;
  std::vector<double> times;
  for (const auto& pass : passes) times.push_back(pass.milliseconds);
  result.timing = timing_of(times);
  const auto middle = passes.begin() + static_cast<std::ptrdiff_t>(passes.size() / 2);
  std::ranges::nth_element(passes, middle, {}, &Pass::milliseconds);
  result.totals = middle->totals;
  result.pictures = result.totals.pictures;
  result.failed = result.totals.failed;
  const double seconds = middle->milliseconds / 1e3;
  result.pictures_per_second = static_cast<double>(result.pictures) / seconds;
  const double threads = network->threads();
  result.busy =
      (result.totals.decode_seconds + result.totals.resize_seconds + threads * result.totals.network_seconds) / (threads * seconds);
  return result;
}

}  // namespace alexnet
