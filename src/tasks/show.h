// Pictures of a model's insides, for people.
#pragma once

#include <string>

#include "image/image.h"
#include "model/model.h"
#include "tasks/named_network.h"

namespace alexnet {

// What the network sees of a picture: the picture after those steps that work on its bytes, resizing and cropping.
Image seen(const Preprocessing& preprocessing, const Image& image);

// The filters of a convolution's weight ("conv1.weight"), each with its number. Those of three channels are colours, all on one
// scale on which grey is 0; of others the first channels of the first filters are shown, a row a filter. Throws Error of kind usage
// for a name that is no weight of a convolution.
Image picture_of_filters(const Model& model, const std::string& weight);

// The network that makes what a layer reads and what it makes of it. Throws Error of kind usage for a name that is neither a layer
// nor an input, with the likely one, and what compile() throws.
NamedNetwork compile_for_maps(const Model& model, const std::string& layer, const CompileOptions& options);

// What a layer reads and what it makes of this picture, map by map, each side from black, its least value, to white, its largest.
// Three maps are shown as colours, values without height and width as one map in rows; what is not a number is red. Of a layer with
// several inputs the first is shown. Throws Error of kind usage for maps that would make a picture of more than 10^8 pixels, and
// what check_takes_pictures() does.
Image picture_of_maps(const NamedNetwork& network, const Preprocessing& preprocessing, const Image& image);

}  // namespace alexnet
