// What a model's file records about how often the network is right: Model::accuracy, understood.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.h"

namespace alexnet {

// Shares of pictures in per cent: the right class has the highest score, is among the five highest.
struct TopShares {
  double top1 = 0;
  double top5 = 0;
  // Pictures whose highest score is right now and was not in f32, and the other way round.
  std::optional<std::int64_t> better = {};
  std::optional<std::int64_t> worse = {};

  static void fields(auto& self, auto&& visit) {
    visit("top1", self.top1);
    visit("top5", self.top5);
    visit("better", self.better);
    visit("worse", self.worse);
  }
  friend bool operator==(const TopShares&, const TopShares&) = default;
};

struct Accuracy {
  std::string data;  // which pictures
  std::int64_t pictures = 0;
  std::string command;                          // that measured it
  std::optional<TopShares> source;              // of the weights before they were quantised
  std::map<std::string, TopShares> precisions;  // of this file's weights, by what the network computes in: "f32", "bf16", "int8"

  friend bool operator==(const Accuracy&, const Accuracy&) = default;
};

// {"data", "pictures", "command", "source": {"top1", "top5"}, "precisions": {"f32": {"top1", "top5"}, "int8": {"top1", "top5",
// "better", "worse"}, ...}}. Throws Error of kind model for anything else, and for shares outside 0 to 100.
Accuracy accuracy_from_json(const Json& json);
Json to_json(const Accuracy& accuracy);

// The points of top-1 that computing in `precision` costs against f32; nothing if the model does not record both.
std::optional<double> top1_cost(const Accuracy& accuracy, const std::string& precision);

}  // namespace alexnet
