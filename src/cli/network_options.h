// What the verbs that run a network have in common.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/threads.h"
#include "cli/arguments.h"
#include "image/decode.h"
#include "import/report.h"
#include "model/model.h"
#include "tasks/named_network.h"
#include "tasks/picture_network.h"
#include "tasks/pictures.h"

namespace alexnet::cli {

// The model of `files`, else of --model, else of $ALEXNET_MODEL, else the embedded one. Files are anything that import_source()
// reads; a Caffe network takes two. --preprocess, where the verb has it, says what a source does not say about pictures.
Imported load_source(const Arguments& arguments, const std::vector<std::string>& files = {},
                     std::map<std::string, Tensor> values = {});
Model load_model(const Arguments& arguments, const std::vector<std::string>& files = {});
std::string model_name(const Arguments& arguments, const std::vector<std::string>& files = {});

// How many threads --threads, $ALEXNET_THREADS or the surroundings allow, and which of them says so.
ThreadBudget threads(const Arguments& arguments);

std::optional<Precision> precision_named(std::string_view name);

// --threads, --precision and --max-memory with their defaults from the surroundings. The threads are started.
CompileOptions compile_options(const Arguments& arguments);

// What `compile` gives for these options, with remarks in the log. A network beyond a limit that the user set is the model's
// fault; one beyond what is free is the surroundings'. Errors about the model name it.
NamedNetwork compiled(const Arguments& arguments, const std::function<NamedNetwork(const CompileOptions&)>& compile,
                      const std::vector<std::string>& files = {});

DecodeOptions decode_options(const Arguments& arguments);
// --batch, --crops where the verb has it, and decode_options(); ends early when a signal asks for it.
PictureBatchOptions batch_options(const Arguments& arguments, const Preprocessing& preprocessing);

// The class names of --labels, else the model's. Throws Error of kind model if the file has not one for each class.
std::vector<Label> labels_for(const Arguments& arguments, const Model& model, std::int64_t classes);

// The operands as pictures. Throws Error of kind usage if there are none.
PictureSourceOptions source_options(const Arguments& arguments);
void need_pictures(const Arguments& arguments);

// Names separated by commas.
std::vector<std::string> layer_names(const Arguments& arguments);

}  // namespace alexnet::cli
