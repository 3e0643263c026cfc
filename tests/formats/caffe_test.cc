#include "formats/caffe.h"

#include <array>
#include <cstring>
#include <functional>

#include <protozero/pbf_writer.hpp>

#include "alexnet/error.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using protozero::pbf_writer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string message(const std::function<void(pbf_writer&)>& fill) {
  std::string bytes;
  pbf_writer writer(bytes);
  fill(writer);
  return bytes;
}

constexpr std::array<float, 4> kFloats{1, 2, 3, 4};
constexpr std::array<double, 4> kDoubles{5, 6, 7, 8};

void add_data(pbf_writer& blob) { blob.add_packed_float(5, kFloats.begin(), kFloats.end()); }
void add_shape(pbf_writer& blob, const std::vector<std::int64_t>& dims) {
  blob.add_message(7, message([&](pbf_writer& s) { s.add_packed_int64(1, dims.begin(), dims.end()); }));
}
void add_legacy_shape(pbf_writer& blob, const std::array<int, 4>& dims) {
  for (std::uint32_t i = 0; i < 4; ++i) blob.add_int32(i + 1, dims[i]);
}

std::string v2_net(const std::vector<std::string>& blobs) {
  return message([&](pbf_writer& net) {
    net.add_string(1, "AlexNet");
    net.add_message(100, message([](pbf_writer& l) { l.add_string(1, "relu1"), l.add_string(2, "ReLU"); }));
    net.add_message(100, message([&](pbf_writer& l) {
                      l.add_string(1, "conv1");
                      for (const auto& blob : blobs) l.add_message(7, blob);
                    }));
  });
}

std::string v1_net(const std::vector<std::string>& blobs) {
  return message([&](pbf_writer& net) {
    net.add_message(2, message([&](pbf_writer& l) {
                      l.add_string(2, "data");
                      l.add_string(4, "fc6");
                      l.add_enum(5, 14);
                      for (const auto& blob : blobs) l.add_message(6, blob);
                    }));
  });
}

template <typename Read>
auto in_memory(const std::string& bytes, Read read) {
  auto owner = std::make_shared<std::vector<std::byte>>(bytes.size());
  std::memcpy(owner->data(), bytes.data(), bytes.size());
  return read(std::span<const std::byte>(*owner), owner);
}

std::vector<CaffeBlobs> read(const std::string& bytes) {
  return in_memory(bytes, [](auto file, auto owner) { return read_caffemodel(file, owner, "net.caffemodel"); });
}

Tensor read_mean(const std::string& bytes) {
  return in_memory(bytes, [](auto file, auto owner) { return read_binaryproto(file, owner, "mean.binaryproto"); });
}

template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
  return "accepted";
}

TEST(Caffe, ReadsBlobsOfBothGenerations) {
  const auto shaped = message([](pbf_writer& b) { add_shape(b, {2, 2}), add_data(b); });
  const auto legacy = message([](pbf_writer& b) { add_legacy_shape(b, {1, 1, 2, 2}), add_data(b); });
  const auto new_file = read(v2_net({shaped, legacy}));
  ASSERT_EQ(new_file.size(), 1u);  // relu1 has no blobs
  EXPECT_EQ(new_file[0].layer, "conv1");
  ASSERT_EQ(new_file[0].blobs.size(), 2u);
  EXPECT_EQ(new_file[0].blobs[0].shape(), (Shape{2, 2}));
  EXPECT_EQ(new_file[0].blobs[1].shape(), (Shape{1, 1, 2, 2}));
  const auto old_file = read(v1_net({legacy}));
  ASSERT_EQ(old_file.size(), 1u);
  EXPECT_EQ(old_file[0].layer, "fc6");
  EXPECT_THAT(old_file[0].blobs[0].values<float>(), ElementsAre(1, 2, 3, 4));
}

