// Errors that gain their place on the way out.
#pragma once

#include <string>
#include <utility>

#include "alexnet/error.h"

namespace alexnet {

// Runs `work`; an Error that leaves it says `where` in front of where it says it happened.
template <typename Work>
auto located(const std::string& where, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error(error.kind(), error.where().empty() ? where : where + ": " + error.where(), error.message(), error.hint());
  }
}

}  // namespace alexnet
