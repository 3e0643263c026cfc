// Pruned layers, multiplied as they are stored, against the same weights expanded.
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "runtime/instruction_set.h"
#include "runtime/openmp.h"
#include "runtime/own_kernels.h"
#include "runtime/quantisation.h"
#include "runtime/simd/int8_linear.h"
#include "runtime/simd/sparse_columns.h"
#include "runtime/simd/sparse_rows.h"

#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

// A layer of which about `density` is not zero, the first and last element of a row always.
Tensor pruned(std::int64_t out, std::int64_t in, double density) {
  Tensor weight = test::generated_tensor({out, in}, "fc.weight", 1);
  const Tensor chance = test::generated_tensor({out, in}, "chance", 1);
  for (std::size_t i = 0; i < weight.values<float>().size(); ++i) {
    const auto column = static_cast<std::int64_t>(i) % in;
    const bool kept = column == 0 || column == in - 1 || std::fabs(static_cast<double>(chance.values<float>()[i])) < density;
    if (!kept) weight.mutable_values<float>()[i] = 0;
  }
  return weight;
}

// Those that this processor has.
std::vector<SimdLevel> levels() {
  std::vector<SimdLevel> result;
  for (const auto level : {SimdLevel::baseline, SimdLevel::avx2, SimdLevel::avx512, SimdLevel::avx512_vbmi})
    if (level <= instruction_set().simd) result.push_back(level);
  return result;
}

std::byte* aligned(std::vector<std::byte>& memory) {
  return memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
}

struct Case {
  std::int64_t in;
  std::int64_t out;
  double density;
  bool relu = false;
};

TEST(SparseLinear, GivesWhatTheExpandedWeightsGive) {
  constexpr double kRoundoff = std::numeric_limits<float>::epsilon() / 2;
  // fc6 and fc8 of the pruned network; then one element, ends of bytes, steps and blocks, rows of nothing and of everything.
  for (const Case& c : {Case{9216, 256, 0.08}, Case{4096, 200, 0.25, true}, Case{1, 1, 1}, Case{7, 3, 0.5}, Case{8, 9, 0.5},
                        Case{64, 8, 1}, Case{65, 5, 0.3}, Case{1023, 17, 0.1}, Case{1024, 16, 0.1, true}, Case{1025, 33, 0.1},
                        Case{2500, 12, 0}, Case{2500, 12, 1}}) {
    Graph graph{.inputs = {{"data", {c.in}}}, .nodes = {{"fc", Linear{.out_features = c.out}, {"data"}}}, .outputs = {"fc"}};
    if (c.relu) graph.nodes.push_back({"relu", Relu{}, {"fc"}}), graph.outputs = {"relu"};
    Model sparse = test::generated_model(graph);
    sparse.weights.at("fc.weight") = stored(pruned(c.out, c.in, c.density), Storage::int8_sparse);
    Model dense = sparse;
    dense.weights.at("fc.weight") = Weight::of(widened(sparse.weights.at("fc.weight")));
    Model magnitudes = dense;
    Tensor terms = Tensor::zeros({c.out, c.in});
    for (std::size_t i = 0; i < terms.values<float>().size(); ++i)
      terms.mutable_values<float>()[i] = std::fabs(widened(dense.weights.at("fc.weight")).values<float>()[i]);
    magnitudes.weights.at("fc.weight") = Weight::of(terms);
    const std::string what = fmt::format("{} to {}, density {}", c.in, c.out, c.density);

    const auto network = compile(sparse, {});
    EXPECT_THAT(test::implementation_of(network->plan(), "fc"), testing::StartsWith("own:sparse_linear:")) << what;
    // Two bytes for a value, and some for an output, however many zeros there are.
    const auto created = 2 * sparse.weights.at("fc.weight").data.byte_count() + 100 * static_cast<std::uint64_t>(c.out + 1);
    EXPECT_LE(network->plan().created_bytes, created) << what << ": nothing is expanded";
    for (const std::int64_t rows : {1, 3, 32}) {
      Tensor x = test::generated_tensor({rows, c.in}, "data", 2);
      const Tensor y = test::run(sparse, {x}).front();
      const Tensor expected = test::run(dense, {x}).front();
      for (float& value : x.mutable_values<float>()) value = std::fabs(value);
      const Tensor sums = test::run(magnitudes, {x}).front();
      for (std::size_t i = 0; i < y.values<float>().size(); ++i) {
        // The scale rounds each expanded weight and here only the sum; both sums are of `in` terms.
        const double allowed =
            2 * (std::sqrt(static_cast<double>(c.in)) + 2) * kRoundoff * (static_cast<double>(sums.values<float>()[i]) + 0.2);
        ASSERT_NEAR(static_cast<double>(y.values<float>()[i]), static_cast<double>(expected.values<float>()[i]), allowed)
            << what << ", " << rows << " rows, element " << i;
      }
    }
  }
}

