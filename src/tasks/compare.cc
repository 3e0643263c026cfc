#include "tasks/compare.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/located.h"
#include "image/preprocess.h"
#include "passes/part.h"
#include "tasks/named_network.h"
#include "tasks/rounding.h"
#include "tasks/run.h"

namespace alexnet {
namespace {

constexpr std::int64_t kBlock = 8;             // pictures that are looked at together
constexpr std::int64_t kMeasuredPictures = 4;  // on which conditions are measured
constexpr double kPreprocessingRoundings = 4;  // three operations a number, and the reference's result in its type
constexpr double kF32 = 0x1p-24;

class Comparing {
 public:
  Comparing(const Model& model, const ReferenceDump& reference, const CompareOptions& options)
      : model_(model), reference_(reference), options_(options), shapes_(infer_shapes(model.graph, 1)) {
    block_ = kBlock;
    // What such a layer makes of a picture depends on the others.
    for (const Node& node : model.graph.nodes) {
      if (batch_coupled(node.layer)) block_ = reference.pictures();
    }
    result_.pictures = reference.pictures();
    result_.unknown = reference.unknown();
    for (const Node& node : model.graph.nodes) {
      if (!reference.has(node.name)) result_.missing.push_back(node.name);
    }
    for (const auto& name : reference.layers()) {
      const Node& node = *find(model_.graph, name);
      result_.layers.push_back({.layer = name,
                                .kind = std::string(kind(node.layer)),
                                .shape = shapes_.at(name).without_batch(),
                                .reference_shape = reference.shape(name),
                                .cumulative = {},
                                .isolated = {},
                                .problem = {}});
    }
    choose_scores();
  }

  Comparison run_all() && {
    run_cumulative();
    for (auto& row : result_.layers) run_isolated(row);
    if (reference_.has_images()) run_preprocessing();
    return std::move(result_);
  }

 private:
  bool stopped() const { return options_.stop != nullptr && *options_.stop != 0; }

  // Calls use(begin, rows) for block after block of pictures.
  void for_each_block(const auto& use) const {
    for (std::int64_t begin = 0; begin < reference_.pictures() && !stopped(); begin += block_)
      use(begin, std::min(block_, reference_.pictures() - begin));
  }

  std::vector<NamedTensor> inputs_of(const NamedNetwork& network, std::int64_t begin, std::int64_t rows) const {
    std::vector<NamedTensor> inputs;
    for (const auto& info : network.network->inputs())
      inputs.push_back({info.name, widened(reference_.rows(info.name, begin, rows))});
    return inputs;
  }

  // The widest type among the reference's layers: that in which it computed.
  ElementType reference_type() const {
    ElementType widest = ElementType::f16;
    for (const auto& name : reference_.layers()) {
      if (size_of(reference_.type(name)) > size_of(widest)) widest = reference_.type(name);
    }
    return widest;
  }

  std::set<std::string> given_but(const std::string& layer) const {
    std::set<std::string> given;
    for (const auto& input : model_.graph.inputs) given.insert(input.name);
    for (const auto& name : reference_.layers()) {
      if (name != layer) given.insert(name);
    }
    return given;
  }

  // -- scores --

  void choose_scores() {
    for (const std::string& name : {logits_name(model_.graph), model_.graph.outputs.front()}) {
      if (!result_.scores.empty() || !reference_.has(name)) continue;
      if (shapes_.at(name).rank() != 2 || shapes_.at(name).without_batch() != reference_.shape(name)) continue;
      result_.scores = name;
    }
    if (result_.scores.empty()) return;
    const std::uint64_t pairs =
        static_cast<std::uint64_t>(shapes_.at(result_.scores)[1]) * static_cast<std::uint64_t>(result_.pictures);
    pair_stride_ = (pairs + Comparison::kMaxPairs - 1) / Comparison::kMaxPairs;
  }

  std::vector<ScoredClass> tops_of(std::span<const float> scores) const {
    const Node* node = find(model_.graph, result_.scores);
    if (node != nullptr && std::holds_alternative<Softmax>(node->layer))
      return top(std::vector<double>(scores.begin(), scores.end()), options_.top);
    return top(softmax(scores), options_.top);
  }

  void add_scores(std::span<const float> found, std::span<const float> wanted, std::int64_t picture) {
    result_.tops.push_back({.name = reference_.name(picture), .top = tops_of(found), .reference_top = tops_of(wanted)});
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (pairs_seen_++ % pair_stride_ == 0) result_.pairs.push_back({found[i], wanted[i]});
    }
  }

  // -- the three ways --

