#include "formats/onnx.h"

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

// A message whose fields `fill` writes.
std::string message(const std::function<void(pbf_writer&)>& fill) {
  std::string bytes;
  pbf_writer writer(bytes);
  fill(writer);
  return bytes;
}

// A TensorProto with these dimensions and type, and what `fill` adds.
std::string tensor(
    const std::vector<std::int64_t>& dims, int type, const std::function<void(pbf_writer&)>& fill = [](auto&) {}) {
  return message([&](pbf_writer& t) {
    t.add_packed_int64(1, dims.begin(), dims.end());
    t.add_enum(2, type);
    t.add_string(8, "w");
    fill(t);
  });
}

std::string model_with_graph(const std::string& graph) {
  return message([&](pbf_writer& m) {
    m.add_int64(1, 8);
    m.add_message(7, graph);
    m.add_message(8, message([](pbf_writer& o) { o.add_int64(2, 17); }));
  });
}

std::string model_with_tensor(const std::string& tensor) {
  return model_with_graph(message([&](pbf_writer& g) { g.add_message(5, tensor); }));
}

std::string model_with_attribute(const std::function<void(pbf_writer&)>& fill) {
  return model_with_graph(message([&](pbf_writer& g) {
    g.add_message(1, message([&](pbf_writer& n) {
                    n.add_string(3, "conv1");
                    n.add_message(5, message(fill));
                  }));
  }));
}

OnnxModel read(const std::string& bytes, const std::optional<std::filesystem::path>& folder = std::nullopt) {
  auto owner = std::make_shared<std::vector<std::byte>>(bytes.size());
  std::memcpy(owner->data(), bytes.data(), bytes.size());
  return read_onnx(*owner, owner, "net.onnx", folder);
}

std::string message_of(const std::string& bytes, const std::optional<std::filesystem::path>& folder = std::nullopt) {
  try {
    read(bytes, folder);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), "net.onnx");
    return error.message();
  }
  return "accepted";
}

std::string raw(std::initializer_list<float> values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

TEST(Onnx, ReadsNodesWithTheirAttributes) {
  const auto model = read(model_with_graph(message([](pbf_writer& g) {
    g.add_string(2, "net");
    g.add_message(1, message([](pbf_writer& n) {
                    n.add_string(1, "x");
                    n.add_string(1, "");
                    n.add_string(2, "y");
                    n.add_string(3, "conv1");
                    n.add_string(4, "Conv");
                    n.add_string(7, "ai.onnx");
                    n.add_message(5, message([](pbf_writer& a) {
                                    const std::array<std::int64_t, 2> ints{3, -1};
                                    a.add_string(1, "packed");
                                    a.add_packed_int64(8, ints.begin(), ints.end());
                                    a.add_enum(20, 7);
                                  }));
                    n.add_message(5, message([](pbf_writer& a) {
                                    a.add_string(1, "unpacked");
                                    a.add_int64(8, 3);
                                    a.add_int64(8, -1);
                                    a.add_enum(20, 7);
                                  }));
                    n.add_message(5, message([](pbf_writer& a) {
                                    a.add_string(1, "alpha");
                                    a.add_float(2, 0.5f);
                                    a.add_enum(20, 1);
                                  }));
                    n.add_message(5, message([](pbf_writer& a) {
                                    a.add_string(1, "zero");
                                    a.add_enum(20, 2);
                                  }));
                    n.add_message(5, message([](pbf_writer& a) {
                                    a.add_string(1, "untyped");
                                    a.add_string(4, "SAME_UPPER");
                                  }));
                    n.add_message(5, message([](pbf_writer& a) {
                                    a.add_string(1, "then");
                                    a.add_message(6, message([](pbf_writer& inner) { inner.add_string(2, "branch"); }));
                                    a.add_enum(20, 5);
                                  }));
                  }));
    g.add_message(11, message([](pbf_writer& v) {
                    v.add_string(1, "x");
                    v.add_message(2, message([](pbf_writer& t) {
                                    t.add_message(1, message([](pbf_writer& tensor_type) {
                                                    tensor_type.add_enum(1, 1);
                                                    tensor_type.add_message(
                                                        2, message([](pbf_writer& shape) {
                                                          shape.add_message(
                                                              1, message([](pbf_writer& d) { d.add_string(2, "batch"); }));
                                                          shape.add_message(1, message([](pbf_writer& d) { d.add_int64(1, 3); }));
                                                        }));
                                                  }));
                                  }));
                  }));
    g.add_message(12, message([](pbf_writer& v) { v.add_string(1, "y"); }));
  })));
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.opsets.at(""), 17);
  EXPECT_EQ(model.graph.name, "net");
  ASSERT_EQ(model.graph.nodes.size(), 1u);
  const auto& node = model.graph.nodes[0];
  EXPECT_EQ(node.name, "conv1");
  EXPECT_EQ(node.op_type, "Conv");
  EXPECT_EQ(node.domain, "");
  EXPECT_THAT(node.inputs, ElementsAre("x", ""));
  EXPECT_THAT(node.outputs, ElementsAre("y"));
  EXPECT_THAT(std::get<std::vector<std::int64_t>>(node.attributes.at("packed")), ElementsAre(3, -1));
  EXPECT_THAT(std::get<std::vector<std::int64_t>>(node.attributes.at("unpacked")), ElementsAre(3, -1));
  EXPECT_EQ(std::get<float>(node.attributes.at("alpha")), 0.5f);
  EXPECT_EQ(std::get<std::int64_t>(node.attributes.at("zero")), 0);
  EXPECT_EQ(std::get<std::string>(node.attributes.at("untyped")), "SAME_UPPER");
  EXPECT_EQ(std::get<std::shared_ptr<const OnnxGraph>>(node.attributes.at("then"))->name, "branch");
  ASSERT_EQ(model.graph.inputs.size(), 1u);
  EXPECT_EQ(model.graph.inputs[0].element_type, 1);
  EXPECT_THAT(*model.graph.inputs[0].shape, ElementsAre(std::nullopt, 3));
  EXPECT_FALSE(model.graph.outputs[0].shape);
}

