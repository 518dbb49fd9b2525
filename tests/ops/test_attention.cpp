#include <xgrad/array/random.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/allocator.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/attention.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/softmax.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

Tensor normal(const Shape& shape, std::uint64_t seed) {
  Tensor x = empty(shape);
  Generator(seed).normal(x.data<float>(), x.numel(), 0, 1);
  return x.requires_grad_();
}

/// The result and the gradients of q, k and v, one after the other.
std::vector<float> all_values(const Shape& q_shape, const Shape& k_shape, bool causal) {
  const Tensor q = normal(q_shape, 1), k = normal(k_shape, 2), v = normal(k_shape, 3);
  const Tensor y = scaled_dot_product_attention(q, k, v, {.causal = causal});
  y.backward(normal(y.shape(), 4).detach());
  std::vector<float> all;
  for (const Tensor& t : {y.detach(), q.grad(), k.grad(), v.grad()}) {
    const Tensor memory = t.contiguous();
    all.insert(all.end(), memory.data<float>(), memory.data<float>() + memory.numel());
  }
  return all;
}

/// y, and the gradients of q, k and v.
std::vector<Tensor> attended(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& upstream,
                             const AttentionOptions& options, bool recorded) {
  std::vector<Tensor> in;
  for (const Tensor& x : {q, k, v}) in.push_back(x.detach().requires_grad_());
  const Tensor y = scaled_dot_product_attention(in[0], in[1], in[2], options);
  std::vector<Tensor> all = grad(y, in, {.create_graph = recorded, .grad_outputs = {upstream}});
  all.insert(all.begin(), y);
  for (Tensor& x : all) x = x.detach();
  return all;
}

/// Whether rows first to last of a matrix are those of another, within 1e-5.
bool same_rows(const Tensor& a, const Tensor& b, std::int64_t first, std::int64_t last) {
  const Floats x = values<float>(a), y = values<float>(b);
  for (std::int64_t i = first * a.size(-1); i < last * a.size(-1); ++i)
    if (!(std::abs(x[static_cast<std::size_t>(i)] - y[static_cast<std::size_t>(i)]) <= 1e-5)) return false;
  return true;
}

}  // namespace

TEST_CASE("scaled_dot_product_attention: equal scores of any size share the weight") {
  for (const DType dtype : {float32, float64})
    for (const double size : {1.1, 33.3, 333.3, 3000.3, 1e5, 3e9, 1e15})
      for (const std::int64_t keys : {1, 4, 70})
        for (const bool recorded : {false, true}) {
          CAPTURE(name(dtype), size, keys, recorded);
          const std::int64_t queries = 70;
          const Tensor q = full({queries, 2}, size, {.dtype = dtype}),
                       k = full({keys, 2}, 1.1 * size, {.dtype = dtype});
          const Tensor v = full({keys, 1}, 2, {.dtype = dtype}), ones = full({queries, 1}, 1, {.dtype = dtype});
          const auto [y, dq, dk, dv] = [&] {
            const auto all = attended(q, k, v, ones, {.scale = 0.7}, recorded);
            return std::array{all[0].to(float64), all[1].to(float64), all[2].to(float64), all[3].to(float64)};
          }();
          const double share = static_cast<double>(queries) / static_cast<double>(keys);
          for (const double one : values<double>(y)) REQUIRE(one == Approx(2).epsilon(1e-6));
          for (const double one : values<double>(dv)) REQUIRE(one == Approx(share).epsilon(1e-5));
          for (const double one : values<double>(dq)) REQUIRE(std::abs(one) <= 1e-5 * size);
          for (const double one : values<double>(dk)) REQUIRE(std::abs(one) <= 1e-4 * size);
        }
}

TEST_CASE("scaled_dot_product_attention: what is hidden from a query has no part in it, NaN or infinite") {
  const std::int64_t width = 3;
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    for (const std::int64_t length : {2, 64, 65, 130})
      for (const std::int64_t at : {std::int64_t{1}, length / 2, length - 1})
        for (const bool recorded : {false, true}) {
          if (recorded && length > 65) continue;
          CAPTURE(odd, length, at, recorded);
          const auto make = [&](std::uint64_t seed) { return normal({length, width}, seed).detach(); };
          const Tensor q = make(1), k = make(2), v = make(3), g = make(4);
          const auto changed = [&](const Tensor& x) {
            Tensor copy = x.clone();
            copy.data<float>()[at * width + 1] = odd;
            return copy;
          };
          const AttentionOptions causal{.causal = true};
          const auto want = attended(q, k, v, g, causal, recorded);
          const auto by_q = attended(changed(q), k, v, g, causal, recorded);
          CHECK((same_rows(by_q[0], want[0], 0, at) && same_rows(by_q[0], want[0], at + 1, length)));
          CHECK((same_rows(by_q[1], want[1], 0, at) && same_rows(by_q[1], want[1], at + 1, length)));
          CHECK((same_rows(by_q[2], want[2], at + 1, length) && same_rows(by_q[3], want[3], at + 1, length)));
          for (const auto& got :
               {attended(q, changed(k), v, g, causal, recorded), attended(q, k, changed(v), g, causal, recorded)})
            CHECK((same_rows(got[0], want[0], 0, at) && same_rows(got[1], want[1], 0, at)));
          CHECK(same_rows(attended(q, k, changed(v), g, causal, recorded)[3], want[3], 0, length));
          const auto by_g = attended(q, k, v, changed(g), causal, recorded);
          CHECK((same_rows(by_g[1], want[1], 0, at) && same_rows(by_g[1], want[1], at + 1, length)));
          CHECK((same_rows(by_g[2], want[2], at + 1, length) && same_rows(by_g[3], want[3], at + 1, length)));
        }
}

