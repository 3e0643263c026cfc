// The generated parts of docs/conventions.md and its plot, from the layers' own output.
#pragma once

#include <string>

namespace alexnet::test {

// The page with everything between "<!-- generated: NAME -->" and "<!-- end -->" made anew. Throws for a NAME that nothing makes.
std::string with_generated_parts(const std::string& page);

// The plot that the page shows, as SVG.
std::string conventions_plot();

}  // namespace alexnet::test
