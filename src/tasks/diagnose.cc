#include "tasks/diagnose.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "image/preprocess.h"
#include "tasks/diagnosis/candidates.h"
#include "tasks/diagnosis/trial.h"

namespace alexnet {
namespace {

constexpr std::size_t kMaxPictures = 3;

// Those where layers differ most, and the first.
std::vector<std::int64_t> telling_pictures(const Comparison& comparison) {
  std::vector<std::int64_t> pictures;
  const auto add = [&](std::int64_t picture) {
    if (pictures.size() < kMaxPictures && std::ranges::find(pictures, picture) == pictures.end()) pictures.push_back(picture);
  };
  for (const auto& row : comparison.layers) {
    if (row.isolated && !row.isolated->agrees() && !row.isolated->difference.position.empty())
      add(row.isolated->difference.position[0]);
  }
  add(0);
  if (comparison.pictures > 1) add(1);
  return pictures;
}

struct Explained {
  std::set<std::string> layers;
  std::vector<const Candidate*> candidates;  // one or two
};

class Diagnosing {
 public:
  Diagnosing(const Model& model, const ReferenceDump& reference, const Comparison& comparison, const CompareOptions& options)
      : model_(model),
        reference_(reference),
        comparison_(comparison),
        options_(options),
        trials_(model, reference, telling_pictures(comparison), options.compile) {}

  Diagnosis run() && {
    if (reference_.has_images()) explain_preprocessing();
    explain_layers();
    return std::move(diagnosis_);
  }

 private:
  bool stopped() const { return options_.stop != nullptr && *options_.stop != 0; }

  // -- preprocessing --

  Residual residual_of(const std::vector<const Candidate*>& candidates) {
    Model variant = model_;
    int orientation = 1;
    for (const Candidate* candidate : candidates) {
      if (!candidate->apply(variant)) return {.relative = 1, .allowed = 0};
      orientation = std::max(orientation, candidate->changes.front().orientation);
    }
    return trials_.preprocessing_residual(variant.preprocessing, orientation);
  }

  // Unlike the others this suspect can only be tried with a number that the reference gives: the mean image that would explain its
  // first picture, to be judged by the others.
  std::optional<Change> mean_image_change() {
    Model without = model_;
    for (Step& step : without.preprocessing.steps) {
      if (auto* normalize = std::get_if<Normalize>(&step)) normalize->mean = {0, 0, 0};
    }
    const auto mean = trials_.mean_image(without.preprocessing);
    if (!mean) return std::nullopt;
    without.preprocessing.steps.push_back(MeanImage{.tensor = "mean", .mean = *mean});
    return Change{.suspect = "mean",
                  .variant = "image",
                  .layer = {},
                  .finding = "subtracts a mean image, the same of every picture",
                  .advice = "convert --mean FILE.binaryproto or FILE.npy, with the mean image of the reference's training",
                  .apply = [steps = without.preprocessing](Model& m) {
                    m.preprocessing = steps;
                    return true;
                  }};
  }

  void explain_preprocessing() {
    const Residual before = trials_.preprocessing_residual(model_.preprocessing, 1);
    if (before.vanishes()) return;
    const auto candidates = preprocessing_candidates(model_, edits_);
    Finding finding{.explanations = {}, .layers = {model_.graph.inputs.front().name}, .before = before.relative, .after = 0};
    const auto try_out = [&](const std::vector<const Candidate*>& tried) {
      const Residual after = residual_of(tried);
      if (!after.vanishes()) return;
      if (finding.explanations.empty()) finding.after = after.relative;
      add_explanation(finding, tried);
    };
    for (const auto& candidate : candidates) try_out({&candidate});
    if (finding.explanations.empty()) {
      // It would also explain every other mean.
      if (auto change = mean_image_change()) {
        const Candidate candidate{.changes = {*std::move(change)}, .everywhere = true};
        try_out({&candidate});
      }
    }
    for (std::size_t i = 0; i < candidates.size() && finding.explanations.empty(); ++i) {
      for (std::size_t j = i + 1; j < candidates.size() && !stopped(); ++j) {
        if (!candidates[i].excludes(candidates[j])) try_out({&candidates[i], &candidates[j]});
      }
    }
    if (finding.explanations.empty()) {
      diagnosis_.unexplained.push_back(finding.layers[0]);
    } else {
      diagnosis_.findings.push_back(std::move(finding));
    }
  }

  // -- layers --

  std::set<std::string> differing() const {
    std::set<std::string> result;
    for (const auto& row : comparison_.layers) {
      if (reference_.has(row.layer) && find(model_.graph, row.layer) != nullptr && !row.isolated_agrees()) result.insert(row.layer);
    }
    return result;
  }

  // What is allowed was measured on the model as it is; a variant's conditions are others. So a difference has vanished, too, when
  // it is a hundredth of what it was and within a few times what is allowed.
  static bool vanished(const Residual& after, const Residual& before) {
    return after.vanishes() || (after.relative <= 8 * after.allowed && after.relative <= before.relative / 100);
  }

  // Those of `guilty` whose difference vanishes with a variant, if none appears in another layer.
  std::set<std::string> mended(const Model& variant, const std::set<std::string>& guilty) {
    std::set<std::string> result;
    for (const auto& [layer, residual] : trials_.residuals(variant)) {
      if (!guilty.contains(layer)) {
        if (!vanished(residual, before_.at(layer)) && before_.at(layer).vanishes()) return {};
      } else if (vanished(residual, before_.at(layer))) {
        result.insert(layer);
      }
    }
    return result;
  }