TEST(SparseLinear, KnowsTheColumnsOfEachValue) {
  const Weight weight = stored(pruned(5, 2500, 0.2), Storage::int8_sparse);
  const auto dense = widened(weight);
  for (const SimdLevel level : levels()) {
    const SparseIndex index = sparse_index(weight, level);
    ASSERT_EQ(index.starts.size(), 6u);
    std::size_t seen = 0;
    for (std::size_t row = 0; row < 5; ++row) {
      ASSERT_EQ(index.starts[row], seen);
      const std::uint16_t* next = index.rows_of(weight).columns + seen + row * kSparseSlack;
      for (std::size_t column = 0; column < 2500; ++column) {
        if (dense.values<float>()[row * 2500 + column] == 0) continue;
        ASSERT_EQ(*next++, column) << "row " << row;
        ++seen;
      }
      for (std::int64_t i = 0; i < kSparseSlack; ++i) EXPECT_EQ(next[i], 0) << "row " << row;
    }
    EXPECT_EQ(index.starts[5], seen);
    EXPECT_EQ(sparse_index_bytes(weight), index.columns.byte_count() + index.starts.size() * sizeof(std::size_t));
  }
}

TEST(SparseLinear, KnowsTheOutputsOfEachInput) {
  // The fourth input goes to outputs that are further apart than a byte can say.
  Tensor dense = pruned(1200, 70, 0.2);
  for (std::size_t output = 0; output < 1200; ++output)
    dense.mutable_values<float>()[output * 70 + 3] = output == 255 || output == 1023 ? 1.0f : 0.0f;
  const Weight weight = stored(dense, Storage::int8_sparse);
  const auto values = int8(Weight::of(dense)).values;
  const Tensor tensor = sparse_columns(weight);
  const SparseColumns columns = columns_in(tensor, weight);
  EXPECT_EQ(tensor.byte_count(), sparse_columns_bytes(weight));
  EXPECT_EQ(columns.starts[0], 0u);
  for (std::size_t input = 0; input < 70; ++input) {
    std::vector<int> found(1200);
    std::size_t output = 0;
    for (auto at = columns.starts[input]; at < columns.starts[input + 1]; ++at) {
      for (std::int64_t k = 0; k < SparseGroup::kSize; ++k) {
        output += columns.groups[at].gaps[k];
        ASSERT_LT(output, 1200u) << "input " << input;
        found[output] += columns.groups[at].values[k];
      }
    }
    for (output = 0; output < 1200; ++output)
      ASSERT_EQ(found[output], values.values<std::int8_t>()[output * 70 + input]) << "input " << input << ", output " << output;
  }
}

