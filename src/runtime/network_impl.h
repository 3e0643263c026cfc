// What a Network holds, for sessions to run.
#pragma once

#include <vector>

#include "runtime/kernel.h"
#include "runtime/lower.h"
#include "runtime/network.h"

namespace alexnet {

struct Network::Impl {
  Program program;
  std::vector<Kernel> kernels;  // one for each step
};

}  // namespace alexnet
