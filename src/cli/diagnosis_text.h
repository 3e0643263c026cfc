// A diagnosis as people and as programs read it.
#pragma once

#include <string>

#include "base/json.h"
#include "cli/terminal.h"
#include "tasks/diagnose.h"

namespace alexnet::cli {

// Where it lies: its layers, or the preprocessing.
std::string place_text(const Cause& cause);
// A largest relative difference.
std::string residual_text(double value);

std::string diagnosis_text(const Diagnosis& diagnosis, const Terminal& terminal);
Json diagnosis_json(const Diagnosis& diagnosis);

}  // namespace alexnet::cli