  void run_cumulative() {
    const auto network = compile_named(model_, reference_.layers(), options_.compile);
    result_.precision = network.network->plan().precision;
    const ElementType type = reference_type();
    result_.reference_type = std::string(name(type));
    std::map<std::string, Tensor> some;
    const std::int64_t measured = std::min(reference_.pictures(), kMeasuredPictures);
    for (const auto& input : model_.graph.inputs) some[input.name] = widened(reference_.rows(input.name, 0, measured));
    roundings_ = roundings(model_, reference_.layers(), some, network.network->plan(), type, options_.compile);

    std::vector<DifferenceSum> sums;
    for (const auto& row : result_.layers) sums.emplace_back(row.shape);
    for_each_block([&](std::int64_t begin, std::int64_t rows) {
      const auto found = run(network, inputs_of(network, begin, rows), options_.stop);
      for (std::size_t i = 0; i < found.size(); ++i) {
        const auto& row = result_.layers[i];
        if (row.shape != row.reference_shape) continue;
        const Tensor wanted = reference_.rows(row.layer, begin, rows);
        const auto values = found[i].tensor.values<float>();
        sums[i].add(values, wanted);
        if (row.layer != result_.scores) continue;
        const Tensor wide = widened(wanted);
        const auto classes = static_cast<std::size_t>(row.shape.elements());
        for (std::int64_t r = 0; r < rows; ++r) {
          const std::size_t at = static_cast<std::size_t>(r) * classes;
          add_scores(values.subspan(at, classes), wide.values<float>().subspan(at, classes), begin + r);
        }
      }
    });
    std::set<std::string> inputs;
    for (const auto& input : model_.graph.inputs) inputs.insert(input.name);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      auto& row = result_.layers[i];
      if (row.shape == row.reference_shape) {
        row.cumulative = Judged{sums[i].difference(), allowed(roundings_, model_.graph, row.layer, inputs)};
      } else {
        row.problem =
            fmt::format("the reference has {} a picture, the model {}", to_string(row.reference_shape), to_string(row.shape));
      }
    }
  }

  void run_isolated(LayerComparison& row) {
    if (stopped() || row.shape != row.reference_shape) return;
    const auto given = given_but(row.layer);
    const Model part = part_of(model_, shapes_, row.layer, given);
    for (const auto& input : part.graph.inputs) {
      if (reference_.shape(input.name) == input.shape) continue;
      row.problem = fmt::format("reads {}, of which the reference has another shape", input.name);
      return;
    }
    const auto network = compile_named(part, options_.compile);
    DifferenceSum sum(row.shape);
    for_each_block([&](std::int64_t begin, std::int64_t rows) {
      const auto found = run(network, inputs_of(network, begin, rows), options_.stop);
      if (!found.empty()) sum.add(found[0].tensor.values<float>(), reference_.rows(row.layer, begin, rows));
    });
    row.isolated = Judged{sum.difference(), allowed(roundings_, model_.graph, row.layer, given)};
  }

  void run_preprocessing() {
    const auto& input = model_.graph.inputs.front();
    LayerComparison row{.layer = input.name,
                        .kind = "preprocessing",
                        .shape = input.shape,
                        .reference_shape = reference_.shape(input.name),
                        .cumulative = {},
                        .isolated = {},
                        .problem = {}};
    DifferenceSum sum(row.shape);
    for (std::int64_t i = 0; i < reference_.pictures() && !stopped(); ++i) {
      const Tensor found = preprocess(model_.preprocessing, reference_.image(i));
      row.shape = found.shape();
      if (row.shape != row.reference_shape) {
        row.problem = fmt::format("preprocessing makes {} of picture {}", to_string(row.shape), reference_.name(i));
        break;
      }
      sum.add(found.values<float>(), reference_.rows(input.name, i, 1));
    }
    if (row.problem.empty()) {
      const double roundoff = std::hypot(roundings_.given, kF32 * std::sqrt(kPreprocessingRoundings / 3));
      row.isolated = Judged{sum.difference(), 4 * roundoff};
      row.cumulative = row.isolated;
    }
    result_.layers.insert(result_.layers.begin(), std::move(row));
  }

  const Model& model_;
  const ReferenceDump& reference_;
  const CompareOptions& options_;
  const std::map<std::string, Shape> shapes_;
  std::int64_t block_ = kBlock;
  Roundings roundings_;
  std::size_t pair_stride_ = 1;
  std::size_t pairs_seen_ = 0;
  Comparison result_;
};

}  // namespace

bool PictureComparison::same_set() const {
  const auto indices = [](const std::vector<ScoredClass>& classes) {
    std::set<std::int64_t> result;
    for (const auto& scored : classes) result.insert(scored.index);
    return result;
  };
  return indices(top) == indices(reference_top);
}

std::int64_t Comparison::same_first() const { return std::ranges::count_if(tops, &PictureComparison::same_first); }

std::int64_t Comparison::same_set() const { return std::ranges::count_if(tops, &PictureComparison::same_set); }

bool Comparison::agrees() const {
  return std::ranges::all_of(layers, [](const auto& row) { return row.cumulative_agrees() && row.isolated_agrees(); });
}

const LayerComparison* Comparison::first_cumulative() const {
  const auto found = std::ranges::find_if(layers, [](const auto& row) { return !row.cumulative_agrees(); });
  return found == layers.end() ? nullptr : &*found;
}

Comparison compare(const Model& model, const ReferenceDump& reference, const CompareOptions& options) {
  return Comparing(model, reference, options).run_all();
}

}  // namespace alexnet
