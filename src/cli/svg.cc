#include "cli/svg.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "cli/html.h"

namespace alexnet::cli {
namespace {

std::string titled(std::string_view tip) { return tip.empty() ? "" : fmt::format("<title>{}</title>", escaped(tip)); }

// 1, 2 or 5 times a power of ten.
double round_step(double step) {
  const double unit = std::pow(10, std::floor(std::log10(step)));
  const double part = step / unit;
  return unit * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

}  // namespace

double Axis::place(double value) const {
  const auto scaled = [this](double x) { return logarithmic ? std::log10(std::max(x, low)) : x; };
  const double share = (scaled(value) - scaled(low)) / (scaled(high) - scaled(low));
  return std::isnan(share) ? 0 : std::clamp(share, 0.0, 1.0);
}

std::vector<Tick> ticks_of(const Axis& axis, int count) {
  std::vector<Tick> ticks;
  if (axis.logarithmic) {
    const int first = static_cast<int>(std::ceil(std::log10(axis.low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(axis.high) + 1e-9));
    const int step = std::max(1, (last - first + count - 1) / count);
    for (int power = first; power <= last; power += step) ticks.push_back({std::pow(10, power), fmt::format("1e{}", power)});
    return ticks;
  }
  const double step = round_step((axis.high - axis.low) / count);
  for (double value = std::ceil(axis.low / step) * step; value <= axis.high + step * 1e-9; value += step) {
    ticks.push_back({value, fmt::format("{:.6g}", std::abs(value) < step * 1e-9 ? 0 : value)});
  }
  return ticks;
}

Plot::Plot(Axis across, Axis up, int height, std::string title, std::string description)
    : across_(std::move(across)),
      up_(std::move(up)),
      height_(height),
      title_(std::move(title)),
      description_(std::move(description)) {}

std::string Plot::across(double value) const { return fmt::format("{:.2f}%", 100 * across_.place(value)); }

double Plot::down(double value) const { return height_ * (1 - up_.place(value)); }

void Plot::line(double x1, double y1, double x2, double y2, std::string_view kind) {
  marks_ += fmt::format(R"(<line class="{}" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>)", kind, across(x1), down(y1), across(x2),
                        down(y2));
}

void Plot::bar(double x1, double y1, double x2, double y2, std::string_view kind, std::string_view tip) {
  const double width = across_.place(x2) - across_.place(x1);
  marks_ += fmt::format(R"(<rect class="{}" x="{}" y="{:.1f}" width="{:.2f}%" height="{:.1f}">{}</rect>)", kind, across(x1),
                        down(std::max(y1, y2)), 100 * width, std::abs(down(y1) - down(y2)), titled(tip));
}

void Plot::dot(double x, double y, double radius, std::string_view kind, std::string_view tip) {
  marks_ +=
      fmt::format(R"(<circle class="{}" cx="{}" cy="{:.1f}" r="{}">{}</circle>)", kind, across(x), down(y), radius, titled(tip));
}

std::string Plot::html() const {
  std::string text = fmt::format(R"(<div class="plot{}"><svg width="100%" height="{}" role="img" aria-label="{}"><desc>{}</desc>)",
                                 across_.title.empty() ? " low" : "", height_, escaped(title_), escaped(description_));
  for (const auto& tick : across_.ticks) {
    text += fmt::format(
        R"(<line class="grid" x1="{0}" y1="0" x2="{0}" y2="{1}"/><text class="tick" x="{0}" y="{2}" text-anchor="middle">{3}</text>)",
        across(tick.value), height_, height_ + 17, escaped(tick.text));
  }
  for (const auto& tick : up_.ticks) {
    text += fmt::format(
        R"(<line class="grid" x1="0" y1="{0:.1f}" x2="100%" y2="{0:.1f}"/><text class="tick" x="-8" y="{1:.1f}" text-anchor="end">{2}</text>)",
        down(tick.value), down(tick.value) + 4, escaped(tick.text));
  }
  text += marks_;
  text += fmt::format(R"(<text class="axis" x="50%" y="{}" text-anchor="middle">{}</text>)", height_ + 38, escaped(across_.title));
  text += fmt::format(R"(<text class="axis" x="-40" y="-12">{}</text>)", escaped(up_.title));
  return text + "</svg></div>\n";
}

}  // namespace alexnet::cli
