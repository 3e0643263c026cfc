// A diagnosis as a part of the page of `compare --report`.
#pragma once

#include <string>

#include "tasks/diagnose.h"

namespace alexnet::cli {

std::string diagnosis_html(const Diagnosis& diagnosis);

}  // namespace alexnet::cli