TEST(Onnx, ReadsTensorsInEveryPlaceTheirValuesMayBe) {
  const std::array<float, 2> floats{1.5f, -2};
  const std::array<double, 2> doubles{1.5, -2};
  const std::array<std::int32_t, 2> int32s{7, -7};
  const std::array<std::int64_t, 2> int64s{7, -7};
  const std::array<std::uint64_t, 2> uint64s{7, UINT64_MAX};
  const std::array<std::int32_t, 2> halves{0x3e00, 0xc000};        // 1.5 and -2 as binary16
  const std::array<std::int32_t, 2> brain_halves{0x3fc0, 0xc000};  // as bfloat16
  const std::array<std::int32_t, 2> truths{0, 1};
  const struct {
    const char* what;
    int type;
    ElementType wanted;
    std::function<void(pbf_writer&)> fill;
    std::array<float, 2> values;
  } cases[] = {
      {"raw FLOAT",
       1,
       ElementType::f32,
       [&](auto& t) {
         t.add_bytes(9, raw({1.5f, -2}));
       },
       {1.5f, -2}},
      {"packed FLOAT", 1, ElementType::f32, [&](auto& t) { t.add_packed_float(4, floats.begin(), floats.end()); }, {1.5f, -2}},
      {"single FLOATs", 1, ElementType::f32, [&](auto& t) { t.add_float(4, 1.5f), t.add_float(4, -2); }, {1.5f, -2}},
      {"packed and single FLOATs",
       1,
       ElementType::f32,
       [&](auto& t) { t.add_packed_float(4, floats.begin(), floats.begin() + 1), t.add_float(4, -2); },
       {1.5f, -2}},
      {"packed DOUBLE",
       11,
       ElementType::f64,
       [&](auto& t) { t.add_packed_double(10, doubles.begin(), doubles.end()); },
       {1.5f, -2}},
      {"packed INT32", 6, ElementType::i32, [&](auto& t) { t.add_packed_int32(5, int32s.begin(), int32s.end()); }, {7, -7}},
      {"single INT32s", 6, ElementType::i32, [&](auto& t) { t.add_int32(5, 7), t.add_int32(5, -7); }, {7, -7}},
      {"INT8 in int32_data", 3, ElementType::i8, [&](auto& t) { t.add_packed_int32(5, int32s.begin(), int32s.end()); }, {7, -7}},
      {"packed INT64", 7, ElementType::i64, [&](auto& t) { t.add_packed_int64(7, int64s.begin(), int64s.end()); }, {7, -7}},
      {"packed UINT64",
       13,
       ElementType::u64,
       [&](auto& t) { t.add_packed_uint64(11, uint64s.begin(), uint64s.end()); },
       {7, 0x1p64f}},
      {"BOOL in int32_data",
       9,
       ElementType::boolean,
       [&](auto& t) { t.add_packed_int32(5, truths.begin(), truths.end()); },
       {0, 1}},
      {"FLOAT16 in int32_data",
       10,
       ElementType::f16,
       [&](auto& t) { t.add_packed_int32(5, halves.begin(), halves.end()); },
       {1.5f, -2}},
      {"raw FLOAT16", 10, ElementType::f16, [&](auto& t) { t.add_bytes(9, std::string("\x00\x3e\x00\xc0", 4)); }, {1.5f, -2}},
      {"BFLOAT16 in int32_data",
       16,
       ElementType::bf16,
       [&](auto& t) { t.add_packed_int32(5, brain_halves.begin(), brain_halves.end()); },
       {1.5f, -2}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto model = read(model_with_tensor(tensor({2}, c.type, c.fill)));
    ASSERT_EQ(model.graph.initializers.size(), 1u);
    EXPECT_EQ(model.graph.initializers[0].name, "w");
    const auto& got = model.graph.initializers[0].tensor;
    EXPECT_EQ(got.type(), c.wanted);
    EXPECT_EQ(got.shape(), Shape{2});
    EXPECT_THAT(widened(got).values<float>(), ::testing::ElementsAreArray(c.values));
  }
}

TEST(Onnx, ReadsScalarsAndEmptyTensors) {
  const auto scalar = read(model_with_tensor(tensor({}, 1, [](auto& t) { t.add_bytes(9, raw({3})); })));
  EXPECT_EQ(scalar.graph.initializers[0].tensor.shape().rank(), 0u);
  EXPECT_EQ(scalar.graph.initializers[0].tensor.values<float>()[0], 3);
  const auto empty = read(model_with_tensor(tensor({2, 0}, 7)));
  EXPECT_EQ(empty.graph.initializers[0].tensor.shape(), (Shape{2, 0}));
}

TEST(Onnx, RefusesBrokenFiles) {
  const std::string whole = model_with_tensor(tensor({2}, 1, [](auto& t) { t.add_bytes(9, raw({1, 2})); }));
  std::string nested = message([](pbf_writer& g) { g.add_string(2, "innermost"); });
  for (int i = 0; i < 2000; ++i) {
    nested = message([&](pbf_writer& g) {
      g.add_message(1, message([&](pbf_writer& n) {
                      n.add_message(5, message([&](pbf_writer& a) {
                                      a.add_string(1, "then_branch");
                                      a.add_message(6, nested);
                                    }));
                    }));
    });
  }
  std::string many;
  for (int i = 0; i < 1'000'001; ++i) many += std::string("\x0a\x00", 2);
  const struct {
    std::string what;
    std::string bytes;
    std::string message;
  } cases[] = {
      {"cut in half", whole.substr(0, whole.size() / 2), "its ModelProto ends in the middle of a field"},
      {"cut in its last byte", whole.substr(0, whole.size() - 1), "ends in the middle of a field"},
      {"no graph", message([](pbf_writer& m) { m.add_int64(1, 8); }), "its ModelProto has no graph"},
      {"two graphs", whole + whole, "has two graphs"},
      {"a number for a graph", message([](pbf_writer& m) { m.add_int64(7, 8); }),
       "its ModelProto has field 7 with wire type 0, where 2 is wanted"},
      {"a varint of 11 bytes", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "has a number of more than 64 bits"},
      {"a group", std::string("\x0b", 1), "has a field of an unknown wire type"},
      {"field 0", std::string("\x00", 1), "has a field with an impossible number"},
      {"a name that is not UTF-8", model_with_graph(message([](pbf_writer& g) { g.add_string(2, "\xff"); })),
       "its GraphProto has text in field 2 that is not UTF-8"},
      {"deep subgraphs", model_with_graph(nested), "its GraphProto is nested deeper than 16"},
      {"a million nodes", model_with_graph(many), "is one of more than 1000000 records"},
      {"sparse initializers", model_with_graph(message([](pbf_writer& g) { g.add_string(15, ""); })), "has sparse initializers"},
      {"a tensor of text", model_with_tensor(tensor({1}, 8)), "tensor 'w' has elements of STRING, which are not read"},
      {"a tensor of float8", model_with_tensor(tensor({1}, 17)), "tensor 'w' has elements of FLOAT8E4M3FN"},
      {"an unknown type", model_with_tensor(tensor({1}, 99)), "tensor 'w' has elements of type 99"},
      {"a segment", model_with_tensor(tensor({1}, 1, [](auto& t) { t.add_string(3, ""); })), "is in segments"},
      {"nine dimensions", model_with_tensor(tensor({1, 1, 1, 1, 1, 1, 1, 1, 1}, 1)),
       "more than the 8 numbers that field 1 may have"},
      {"a negative dimension", model_with_tensor(tensor({-1}, 1)), "tensor 'w' has the impossible shape -1"},
      {"a product that overflows", model_with_tensor(tensor({INT64_MAX, 2}, 1)), "has the impossible shape 9223372036854775807x2"},
      {"bytes that overflow", model_with_tensor(tensor({INT64_MAX}, 11)), "has a shape whose byte count overflows"},
      {"too few raw bytes",
       model_with_tensor(tensor({3}, 1,
                                [](auto& t) {
                                  t.add_bytes(9, raw({1, 2}));
                                })),
       "tensor 'w' has 8 bytes, F32 of shape 3 wants 12"},
      {"too many raw bytes",
       model_with_tensor(tensor({1}, 1,
                                [](auto& t) {
                                  t.add_bytes(9, raw({1, 2}));
                                })),
       "tensor 'w' has 8 bytes, F32 of shape 1 wants 4"},
      {"no values", model_with_tensor(tensor({1'000'000'000'000}, 1)), "has 0 values, its shape 1000000000000 wants 1000000000000"},
      {"too few values", model_with_tensor(tensor({3}, 1, [](auto& t) { t.add_float(4, 1); })),
       "has 1 values, its shape 3 wants 3"},
      {"too many values", model_with_tensor(tensor({1}, 1, [](auto& t) { t.add_float(4, 1), t.add_float(4, 1); })),
       "its TensorProto has more than the 1 numbers that field 4 may have"},
      {"values in the wrong field", model_with_tensor(tensor({1}, 1, [](auto& t) { t.add_int32(5, 1); })),
       "tensor 'w' of F32 has numbers in field 5, 4 is wanted"},
      {"values of the wrong wire type", model_with_tensor(tensor({1}, 1, [](auto& t) { t.add_double(4, 1); })),
       "its TensorProto has field 4 with wire type 1, where 5 is wanted"},
      {"packed values cut off", model_with_tensor(tensor({1}, 1, [](auto& t) { t.add_bytes(4, "abc"); })),
       "has packed numbers that end in the middle of one"},
      {"values twice", model_with_tensor(tensor({1}, 1, [](auto& t) { t.add_float(4, 1), t.add_bytes(9, raw({1})); })),
       "has its data twice"},
      {"a FLOAT16 of 17 bits", model_with_tensor(tensor({1}, 10, [](auto& t) { t.add_int32(5, 0x10000); })),
       "has a value that is no F16"},
      {"a UINT32 of 33 bits", model_with_tensor(tensor({1}, 12, [](auto& t) { t.add_uint64(11, 1ull << 32); })),
       "has a value that is no U32"},
      {"an attribute whose type lies",
       model_with_attribute([](auto& a) { a.add_string(1, "pads"), a.add_float(2, 1), a.add_enum(20, 7); }),
       "holds something else than its type says: attribute 'pads' of node 'conv1'"},
      {"a tensor attribute without a tensor", model_with_attribute([](auto& a) { a.add_string(1, "value"), a.add_enum(20, 4); }),
       "holds something else than its type says: attribute 'value'"},
      {"a broken tensor in an attribute", model_with_attribute([](auto& a) {
         a.add_string(1, "value");
         a.add_message(5, message([](auto& t) { t.add_enum(2, 1), t.add_int64(1, 2); }));
       }),
       "attribute 'value' of node 'conv1' has 0 values, its shape 2 wants 2"},
      {"an attribute twice", model_with_graph(message([](pbf_writer& g) {
         const auto alpha = message([](pbf_writer& a) { a.add_string(1, "alpha"), a.add_float(2, 1); });
         g.add_message(1, message([&](pbf_writer& n) { n.add_string(2, "y"), n.add_message(5, alpha), n.add_message(5, alpha); }));
       })),
       "has the attribute 'alpha' twice: node 'y'"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(message_of(c.bytes), HasSubstr(c.message));
  }
}

class OnnxExternal : public ::testing::Test {
 protected:
  static std::string external(const std::string& location, const std::string& offset, const std::string& length,
                              const std::vector<std::int64_t>& dims = {2}) {
    return model_with_tensor(tensor(dims, 1, [&](pbf_writer& t) {
      const auto entry = [&](const char* key, const std::string& value) {
        if (!value.empty()) t.add_message(13, message([&](pbf_writer& e) { e.add_string(1, key), e.add_string(2, value); }));
      };
      entry("location", location);
      entry("offset", offset);
      entry("length", length);
      entry("checksum", "unread");
      t.add_enum(14, 1);
    }));
  }
  const test::TemporaryFolder folder_;
};

TEST_F(OnnxExternal, ReadsDataBesideTheModel) {
  folder_.write("net.onnx.data", "ab" + raw({1.5f, -2}));
  std::filesystem::create_directory(folder_.path() / "weights");
  folder_.write("weights/w", raw({1.5f, -2}));
  std::filesystem::create_symlink("net.onnx.data", folder_.path() / "link");
  const std::string cases[] = {
      external("net.onnx.data", "2", "8"), external("net.onnx.data", "2", ""), external("weights/w", "", ""),
      external("./weights/w", "0", "8"),   external("link", "2", "8"),
  };
  for (const auto& bytes : cases) {
    const auto model = read(bytes, folder_.path());
    EXPECT_THAT(model.graph.initializers[0].tensor.values<float>(), ElementsAre(1.5f, -2)) << &bytes - cases;
  }
  const auto empty = read(external("absent", "0", "0", {0}), folder_.path());
  EXPECT_EQ(empty.graph.initializers[0].tensor.shape(), Shape{0});
}

TEST_F(OnnxExternal, FindsThemFromAPath) {
  folder_.write("w.data", raw({1.5f, -2}));
  const auto model = read_onnx(folder_.write("net.onnx", external("w.data", "", "")));
  EXPECT_THAT(model.graph.initializers[0].tensor.values<float>(), ElementsAre(1.5f, -2));
}

TEST_F(OnnxExternal, StaysInsideTheFolder) {
  const test::TemporaryFolder elsewhere;
  const auto outside = elsewhere.write("w", raw({1.5f, -2}));
  folder_.write("w", raw({1.5f, -2}));
  std::filesystem::create_symlink(outside, folder_.path() / "link");
  std::filesystem::create_directory_symlink(elsewhere.path(), folder_.path() / "linked");
  std::filesystem::create_directory(folder_.path() / "sub");
  const struct {
    std::string bytes;
    std::string message;
  } cases[] = {
      {external(outside.string(), "", ""), "an absolute path"},
      {external("../w", "", ""), "tensor data in '../w', which leaves the model's folder"},
      {external("sub/../w", "", ""), "which leaves the model's folder"},
      {external("link", "", ""), "tensor data in 'link', a link out of the model's folder"},
      {external("linked/w", "", ""), "a link out of the model's folder"},
      {external("", "", ""), "which is not a file name"},
      {external(std::string("w\0x", 3), "", ""), "which is not a file name"},
      {external("absent", "", ""), "which can't be read: No such file"},
      {external("w", "4", "8"), "tensor 'w' has 8 bytes from 4 on in 'w', which has 8"},
      {external("w", "9", "8"), "has 8 bytes from 9 on in 'w', which has 8"},
      {external("w", "9223372036854775807", "8"), "has 8 bytes from 9223372036854775807 on"},
      {external("w", "0", "8", {3}), "tensor 'w' has 8 bytes, F32 of shape 3 wants 12"},
      {external("w", "0", "", {1'000'000'000'000}), "has 4000000000000 bytes from 0 on in 'w', which has 8"},
      {external("w", "-1", "8"), "has the offset '-1', which is not a whole number from 0"},
      {external("w", "0", "x"), "has the length 'x', which is not a whole number from 0"},
      {external("w", "99999999999999999999", "8"), "which is not a whole number from 0"},
      {model_with_tensor(tensor({1}, 1, [](auto& t) { t.add_bytes(9, raw({1})), t.add_enum(14, 1); })),
       "has its data both in the model and beside it"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.message);
    EXPECT_THAT(message_of(c.bytes, folder_.path()), HasSubstr(c.message));
  }
  EXPECT_THAT(message_of(external("w", "", "")), HasSubstr("beside the model, which is not in a file"));
}

TEST(Onnx, IsToldApartFromOtherFiles) {
  const auto looks = [](const std::string& bytes) { return looks_like_onnx(std::as_bytes(std::span(bytes))); };
  const auto whole = model_with_tensor(tensor({2}, 1, [](auto& t) { t.add_bytes(9, raw({1, 2})); }));
  EXPECT_TRUE(looks(whole));
  EXPECT_TRUE(looks(whole.substr(0, whole.size() / 2)));
  EXPECT_FALSE(looks(""));
  EXPECT_FALSE(looks("PK\3\4"));
  EXPECT_FALSE(looks("\x80\x02}"));
  EXPECT_FALSE(looks(std::string("\x08\0\0\0\0\0\0\0{}      ", 16)));
  EXPECT_FALSE(
      looks("\x0a\x07"
            "AlexNet"));
}

}  // namespace
}  // namespace alexnet
