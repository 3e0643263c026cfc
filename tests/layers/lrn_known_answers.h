// What response normalisation gives in each framework's convention, by runs of the frameworks themselves (PyTorch 2.15,
// TensorFlow 2.21, onnxruntime 1.31 and onnx's reference evaluator, oneDNN 3.2, Caffe's formula in float64), and the worked
// examples of the sources that retell them. Whatever computes an Lrn layer must give these.
#pragma once

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "layers/lrn_conventions.h"

namespace alexnet::test {

struct LrnKnownAnswer {
  lrn::Source source;
  Shape shape;  // of one sample: channels, height, width
  std::vector<float> x;
  std::vector<double> y;  // NaN where it is not known
  double tolerance;       // to which y is known
};

inline std::vector<LrnKnownAnswer> lrn_known_answers() {
  using namespace lrn;
  constexpr auto kAcross = LrnRegion::across_channels;
  constexpr auto kWithin = LrnRegion::within_channel;
  constexpr double kTwelveDigits = 5.1e-13;
  std::vector<LrnKnownAnswer> answers;

  // Seven channels of one pixel.
  const auto pixel = [&](const Source& source, const std::vector<double>& y) {
    answers.push_back({source, {7, 1, 1}, {1, -2, 3, 0.5, -1.5, 4, 2.5}, y, kTwelveDigits});
  };
  // Odd windows, on which all four agree.
  const auto agreed = [&](std::int64_t n, double alpha, double beta, double k, const std::vector<double>& y) {
    pixel(PyTorch{n, alpha, beta, k}, y);
    pixel(Onnx{n, alpha, beta, k}, y);
    pixel(Caffe{n, alpha, beta, kAcross, k}, y);
    pixel(OneDnn{kAcross, n, alpha, beta, k}, y);
  };
  // One channel of 3 rows and 4 columns.
  const auto map = [&](const Source& source, const std::vector<double>& y) {
    answers.push_back({source, {1, 3, 4}, {1, -2, 3, 0.5, -1.5, 4, 2.5, -0.25, 2, 0, -1, 1.5}, y, kTwelveDigits});
  };
  agreed(1, 1, 0.75, 1,
         {0.594603557501, -0.598139512488, 0.533483823012, 0.422948505376, -0.619696064834, 0.477774867028, 0.565830695674});
  agreed(3, 1, 0.75, 1,
         {0.479207328185, -0.544545590513, 0.844932804226, 0.153385725095, -0.342454876727, 0.759279041240, 0.505923570060});
  agreed(5, 1, 0.75, 1,
         {0.367419585202, -0.727669963321, 1.004661854433, 0.112584307086, -0.322934899885, 1.049958822204, 0.660390777992});
  agreed(5, 2, 0.5, 2,
         {0.362738125055, -0.720749970156, 1.022991509206, 0.130855980648, -0.381000381001, 1.159542071305, 0.727778137174});
  agreed(5, 1e-4, 0.75, 2,
         {0.594541131775, -1.189080034338, 1.783589957799, 0.297231560559, -0.891679639364, 2.377972832453, 1.486235806287});
  agreed(9, 1, 0.75, 1,
         {0.457906435005, -0.635588169976, 0.858169558384, 0.143028259731, -0.429084779192, 1.162533996463, 0.776997822036});
  pixel(PyTorch{2, 1, 0.75, 1},
        {0.737787946467, -0.781589942781, 0.661950183929, 0.136892012811, -0.816496580928, 0.704715327409, 0.384750061760});
  pixel(Onnx{2, 1, 0.75, 1},
        {0.390794971391, -0.441300122620, 0.821352076864, 0.272165526976, -0.264268247778, 0.615600098816, 0.863718146294});
  pixel(OneDnn{kAcross, 2, 1, 0.75, 1},
        {0.737787946467, -0.877382675302, 0.835312994621, 0.457726031979, -0.852259906859, 0.769800358920, 0.863718146294});
  pixel(PyTorch{4, 1, 0.75, 1},
        {0.544331053952, -0.647322362276, 0.960990504885, 0.152401429036, -0.319082757984, 0.911227038782, 0.573259627529});
  pixel(Onnx{4, 1, 0.75, 1},
        {0.323661181138, -0.640660336590, 0.914408574216, 0.106360919328, -0.341710139543, 0.917215404047, 0.609730642465});
  pixel(OneDnn{kAcross, 4, 1, 0.75, 1},
        {0.544331053952, -0.647322362276, 1.002477014644, 0.181036533116, -0.410676038432, 0.917215404047, 0.609730642465});
  pixel(PyTorch{4, 2, 0.5, 2},
        {0.471404520791, -0.666666666667, 0.993127066323, 0.160128153805, -0.377964473009, 1.055008757433, 0.662266178533});
  pixel(Onnx{4, 2, 0.5, 2},
        {0.333333333333, -0.662084710882, 0.960768922831, 0.125988157670, -0.395628284037, 1.059625885652, 0.690065559342});
  pixel(OneDnn{kAcross, 4, 2, 0.5, 2},
        {0.471404520791, -0.666666666667, 1.021507836910, 0.179605302027, -0.447213595500, 1.059625885652, 0.690065559342});
  pixel(PyTorch{6, 1, 0.75, 1},
        {0.405360046442, -0.803201780987, 1.113263073485, 0.124018905708, -0.338042382424, 0.968658244859, 0.733955292301});
  pixel(Onnx{6, 1, 0.75, 1},
        {0.401600890493, -0.742175382324, 0.744113434250, 0.112680794141, -0.363246841822, 1.174328467682, 0.738462705286});
  pixel(OneDnn{kAcross, 6, 1, 0.75, 1},
        {0.405360046442, -0.803201780987, 1.113263073485, 0.126491106407, -0.363246841822, 1.174328467682, 0.738462705286});
  pixel(TensorFlow{2, 1, 1, 0.5},
        {0.258198889747, -0.512147519732, 0.717137165601, 0.087705801931, -0.254456678904, 0.788263422531, 0.495073771488});
  pixel(TensorFlow{2, 1, 0.2, 0.75},
        {0.367419585202, -0.727669963321, 1.004661854433, 0.112584307086, -0.322934899885, 1.049958822204, 0.660390777992});
  pixel(TensorFlow{1, 1, 1, 0.75},
        {0.260847430012, -0.262398622835, 0.409034656681, 0.075212061862, -0.161646125901, 0.352496538018, 0.236114572008});
  map(Caffe{3, 1, 0.75, kWithin, 1},
      {0.383958770968, -0.574369897364, 0.903807573916, 0.235476439579, -0.527584627687, 1.065669155549, 0.714440065108,
       -0.107261006893, 0.786274808460, 0, -0.364525589190, 0.871556991610});
  map(Caffe{3, 1, 0.75, kWithin, 2},
      {0.383958770968, -0.574369897364, 0.903807573916, 0.235476439579, -0.527584627687, 1.065669155549, 0.714440065108,
       -0.107261006893, 0.786274808460, 0, -0.364525589190, 0.871556991610});
  map(OneDnn{kWithin, 3, 1, 0.75, 1},
      {0.383958770968, -0.574369897364, 0.903807573916, 0.235476439579, -0.527584627687, 1.065669155549, 0.714440065108,
       -0.107261006893, 0.786274808460, 0, -0.364525589190, 0.871556991610});
  map(OneDnn{kWithin, 3, 1, 0.75, 2},
      {0.319237511978, -0.504284409729, 0.787331282565, 0.186320722298, -0.446744488677, 0.946423546091, 0.627753243509,
       -0.086921138609, 0.650335503949, 0, -0.306441292550, 0.647939096587});
  map(Caffe{5, 1, 0.75, kWithin, 1},
      {0.469555657845, -0.913596949183, 1.370395423774, 0.247597178446, -0.704333486767, 1.827193898365, 1.141996186478,
       -0.123798589223, 0.939111315689, 0, -0.456798474591, 0.742791535337});
  map(OneDnn{kWithin, 5, 1, 0.75, 1},
      {0.469555657845, -0.913596949183, 1.370395423774, 0.247597178446, -0.704333486767, 1.827193898365, 1.141996186478,
       -0.123798589223, 0.939111315689, 0, -0.456798474591, 0.742791535337});
  map(OneDnn{kWithin, 4, 1, 0.75, 1},
      {0.510164507530, -0.797668801010, 1.247270834884, 0.300387215229, -0.711527454616, 1.493696123931, 0.992819475002,
       -0.139549596882, 1.040270787684, 0, -0.488724082544, 1.055549858912});

  // tf.nn.lrn on pixels of three equal channels; first with a constant of 0, then as TensorFlow's users show it on a photograph.
  answers.push_back({TensorFlow{1, 0, 1, 1}, {3, 1, 1}, {2, 2, 2}, {0.25, 1 / 6.0, 0.25}, 1e-15});
  const TensorFlow photograph{2, 1, 0.001 / 9, 0.75};
  const std::vector<std::pair<float, double>> grey{
      {230, 25.64542621}, {210, 26.62530279}, {190, 27.69886502}, {170, 28.8700044}, {150, 30.13193797}};
  for (const auto& [x, y] : grey) answers.push_back({photograph, {3, 1, 1}, {x, x, x}, {y, y, y}, 5.1e-9});

  // The same parameters on 5 rows and columns of 3 channels that count 1, 2, ... 75, channels fastest. Three pixels are known.
  LrnKnownAnswer counting{photograph, {3, 5, 5}, std::vector<float>(75), std::vector<double>(75, std::nan("")), 5.1e-9};
  const auto put = [&](std::size_t at, const std::array<double, 3>& values) {
    for (std::size_t c = 0; c < 3; ++c) counting.y[c * 25 + at] = values[c];
  };
  for (std::size_t i = 0; i < 75; ++i) counting.x[i % 3 * 25 + i / 3] = static_cast<float>(i + 1);
  put(0, {0.99883492, 1.99766984, 2.99650476});
  put(3 * 5 + 1, {31.09750348, 31.7321464, 32.36678933});
  put(24, {33.49615612, 33.95500757, 34.41385903});
  answers.push_back(counting);

  // Prints of PyTorch runs, inputs and outputs rounded to four decimals.
  answers.push_back({PyTorch{5, 1e-4, 0.75, 2}, {3, 1, 1}, {-0.7747f, 0.4657f, -0.3479f}, {-0.4607, 0.2769, -0.2069}, 1e-4});
  answers.push_back({PyTorch{5, 1e-4, 0.75, 2}, {3, 1, 1}, {-1.7611f, 1.6259f, 0.4811f}, {-1.0471, 0.9667, 0.2860}, 1e-4});
  return answers;
}

}  // namespace alexnet::test
