#include "cli/options.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/text.h"

namespace alexnet::cli {
namespace {

constexpr std::string_view kEvery = "*";
constexpr std::string_view kNetwork = "bench classify compare evaluate features run inspect convert show stats";
constexpr std::string_view kPictures = "classify evaluate features show stats";
constexpr std::string_view kManyPictures = "classify features stats";

// A row of the table takes as few lines as it fits into.
// clang-format off
constexpr auto kOptions = std::to_array<Option>({
  // What to look at.
  {.name = "model", .letter = 'm', .value = Value::file, .argument = "FILE",
   .help = "the network to run, a model file or anything that convert reads; twice for a Caffe network and its weights (default: "
           "$ALEXNET_MODEL, else the embedded one)", .verbs = "bench classify compare evaluate features run show stats"},
  {.name = "arch", .value = Value::text, .argument = "NAME",
   .help = "a known architecture with random weights instead: paper, bvlc, caffenet, torchvision or krizhevsky2012", .verbs = "bench"},
  {.name = "reference", .value = Value::file, .argument = "DUMP.npz",
   .help = "what another framework computed: arrays named like layers, and data", .verbs = "compare"},
  {.name = "recursive", .letter = 'r', .help = "look into the folders below those given, too", .verbs = kManyPictures},
  {.name = "null", .help = "paths in an @LIST end with NUL, not with a newline", .verbs = kManyPictures},
  {.name = "image", .value = Value::file, .argument = "FILE", .help = "the picture to show, - for standard input", .verbs = "show"},
  {.name = "images", .value = Value::text, .argument = "DIR",
   .help = "the pictures to measure on: a folder, a file, or @LIST; several times for several", .verbs = "stats"},
  {.name = "input", .value = Value::text, .argument = "NAME=FILE.npy",
   .help = "a tensor for the input NAME, with or without the batch as its first axis; once for each input", .verbs = "run"},

  // What a source of a model does not say.
  {.name = "arch", .value = Value::text, .argument = "paper|bvlc|caffenet|torchvision|krizhevsky2012|FILE.json",
   .help = "structure of the network whose weights a checkpoint holds (default: found from names and shapes)", .verbs = "convert"},
  {.name = "key", .value = Value::text, .argument = "NAME", .help = "the entry of a checkpoint that holds the weights: state_dict",
   .verbs = "convert"},
  {.name = "preprocess", .value = Value::text, .argument = "torchvision|caffe|tensorflow|FILE.json",
   .help = "what is done to pictures first: a usual recipe, or a list of steps (default: what the source or its architecture says)",
   .verbs = "convert classify evaluate compare features stats show bench"},
  {.name = "mean", .value = Value::text, .argument = "FILE.binaryproto|FILE.npy|V,V,V",
   .help = "what is subtracted from pictures, in the recipe's order of channels (caffe: B,G,R)", .verbs = "convert"},
  {.name = "channels", .value = Value::choice, .argument = "rgb|bgr",
   .help = "order of channels that the network wants; preprocessing is turned around for it", .verbs = "convert"},
  {.name = "lrn", .value = Value::choice, .argument = "paper|caffe|pytorch|tensorflow|onnx",
   .help = "whose notation the architecture's numbers of response normalisation are", .verbs = "convert"},
  {.name = "flatten", .value = Value::choice, .argument = "chw|hwc", .fallback = "chw",
   .help = "order in which the checkpoint's network flattened maps", .verbs = "convert"},
  {.name = "against", .value = Value::file, .argument = "FILE.jsonl",
   .help = "records of another engine, model or precision for the same pictures, to compare with", .verbs = "evaluate"},

  // What to give.
  {.name = "top", .letter = 'k', .value = Value::integer, .argument = "N", .fallback = "5", .minimum = 1, .maximum = 1'000'000,
   .help = "classes a picture, at most as many as the network knows", .verbs = "classify"},
  {.name = "format", .letter = 'f', .value = Value::choice, .argument = "text|json|jsonl|csv", .fallback = "text",
   .help = "form of the results", .verbs = "classify"},
  {.name = "format", .letter = 'f', .value = Value::choice, .argument = "text|json", .fallback = "text",
   .help = "form of the results", .verbs = "compare evaluate"},
  {.name = "format", .letter = 'f', .value = Value::choice, .argument = "npy|npz|csv|jsonl|safetensors",
   .help = "form of the results (default: the suffix of the output file, jsonl for standard output)", .verbs = "features"},
  {.name = "format", .letter = 'f', .value = Value::choice, .argument = "text|json|npz", .fallback = "text",
   .help = "form of the statistics", .verbs = "stats"},
  {.name = "logits", .help = "give the scores of all classes before softmax, too", .verbs = "classify"},
  {.name = "layer", .value = Value::text, .argument = "NAME[,NAME]",
   .help = "layers whose output to write: data, fc7, fc7.relu, prob ...", .verbs = "features"},
  {.name = "layer", .value = Value::text, .argument = "NAME[,NAME]",
   .help = "layers whose output to write (default: the outputs of the network)", .verbs = "run"},
  {.name = "layer", .value = Value::text, .argument = "NAME[,NAME]", .help = "layers to measure: data, conv1, norm1 ...",
   .verbs = "stats"},
  {.name = "recalibrate", .help = "write the model with the statistics of these pictures in its batch normalisations to -o FILE",
   .verbs = "stats"},
  {.name = "zca", .value = Value::choice, .argument = "pixels|pictures",
   .help = "write a whitening matrix of the channels of pixels, or of whole pictures of at most 4096 values, to -o FILE.npz",
   .verbs = "stats"},
  {.name = "epsilon", .value = Value::text, .argument = "NUMBER", .fallback = "0",
   .help = "is added to the variances that --zca divides by", .verbs = "stats"},
  {.name = "output", .letter = 'o', .value = Value::file, .argument = "FILE", .fallback = "-",
   .help = "where results go, - for standard output; a file appears when it is whole", .verbs = "bench classify compare inspect stats"},
  {.name = "output", .letter = 'o', .value = Value::file, .argument = "FILE", .fallback = "-",
   .help = "where results go (.npy, .npz, .csv, .jsonl or .safetensors), - for standard output; a file appears when it is whole",
   .verbs = "features"},
  {.name = "output", .letter = 'o', .value = Value::file, .argument = "FILE.npz",
   .help = "write the outputs there, - for standard output (default: describe them)", .verbs = "run"},
  {.name = "output", .letter = 'o', .value = Value::file, .argument = "FILE.png", .fallback = "-",
   .help = "where the picture goes, - for standard output; a file appears when it is whole", .verbs = "show"},
  {.name = "output", .letter = 'o', .value = Value::file, .argument = "MODEL.safetensors",
   .help = "the model file to write, - for standard output; it appears when it is whole", .verbs = "convert"},
  {.name = "weights", .value = Value::choice, .argument = "f32|f16|bf16|int8|int8-sparse",
   .help = "how weights are stored (default: as the source has them)", .verbs = "convert"},
  {.name = "fold-preprocessing",
   .help = "put the scale and mean of preprocessing's last steps into the weights of the first convolution, if it pads nothing",
   .verbs = "convert"},
  {.name = "verify", .value = Value::file, .argument = "REFERENCE.npz",
   .help = "run the input of a reference dump and compare every layer that it has; write nothing and end with 4 when they disagree",
   .verbs = "convert"},
  {.name = "calibrate", .value = Value::file, .argument = "DIR",
   .help = "measure on the pictures there what int8 needs to know, and what each precision costs", .verbs = "convert"},
  {.name = "no-golden", .help = "run no golden picture and keep none", .verbs = "convert"},
  {.name = "dry-run", .help = "print the report alone", .verbs = "convert"},
  {.name = "output", .letter = 'o', .value = Value::file, .argument = "FILE.jsonl",
   .help = "write a record for each picture there, too, as classify -f jsonl does", .verbs = "evaluate"},
  {.name = "report", .value = Value::file, .argument = "FILE.html",
   .help = "write a page for a browser, too: one file with plots and pictures", .verbs = "compare evaluate"},
  {.name = "resume", .help = "keep the records that -o FILE holds already and compute the rest (jsonl)",
   .verbs = "classify evaluate"},
  {.name = "time", .help = "say at the end what decoding, resizing and the network took", .verbs = "classify"},
  {.name = "diagnose", .help = "when they disagree, find out why: try the usual suspects alone and in pairs", .verbs = "compare"},
  {.name = "plan", .help = "show the compiled plan: what runs for each layer", .verbs = "inspect"},
  {.name = "tensors", .help = "list the tensors of the file", .verbs = "inspect"},
  {.name = "check", .help = "run the golden picture stored in the model; exit code 4 when the logits disagree", .verbs = "inspect"},
  {.name = "json", .help = "give everything as one JSON object", .verbs = "bench inspect convert"},
  {.name = "layers", .help = "time each step beside its layers' bare oneDNN primitives and the machine's limits", .verbs = "bench"},
  {.name = "pipeline", .value = Value::file, .argument = "DIR",
   .help = "time the way from the picture files in this folder to labels, at the first --precision", .verbs = "bench"},
  {.name = "seconds", .value = Value::integer, .argument = "N", .fallback = "2", .minimum = 1, .maximum = 3600,
   .help = "how long to measure each case, about", .verbs = "bench"},

  // How to run.
  {.name = "labels", .value = Value::file, .argument = "imagenet|FILE",
   .help = "names of the classes, one a line, instead of the model's; imagenet: those of the 1000 classes", .verbs = "classify convert evaluate"},
  {.name = "crops", .value = Value::choice, .argument = "1|10", .fallback = "1",
   .help = "10: average the probabilities over four corners and centre, mirrored and not", .verbs = "classify evaluate"},
  {.name = "batch", .value = Value::integer, .argument = "N", .minimum = 1, .maximum = 4096,
   .help = "pictures that go through the network together (default: 16); results do not depend on it",
   .verbs = "classify evaluate features stats"},
  {.name = "batch", .value = Value::text, .argument = "N[,N]", .fallback = "1,8,32",
   .help = "samples that go through the network together", .verbs = "bench"},
  {.name = "threads", .value = Value::integer, .argument = "N", .minimum = 1, .maximum = 1024,
   .help = "threads to run on (default: $ALEXNET_THREADS, else what OMP_NUM_THREADS, processor affinity and the cgroup's quota allow)",
   .verbs = kNetwork},
  {.name = "precision", .value = Value::choice, .argument = "auto|f32|bf16|int8", .fallback = "auto",
   .help = "what the network computes in; auto: the fastest whose cost in top-1 the model records as at most 0.5 points, else f32",
   .verbs = "classify evaluate features run inspect"},
  {.name = "precision", .value = Value::text, .argument = "WORD[,WORD]", .fallback = "auto",
   .help = "what the network computes in: auto, f32, bf16, int8", .verbs = "bench"},
  {.name = "conv", .value = Value::choice, .argument = "auto|direct", .fallback = "auto",
   .help = "direct: f32 convolutions never by Winograd's method, which is faster and rounds a little more",
   .verbs = "bench classify compare evaluate features run inspect show stats"},
  {.name = "precision", .value = Value::choice, .argument = "auto|f32|bf16|int8", .fallback = "f32",
   .help = "what the network computes in", .verbs = "compare show stats"},
  {.name = "max-memory", .value = Value::bytes, .argument = "SIZE",
   .help = "refuse a network that needs more, in bytes or with K, M, G (default: what is free)", .verbs = kNetwork},
  {.name = "max-pixels", .value = Value::integer, .argument = "N", .fallback = "178956970", .minimum = 1, .maximum = 1'000'000'000'000,
   .help = "refuse pictures with more pixels, before decoding", .verbs = kPictures},
  {.name = "fast-jpeg",
   .help = "take large JPEGs at a half, a quarter or an eighth of their size where they are resized to less: quicker, but not the "
           "reference's pixels (1,000 pictures of tiny-val at 1100 x 1100: top-1 39.8 instead of 40.0 %)",
   .verbs = "classify evaluate"},
  {.name = "allow-truncated", .help = "use what is there of pictures that end too early", .verbs = kPictures},
  {.name = "allow-nonfinite", .help = "accept weights that are NaN or infinite",
   .verbs = "bench classify compare evaluate features run inspect show stats convert"},

  // What to say meanwhile.
  {.name = "color", .value = Value::choice, .argument = "auto|always|never", .fallback = "auto",
   .help = "colours; auto: on terminals, unless NO_COLOR is set", .verbs = kEvery},
  {.name = "quiet", .letter = 'q', .help = "errors alone: no progress, no remarks", .verbs = kEvery},
  {.name = "verbose", .letter = 'v', .help = "remarks on pictures and on how the network runs", .verbs = kEvery},
  {.name = "log-level", .value = Value::choice, .argument = "trace|debug|info|warning|error|off",
   .help = "what to log on standard error (default: info; error with -q, debug with -v)", .verbs = kEvery},
  {.name = "log-format", .value = Value::choice, .argument = "text|json", .fallback = "text", .help = "form of the log",
   .verbs = kEvery},
  {.name = "help", .letter = 'h', .help = "show this and end", .verbs = kEvery},
  {.name = "version", .help = "show version, build, oneDNN, JPEG decoder and embedded model, and end", .verbs = kEvery},
});
// clang-format on

bool applies(const Option& option, std::string_view verb) {
  if (option.verbs == kEvery) return true;
  const auto names = split(option.verbs, ' ');
  return std::find(names.begin(), names.end(), verb) != names.end();
}

std::optional<unsigned long long> parse_bytes(std::string_view text) {
  constexpr std::string_view kUnits = "KMGT";
  unsigned long long unit = 1;
  if (!text.empty()) {
    const char letter = static_cast<char>(text.back() & ~0x20);
    if (const auto power = kUnits.find(letter); power != std::string_view::npos) {
      unit = 1ull << (10 * (power + 1));
      text.remove_suffix(1);
    }
  }
  const auto number = parse_integer(text);
  if (!number || *number < 1) return std::nullopt;
  return checked_multiply(static_cast<unsigned long long>(*number), unit);
}

}  // namespace

std::span<const Option> all_options() { return kOptions; }

std::vector<Option> options_of(std::string_view verb) {
  std::vector<Option> result;
  std::copy_if(kOptions.begin(), kOptions.end(), std::back_inserter(result), [&](const Option& o) { return applies(o, verb); });
  return result;
}

std::vector<std::string> choices(const Option& option) {
  return option.value == Value::choice ? split(option.argument, '|') : std::vector<std::string>{};
}

std::string allowed(const Option& option) {
  switch (option.value) {
    case Value::none: return "no value";
    case Value::integer: return fmt::format("an integer from {} to {}", option.minimum, option.maximum);
    case Value::bytes: return "a number of bytes above 0, optionally with K, M, G or T";
    case Value::file: return "the name of a file";
    case Value::text: return std::string(option.argument);
    case Value::choice: {
      auto words = choices(option);
      const std::string last = words.back();
      words.pop_back();
      return fmt::format("{} or {}", join(words, ", "), last);
    }
  }
  return {};
}

std::string spelled(const Option& option, bool with_letter) {
  std::string text = with_letter && option.letter != 0 ? fmt::format("-{}, ", option.letter) : "";
  text += fmt::format("--{}", option.name);
  if (option.value != Value::none) text += fmt::format(" {}", option.argument);
  return text;
}

void check_value(const Option& option, std::string_view text, const std::string& where) {
  const auto good = [&] {
    switch (option.value) {
      case Value::none: return text.empty();
      case Value::integer: {
        const auto number = parse_integer(text);
        return number && *number >= option.minimum && *number <= option.maximum;
      }
      case Value::choice: {
        const auto words = choices(option);
        return std::find(words.begin(), words.end(), text) != words.end();
      }
      case Value::bytes: return parse_bytes(text).has_value();
      case Value::file:
      case Value::text: return !text.empty();
    }
    return false;
  };
  if (!good()) throw Error(ErrorKind::usage, where, fmt::format("{} is not allowed", shown(text)), "allowed: " + allowed(option));
}

unsigned long long byte_count(std::string_view text) { return parse_bytes(text).value_or(0); }

}  // namespace alexnet::cli
