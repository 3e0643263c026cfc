// What the verbs that run a network have in common.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/threads.h"
#include "cli/arguments.h"
#include "image/decode.h"
#include "model/model.h"
#include "tasks/named_network.h"
#include "tasks/pictures.h"

namespace alexnet::cli {

// The model of --model, else $ALEXNET_MODEL, else the embedded one; `file`, if not empty, comes before all of them.
Model load_model(const Arguments& arguments, const std::string& file = {});
std::string model_name(const Arguments& arguments, const std::string& file = {});

// How many threads --threads, $ALEXNET_THREADS or the surroundings allow, and which of them says so.
ThreadBudget threads(const Arguments& arguments);

std::optional<Precision> precision_named(std::string_view name);

// --threads, --precision and --max-memory with their defaults from the surroundings. The threads are started.
CompileOptions compile_options(const Arguments& arguments);

// What `compile` gives for these options, with remarks in the log. A network beyond a limit that the user set is the model's
// fault; one beyond what is free is the surroundings'. Errors about the model name it.
NamedNetwork compiled(const Arguments& arguments, const std::function<NamedNetwork(const CompileOptions&)>& compile,
                      const std::string& file = {});

DecodeOptions decode_options(const Arguments& arguments);

// The operands as pictures. Throws Error of kind usage if there are none.
PictureSourceOptions source_options(const Arguments& arguments);
void need_pictures(const Arguments& arguments);

// Names separated by commas.
std::vector<std::string> layer_names(const Arguments& arguments);

}  // namespace alexnet::cli