  void explain_layers() {
    Model present = model_;
    before_ = trials_.residuals(model_);
    auto guilty = differing();
    if (guilty.empty() && comparison_.first_cumulative() != nullptr && diagnosis_.nothing_wrong())
      diagnosis_.unexplained.push_back(comparison_.first_cumulative()->layer);  // each layer is right: what they add up to is not
    const auto candidates = layer_candidates(model_, edits_);
    while (!guilty.empty() && !stopped()) {
      auto explained = alone(present, guilty, candidates);
      if (explained.empty()) explained = in_pairs(present, guilty, candidates);
      if (explained.empty()) break;
      Finding finding;
      finding.layers = in_order(explained[0].layers);
      for (const auto& [layers, tried] : explained) add_explanation(finding, tried);
      for (const Candidate* candidate : explained[0].candidates) candidate->apply(present);
      const auto after = trials_.residuals(present);
      for (const auto& layer : finding.layers) {
        finding.before = std::max(finding.before, before_.at(layer).relative);
        finding.after = std::max(finding.after, after.at(layer).relative);
        guilty.erase(layer);
      }
      diagnosis_.findings.push_back(std::move(finding));
    }
    for (const auto& layer : in_order(guilty)) diagnosis_.unexplained.push_back(layer);
  }

  std::vector<std::string> in_order(const std::set<std::string>& layers) const {
    std::vector<std::string> result;
    for (const auto& layer : reference_.layers()) {
      if (layers.contains(layer)) result.push_back(layer);
    }
    return result;
  }

  // Of all explanations, those that mend the most layers, and of these the ones that mend the same; those that change least first.
  static std::vector<Explained> best_of(std::vector<Explained> all) {
    const auto places = [](const Explained& explained) {
      std::size_t count = 0;
      for (const Candidate* candidate : explained.candidates) count += candidate->changes.size();
      return count;
    };
    std::ranges::stable_sort(all, [&](const Explained& a, const Explained& b) {
      return a.layers.size() != b.layers.size() ? a.layers.size() > b.layers.size() : places(a) < places(b);
    });
    std::erase_if(all, [layers = all.empty() ? std::set<std::string>() : all[0].layers](const Explained& explained) {
      return explained.layers != layers;
    });
    return all;
  }

  std::vector<Explained> alone(const Model& present, const std::set<std::string>& guilty,
                               const std::vector<Candidate>& candidates) {
    std::vector<Explained> all;
    for (const auto& candidate : candidates) {
      if (stopped()) return {};
      Model variant = present;
      if (!candidate.apply(variant)) continue;
      if (auto layers = mended(variant, guilty); !layers.empty()) all.push_back({std::move(layers), {&candidate}});
    }
    return best_of(std::move(all));
  }

  // Pairs of candidates that both change what a guilty layer computes. Candidates that change a layer everywhere come first: what
  // goes wrong in a conversion usually goes wrong everywhere.
  std::vector<Explained> in_pairs(const Model& present, const std::set<std::string>& guilty,
                                  const std::vector<Candidate>& candidates) {
    for (const bool everywhere : {true, false}) {
      std::vector<const Candidate*> touching;
      for (const auto& candidate : candidates) {
        Model variant = present;
        if ((everywhere && !candidate.everywhere) || !candidate.apply(variant)) continue;
        const auto touched = trials_.touched(variant);
        if (std::ranges::any_of(guilty, [&](const auto& layer) { return touched.contains(layer); })) touching.push_back(&candidate);
      }
      std::vector<Explained> all;
      for (std::size_t i = 0; i < touching.size(); ++i) {
        for (std::size_t j = i + 1; j < touching.size(); ++j) {
          if (stopped()) return {};
          if (touching[i]->excludes(*touching[j])) continue;
          Model variant = present;
          if (!touching[i]->apply(variant) || !touching[j]->apply(variant)) continue;
          if (auto layers = mended(variant, guilty); !layers.empty())
            all.push_back({std::move(layers), {touching[i], touching[j]}});
        }
      }
      if (!all.empty()) return best_of(std::move(all));
    }
    return {};
  }

  // -- what to say --

  static bool same(const Explanation& a, const Explanation& b) {
    return std::ranges::equal(a.causes, b.causes, [](const Cause& x, const Cause& y) {
      return x.suspect == y.suspect && x.finding == y.finding && (x.variant == y.variant || x.layers == y.layers);
    });
  }

  // A suspect that is named already is named once, where it changes least.
  static void add_explanation(Finding& finding, const std::vector<const Candidate*>& candidates) {
    Explanation explanation;
    for (const Candidate* candidate : candidates) explanation.causes.push_back(cause_of(*candidate));
    const bool known =
        std::ranges::any_of(finding.explanations, [&](const Explanation& other) { return same(other, explanation); });
    if (!known) finding.explanations.push_back(std::move(explanation));
  }

  static Cause cause_of(const Candidate& candidate) {
    const Change& first = candidate.changes.front();
    Cause cause{.suspect = first.suspect, .variant = first.variant, .layers = {}, .finding = first.finding, .advice = {}};
    for (const Change& change : candidate.changes) {
      if (!change.layer.empty()) cause.layers.push_back(change.layer);
      if (std::ranges::find(cause.advice, change.advice) == cause.advice.end()) cause.advice.push_back(change.advice);
    }
    return cause;
  }

  const Model& model_;
  const ReferenceDump& reference_;
  const Comparison& comparison_;
  const CompareOptions& options_;
  EditedWeights edits_;
  Trials trials_;
  std::map<std::string, Residual> before_;  // of the model as it is
  Diagnosis diagnosis_;
};

}  // namespace

Diagnosis diagnose(const Model& model, const ReferenceDump& reference, const Comparison& comparison,
                   const CompareOptions& options) {
  if (comparison.agrees()) return {};
  return Diagnosing(model, reference, comparison, options).run();
}

}  // namespace alexnet