TEST(Caffe, ReadsValuesHoweverTheyAreWritten) {
  const struct {
    const char* what;
    std::function<void(pbf_writer&)> fill;
    std::vector<float> wanted;
    Shape shape;
  } cases[] = {
      {"packed", [](auto& b) { add_shape(b, {4}), add_data(b); }, {1, 2, 3, 4}, {4}},
      {"data before the shape", [](auto& b) { add_data(b), add_shape(b, {4}); }, {1, 2, 3, 4}, {4}},
      {"single", [](auto& b) { add_shape(b, {2}), b.add_float(5, 1), b.add_float(5, 2); }, {1, 2}, {2}},
      {"packed in two pieces",
       [](auto& b) {
         add_shape(b, {4});
         b.add_packed_float(5, kFloats.begin(), kFloats.begin() + 3);
         b.add_packed_float(5, kFloats.begin() + 3, kFloats.end());
       },
       {1, 2, 3, 4},
       {4}},
      {"doubles, which win",
       [](auto& b) { add_shape(b, {4}), b.add_packed_double(8, kDoubles.begin(), kDoubles.end()), add_data(b); },
       {5, 6, 7, 8},
       {4}},
      {"both shapes, of which the old one wins",
       [](auto& b) {
         add_legacy_shape(b, {1, 1, 1, 4}), add_shape(b, {2, 2}), add_data(b);
       },
       {1, 2, 3, 4},
       {1, 1, 1, 4}},
      {"no shape: one value", [](auto& b) { b.add_float(5, 3); }, {3}, {}},
      {"gradients, which are passed over",
       [](auto& b) { add_shape(b, {4}), add_data(b), b.add_packed_float(6, kFloats.begin(), kFloats.end()); },
       {1, 2, 3, 4},
       {4}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto blob = read(v2_net({message(c.fill)})).at(0).blobs.at(0);
    EXPECT_EQ(blob.shape(), c.shape);
    EXPECT_THAT(widened(blob).values<float>(), ::testing::ElementsAreArray(c.wanted));
  }
}

TEST(Caffe, RefusesBrokenFiles) {
  const auto good = message([](pbf_writer& b) { add_shape(b, {4}), add_data(b); });
  const auto net_of = [](const std::function<void(pbf_writer&)>& fill) { return v2_net({message(fill)}); };
  std::string many;
  for (int i = 0; i < 100'001; ++i) many += std::string("\x12\x00", 2);
  const struct {
    std::string what;
    std::string bytes;
    std::string message;
  } cases[] = {
      {"empty of weights", message([](pbf_writer& n) { n.add_string(1, "x"); }), "its NetParameter has no layer with weights"},
      {"cut in half", v2_net({good}).substr(0, 30), "ends in the middle of a field"},
      {"both generations", v2_net({good}) + v1_net({good}), "mixes `layer` and `layers`"},
      {"generation V0", message([](pbf_writer& n) { n.add_message(2, message([](pbf_writer& l) { l.add_string(1, "x"); })); }),
       "generation V0, which is not read (Caffe's tools upgrade_net_proto_binary"},
      {"too few values", net_of([](auto& b) { add_shape(b, {5}), add_data(b); }),
       "layer 'conv1', blob 0: damaged: its BlobProto has 4 values, its shape 5 wants 5"},
      {"too many values", net_of([](auto& b) { add_shape(b, {3}), add_data(b); }),
       "layer 'conv1', blob 0: damaged: its BlobProto has more than the 3 numbers"},
      {"no values", net_of([](auto& b) { add_shape(b, {1'000'000'000'000}); }), "has 0 values, its shape 1000000000000 wants"},
      {"a negative extent", net_of([](auto& b) {
         add_legacy_shape(b, {1, 1, -2, 2});
       }),
       "has the impossible shape 1x1x-2x2"},
      {"an overflowing shape", net_of([](auto& b) {
         add_shape(b, {INT64_MAX, INT64_MAX});
       }),
       "has the impossible shape"},
      {"nine dimensions", net_of([](auto& b) {
         add_shape(b, {1, 1, 1, 1, 1, 1, 1, 1, 1});
       }),
       "more than the 8 numbers"},
      {"numbers of the wrong wire type", net_of([](auto& b) { add_shape(b, {1}), b.add_int32(5, 1); }),
       "field 5 with wire type 0, where 5 is wanted"},
      {"a number for a layer", message([](pbf_writer& n) { n.add_int32(100, 1); }),
       "field 100 with wire type 0, where 2 is wanted"},
      {"too many layers", many, "has more than 100000 layers"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(error_of([&] { read(c.bytes); }), HasSubstr(c.message));
  }
}

TEST(Caffe, ReadsAMeanPicture) {
  const auto old_form = read_mean(message([](pbf_writer& b) { add_legacy_shape(b, {1, 2, 1, 2}), add_data(b); }));
  EXPECT_EQ(old_form.shape(), (Shape{2, 1, 2}));
  EXPECT_THAT(old_form.values<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(read_mean(message([](pbf_writer& b) { add_shape(b, {1, 2, 2}), add_data(b); })).shape(), (Shape{1, 2, 2}));
  EXPECT_THAT(error_of([] { read_mean(message([](pbf_writer& b) {
                              add_legacy_shape(b, {2, 1, 1, 2}), add_data(b);
                            })); }),
              HasSubstr("mean.binaryproto: damaged: its BlobProto is no picture: its shape is 2x1x1x2"));
  EXPECT_THAT(error_of([] { read_mean(message([](pbf_writer& b) { add_shape(b, {4}), add_data(b); })); }),
              HasSubstr("is no picture"));
}

TEST(Caffe, IsToldApartFromOtherFiles) {
  const auto looks = [](const std::string& bytes) { return looks_like_caffemodel(std::as_bytes(std::span(bytes))); };
  const auto blob = message([](pbf_writer& b) { add_legacy_shape(b, {1, 1, 2, 2}), add_data(b); });
  EXPECT_TRUE(looks(v2_net({blob})));
  EXPECT_TRUE(looks(v1_net({blob})));
  EXPECT_TRUE(looks(v2_net({blob}).substr(0, 30)));
  EXPECT_FALSE(looks(blob));
  EXPECT_FALSE(looks(""));
  EXPECT_FALSE(looks("PK\3\4"));
  EXPECT_FALSE(looks("name: \"AlexNet\""));
  EXPECT_FALSE(looks("\x08\x08:\x02\x12\x00"));
}

}  // namespace
}  // namespace alexnet