TEST_CASE("scaled_dot_product_attention: scores that are not finite, as PyTorch 2.13") {
  const struct {
    Doubles q, k;  // (1, 2), (2, 2)
    double y;      // of the values 1 and 2
    Doubles dq, dv;
  } rows[] = {
      {{-inf, -inf}, {1, 1, 1, 1}, 0, {0, 0}, {0, 0}},  // all scores -inf
      {{-1e30, 0}, {1e30, 1, 1e30, 1}, 0, {0, 0}, {0, 0}},       {{1, 1}, {-inf, 1, 0, 1}, 2, {NaN, 0}, {0, 1}},
      {{1e30, 1}, {1e30, 1, 0, 1}, NaN, {NaN, NaN}, {NaN, NaN}}, {{-inf, 0}, {1, 1, 0, 1}, NaN, {NaN, NaN}, {NaN, NaN}},
  };
  const auto as_doubles = [](const Tensor& x) { return values<double>(x.to(float64)); };
  for (const auto& row : rows)
    for (const bool recorded : {false, true}) {
      CAPTURE(row.q, row.k, recorded);
      const auto all =
          attended(from_values<double>(row.q, {1, 2}).to(float32), from_values<double>(row.k, {2, 2}).to(float32),
                   tensor({{1.0}, {2.0}}), ones({1, 1}), {}, recorded);
      CHECK(alike(as_doubles(all[0]), {row.y}));
      CHECK(alike(as_doubles(all[1]), row.dq));
      CHECK(alike(as_doubles(all[3]), row.dv));
    }
}

TEST_CASE("scaled_dot_product_attention: leading axes broadcast") {
  const Tensor q = normal({2, 1, 5, 4}, 1), k = normal({3, 6, 4}, 2), v = normal({6, 2}, 3);
  const Tensor y = scaled_dot_product_attention(q, k, v), upstream = normal({2, 3, 5, 2}, 4).detach();
  CHECK(y.shape() == Shape{2, 3, 5, 2});
  y.backward(upstream);
  const auto wide = [](const Tensor& x, const Shape& shape) { return expand(x, shape).detach().clone(); };
  const auto want = attended(wide(q, {2, 3, 5, 4}), wide(k, {2, 3, 6, 4}), wide(v, {2, 3, 6, 2}), upstream, {}, false);
  CHECK(values<float>(y) == values<float>(want[0]));
  const auto agrees = [](const Tensor& a, const Tensor& b) {
    const Floats got = values<float>(a), right = values<float>(sum_to(b, a.shape()));
    for (std::size_t i = 0; i < got.size(); ++i)
      if (std::abs(got[i] - right[i]) > 1e-5) return false;
    return true;
  };
  CHECK(agrees(q.grad(), want[1]));
  CHECK(agrees(k.grad(), want[2]));
  CHECK(agrees(v.grad(), want[3]));
  CHECK_THROWS_WITH(scaled_dot_product_attention(ones({2, 1, 2}), ones({3, 1, 2}), ones({3, 1, 2})),
                    Catch::Contains("(2,) and (3,) do not broadcast"));
}

TEST_CASE("scaled_dot_product_attention: one, two and four threads give the same bits") {
  const int before = num_threads();
  for (const bool causal : {false, true}) {
    set_num_threads(1);
    const auto expected = all_values({3, 4, 150, 16}, {3, 4, 200, 16}, causal);
    for (const int threads : {2, 4}) {
      set_num_threads(threads);
      CHECK((all_values({3, 4, 150, 16}, {3, 4, 200, 16}, causal) == expected));
    }
  }
  set_num_threads(before);
}

TEST_CASE("scaled_dot_product_attention: the axes of results and gradients lie in memory as those of q, k and v") {
  const Tensor qkv = normal({2, 5, 3, 4, 8}, 1);  // as a linear layer gives them: batch, length, which, head, width
  const auto parts = split(qkv, 1, 2);
  const auto part = [&](std::size_t i) { return transpose(squeeze(parts[i], 2), 1, 2); };
  const Tensor y = scaled_dot_product_attention(part(0), part(1), part(2), {.causal = true});
  CHECK(y.shape() == Shape{2, 4, 5, 8});
  CHECK(transpose(y, 1, 2).is_contiguous());
  // The first query sees the first key alone.
  const Tensor first = select(y, 2, 0), value = select(part(2), 2, 0);
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t head = 0; head < 4; ++head)
      CHECK(select(select(select(first, 0, i), 0, head), 0, 3).item() ==
            Approx(select(select(select(value, 0, i), 0, head), 0, 3).item()));
  y.backward(ones_like(y));
  CHECK(qkv.grad().shape() == qkv.shape());
}

