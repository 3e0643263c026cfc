// Photographs to labels in a few lines:
//
//   const auto classifier = alexnet::Classifier::embedded();
//   for (const auto& answer : classifier.classify("cat.jpg")) std::cout << answer.label << " " << answer.probability << "\n";
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "alexnet/export.h"

namespace alexnet {

struct ClassifierOptions {
  // 0: what OMP_NUM_THREADS, processor affinity and the cgroup's quota allow.
  int threads = 0;
  // Layers whose output features() is to give, besides the scores.
  std::vector<std::string> layers = {};
  // Bytes that the compiled network may take; a network that needs more is refused before anything is allocated.
  std::uint64_t max_memory = UINT64_MAX;
  // Pictures with more pixels are refused before anything is allocated.
  std::uint64_t max_pixels = 178'956'970;
  // Use what is there of pictures that end too early, instead of refusing them.
  bool allow_truncated = false;
  // A folder that keeps weights in the form in which this processor reads them, up to 1 GB for all models together: networks
  // then start sooner, the second time on. Empty: none, nothing is written. A folder that can't be used changes nothing else.
  std::string cache_folder = {};
};

struct Answer {
  std::size_t index = 0;   // of the class, from 0
  std::string id;          // of the class, a WordNet id for instance; may be empty
  std::string label;       // for people; may be empty
  double probability = 0;  // 0 to 1
};

// A network with its weights, its preprocessing and its labels, compiled for this machine.
//
// All const functions may be called from several threads at once; each call that runs beside another takes its own working
// memory. Pictures are given as the name of a file or as the bytes of one: JPEG, PNG, BMP, GIF or PNM, found from the bytes.
//
// Errors are thrown as alexnet::Error: of kind model for a model that can't be used, of one of the picture kinds for a
// picture that can't, of kind resources when memory runs out.
class ALEXNET_API Classifier {
 public:
  // The model carried inside the library. No file is read.
  static Classifier embedded(const ClassifierOptions& options = {});
  // A model file (docs/model-file.md). It is mapped and must not change while the classifier lives.
  static Classifier load(const std::filesystem::path& model, const ClassifierOptions& options = {});

  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;
  ~Classifier();

  // The most probable classes, most probable first: `top` of them, or all if there are fewer.
  std::vector<Answer> classify(const std::filesystem::path& picture, std::size_t top = 5) const;
  std::vector<Answer> classify(std::span<const std::byte> picture, std::size_t top = 5) const;

  // The scores of all classes before softmax, by index.
  std::vector<float> logits(const std::filesystem::path& picture) const;
  std::vector<float> logits(std::span<const std::byte> picture) const;

  // The output of a layer named in ClassifierOptions::layers, row-major in shape(layer). Throws Error of kind usage for others.
  std::vector<float> features(const std::filesystem::path& picture, const std::string& layer) const;
  std::vector<float> features(std::span<const std::byte> picture, const std::string& layer) const;
  std::vector<std::int64_t> shape(const std::string& layer) const;

  std::size_t classes() const;
  // Channels, height and width of what the network sees of a picture.
  std::vector<std::int64_t> input_shape() const;

 private:
  struct Impl;
  explicit Classifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace alexnet
