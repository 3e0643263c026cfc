// How the source of a model stated its response normalisations: Model::lrn_source, understood.
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "graph/graph.h"
#include "layers/lrn_conventions.h"

namespace alexnet {

using LrnSources = std::map<std::string, lrn::Source>;  // by layer

// {"norm1": {"convention": "tensorflow", "depth_radius": 2, ...}, ...}. Throws Error of kind model for anything else, naming the
// layer, and for one that is no response normalisation of the graph.
LrnSources lrn_sources_from_json(const Json& json, const Graph& graph);
Json to_json(const LrnSources& sources);

}  // namespace alexnet