TEST_CASE("scaled_dot_product_attention: memory grows with the length, not with its square") {
  const auto peak_of = [](std::int64_t length) {
    const Tensor q = normal({1, 1, length, 8}, 1), k = normal({1, 1, length, 8}, 2), v = normal({1, 1, length, 8}, 3);
    reset_peak_memory();
    const auto before = memory_stats().live_bytes;
    const Tensor y = scaled_dot_product_attention(q, k, v);
    y.backward(ones_like(y));
    return static_cast<double>(memory_stats().peak_bytes - before);
  };
  CHECK(peak_of(4096) < 2.5 * peak_of(2048));
}

TEST_CASE("scaled_dot_product_attention: large scores neither overflow nor vanish") {
  const Tensor q = full({1, 4}, 100), k = tensor({{100.0, 100.0, 100.0, 100.0}, {-100.0, 0.0, 0.0, 0.0}}),
               v = tensor({{1.0, 2.0}, {3.0, 4.0}});
  const Tensor y = scaled_dot_product_attention(q, k, v);
  CHECK(y.data<float>()[0] == 1);
  CHECK(y.data<float>()[1] == 2);
}

TEST_CASE("scaled_dot_product_attention: what a mask, a window or a place hides has no part, NaN or not") {
  const std::int64_t length = 70, width = 3;
  const auto make = [&](std::uint64_t seed) { return normal({length, width}, seed).detach(); };
  const Tensor q = make(1), k = make(2), v = make(3), g = make(4);
  const std::int64_t at = 40;
  Tensor odd_k = k.clone(), odd_v = v.clone(), mask = ones({length, length}, {.dtype = bool_});
  odd_k.data<float>()[at * width] = odd_v.data<float>()[at * width] = std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t row = 0; row < length; ++row) mask.data<bool>()[row * length + at] = row == at;
  const struct {
    AttentionOptions options;
    std::int64_t first, last;  // the queries that see the key
  } cases[] = {{{.mask = mask}, at, at + 1},
               {{.causal = true, .window = 5}, at, at + 5},
               {{.causal = true, .query_offset = 10}, at - 10, length}};
  for (const auto& [options, first, last] : cases)
    for (const bool recorded : {false, true}) {
      CAPTURE(first, last, recorded);
      const auto want = attended(q, k, v, g, options, recorded), got = attended(q, odd_k, odd_v, g, options, recorded);
      for (const std::size_t which : {0, 1})
        CHECK((same_rows(got[which], want[which], 0, first) && same_rows(got[which], want[which], last, length)));
      CHECK(std::isnan(got[0].at({first, 0})));
    }
}

TEST_CASE(
    "scaled_dot_product_attention: a query from which all keys are hidden gives 0, and gets and gives no gradient") {
  const Tensor mask = tensor({{false, false}, {true, false}});
  const auto make = [](std::uint64_t seed) { return normal({2, 2}, seed).detach(); };
  for (const bool recorded : {false, true}) {
    const auto all = attended(make(1), make(2), make(3), make(4), {.mask = mask}, recorded);
    CHECK((all[0].at({0, 0}) == 0 && all[1].at({0, 0}) == 0 && all[3].at({1, 0}) == 0));
    CHECK(all[0].at({1, 1}) == Approx(make(3).at({0, 1})));
  }
}

TEST_CASE("scaled_dot_product_attention: dropout drops weights, keeps their mean, and is the same in all derivatives") {
  const auto make = [](std::uint64_t seed) { return normal({2, 65, 4}, seed).detach(); };
  manual_seed(3);
  const auto fused = attended(make(1), make(2), make(3), make(4), {.causal = true, .dropout = 0.3}, false);
  manual_seed(3);
  const auto composed = attended(make(1), make(2), make(3), make(4), {.causal = true, .dropout = 0.3}, true);
  for (std::size_t i = 0; i < fused.size(); ++i)
    CHECK(same_rows(reshape(fused[i], {130, 4}), reshape(composed[i], {130, 4}), 0, 130));
  const Tensor zero = zeros({1, 200, 1}),
               kept = scaled_dot_product_attention(zero, zeros({1, 300, 1}), ones({1, 300, 1}), {.dropout = 0.25});
  double mean = 0;
  for (const float one : values<float>(kept)) mean += static_cast<double>(one) / 200;
  CHECK(mean == Approx(1).epsilon(0.02));
  CHECK(values<float>(scaled_dot_product_attention(zero, zero, ones({1, 200, 1}), {.dropout = 1})) == Floats(200, 0));
}
