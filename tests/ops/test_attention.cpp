#include <xgrad/core/allocator.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/core/random.hpp>
#include <xgrad/ops/attention.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/softmax.hpp>

#include <cmath>
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

}  // namespace

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
