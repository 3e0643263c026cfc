// All of the public interface.
#pragma once

#include "alexnet/classifier.h"
#include "alexnet/error.h"
#include "alexnet/version.h"
