// Plots as inline SVG. Lengths across are shares of the width, so that a plot takes the width it is given while its text keeps
// its size; lengths down are pixels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace alexnet::cli {

struct Tick {
  double value;
  std::string text;
};

struct Axis {
  std::string title;
  double low = 0;
  double high = 1;
  bool logarithmic = false;  // then low > 0; values below are put there
  std::vector<Tick> ticks = {};

  // Where a value stands, 0 at low and 1 at high; never outside.
  double place(double value) const;
};

// Round values, about `count` of them; for a logarithmic axis, powers of ten.
std::vector<Tick> ticks_of(const Axis& axis, int count);

class Plot {
 public:
  // `title` and `description` are for those who can't see it.
  Plot(Axis across, Axis up, int height, std::string title, std::string description);

  // `kind` is a class of the style sheet; `tip`, if not empty, appears under the pointer.
  void line(double x1, double y1, double x2, double y2, std::string_view kind);
  void bar(double x1, double y1, double x2, double y2, std::string_view kind, std::string_view tip = {});
  void dot(double x, double y, double radius, std::string_view kind, std::string_view tip = {});
  std::string html() const;

 private:
  std::string across(double value) const;
  double down(double value) const;

  Axis across_;
  Axis up_;
  int height_;
  std::string title_;
  std::string description_;
  std::string marks_;
};

}  // namespace alexnet::cli