// compile() takes some of these kernels, by the processor; here all run at each level, and their sums are whole numbers.
TEST(SparseLinear, AllFormsInInt8GiveTheSums) {
  constexpr int kThreads = 2;
  for (const Case& c : {Case{4096, 40, 0.1}, Case{1, 1, 1}, Case{63, 9, 0.5}, Case{130, 8, 1}, Case{2500, 33, 0.02},
                        Case{100, 5, 0}, Case{300, 1500, 0.001}}) {
    Tensor dense = pruned(c.out, c.in, c.density);
    if (c.density == 0) std::ranges::fill(dense.mutable_values<float>(), 0.0f);
    const Weight weight = stored(dense, Storage::int8_sparse);
    const Tensor q = int8(Weight::of(dense)).values;
    for (const std::int64_t rows : {1, 2, 9, 31, 33, 64}) {
      // Without VNNI sums of two products must fit 16 bits.
      std::vector<std::uint8_t> source(static_cast<std::size_t>(rows * c.in));
      for (std::size_t i = 0; i < source.size(); ++i) source[i] = i % 3 == 0 ? 0 : static_cast<std::uint8_t>(i * 7919 % 128);
      std::vector<float> expected;
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t output = 0; output < c.out; ++output) {
          std::int64_t sum = 0;
          for (std::int64_t i = 0; i < c.in; ++i)
            sum += source[static_cast<std::size_t>(row * c.in + i)] *
                   q.values<std::int8_t>()[static_cast<std::size_t>(output * c.in + i)];
          expected.push_back(static_cast<float>(sum));
        }
      }
      const std::vector<float> ones(static_cast<std::size_t>(c.out), 1.0f);
      const std::vector<float> zeros(static_cast<std::size_t>(c.out), 0.0f);
      const auto starts = sparse_starts(weight);
      const Tensor columns = sparse_columns(weight);
      for (const SimdLevel level : levels()) {
        const SparseIndex index = sparse_index(weight, level);
        for (const bool vnni : {false, true}) {
          if (vnni && (!instruction_set().vnni || level < SimdLevel::avx512)) continue;
          const InstructionSet instructions{.name = {}, .simd = level, .bf16 = false, .vnni = vnni};
          std::vector<float> found(expected.size(), -1.0f);
          const Int8LinearResult result{ones.data(), zeros.data(), reinterpret_cast<std::byte*>(found.data()), c.out, false, 0};
          const std::string what =
              fmt::format("{} to {}, density {}, {} rows, {}, vnni {}", c.in, c.out, c.density, rows, own_name("", level), vnni);

          const ThreadScope threads(kThreads);
          std::vector<std::byte> scratch(int8_csr_linear_scratch_bytes(c.in) + 64);
          int8_csr_linear_kernel(instructions)({.source = source.data(),
                                                .weight = index.rows_of(weight),
                                                .result = result,
                                                .scratch = aligned(scratch),
                                                .rows = rows,
                                                .in = c.in});
          ASSERT_EQ(found, expected) << what << ", compressed rows";

          std::ranges::fill(found, -1.0f);
          scratch.resize(int8_csc_linear_scratch_bytes(c.out, kThreads) + 64);
          int8_csc_linear_kernel(instructions)({.source = source.data(),
                                                .weight = columns_in(columns, weight),
                                                .result = result,
                                                .scratch = aligned(scratch),
                                                .rows = rows,
                                                .in = c.in});
          ASSERT_EQ(found, expected) << what << ", compressed columns";

          std::ranges::fill(found, -1.0f);
          scratch.resize(int8_sparse_linear_scratch_bytes(rows, kThreads) + 64);
          int8_sparse_linear_kernel(instructions)({.source = source.data(),
                                                   .mask = weight.mask.values<std::uint8_t>().data(),
                                                   .values = weight.data.values<std::int8_t>(),
                                                   .starts = starts.data(),
                                                   .result = result,
                                                   .scratch = aligned(scratch),
                                                   .rows = rows,
                                                   .in = c.in,
                                                   .mask_bytes = alexnet::rows(weight.shape).mask_bytes});
          ASSERT_EQ(found, expected) << what << ", masks";
        }
      }
    }
  }
}

// Values are read in whole vectors, but not beyond the last one: here it stands before a page that must not be touched.
TEST(SparseLinear, StaysInsideItsValues) {
  Model model = test::generated_model(
      {.inputs = {{"data", {4096}}}, .nodes = {{"fc", Linear{.out_features = 8, .bias = false}, {"data"}}}, .outputs = {"fc"}});
  Tensor ones = Tensor::zeros({8, 4096});
  std::ranges::fill(ones.mutable_values<float>(), 1.0f);
  Weight weight = stored(ones, Storage::int8_sparse);
  const std::size_t bytes = weight.data.byte_count();
  ASSERT_EQ(bytes, 8u * 4096u);
  void* const pages = ::mmap(nullptr, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  std::memcpy(pages, weight.data.bytes().data(), bytes);
  ASSERT_EQ(::mprotect(static_cast<std::byte*>(pages) + bytes, 4096, PROT_NONE), 0);
  const std::shared_ptr<void> owner(pages, [bytes](void* memory) { ::munmap(memory, bytes + 4096); });
  weight.data = Tensor::view(ElementType::i8, weight.data.shape(), {static_cast<const std::byte*>(pages), bytes}, owner);
  model.weights.at("fc.weight") = weight;
  EXPECT_NO_THROW(test::run(model, {test::generated_tensor({9, 4096}, "data", 1)}));
}

}  // namespace
}  // namespace alexnet
