// What the command line says about sources of models that do not say everything of themselves.
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"
#include "formats/label_list.h"
#include "import/source.h"

namespace alexnet::cli {

// All choices that `convert` offers. Throws Error of kind usage, and of kind model for a file that can't be used.
SourceOptions import_options(const Arguments& arguments);

// --preprocess alone, for verbs that take pictures.
void add_preprocessing(const Arguments& arguments, SourceOptions& options);

// "imagenet", or a file of labels. Throws Error of kind model.
std::vector<Label> labels_of(const std::string& text);

}  // namespace alexnet::cli
