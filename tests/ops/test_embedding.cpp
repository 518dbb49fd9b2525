#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/nn/embedding.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

TEST_CASE("embedding: the row of padding_idx has no gradient") {
  const Tensor weight = ones({3, 2}, {.requires_grad = true});
  embedding(tensor({0, 2, 2}), weight, {.padding_idx = -1}).backward(full({3, 2}, NAN));
  CHECK(std::isnan(weight.grad().at({0, 0})));
  CHECK(values<float>(select(weight.grad(), 0, 2)) == Floats{0, 0});
}

TEST_CASE("embedding: gradients by frequency") {
  const Tensor weight = ones({3, 1}, {.requires_grad = true}), g = tensor({{1.0}, {2.0}, {5.0}});
  embedding(tensor({2, 0, 2}), weight, {.scale_grad_by_freq = true}).backward(g);
  CHECK(values<float>(weight.grad()) == Floats{2, 0, 3});
}

TEST_CASE("embedding: max_norm scales the rows that are used, in place") {
  const Tensor weight = tensor({{3.0, 4.0}, {30.0, 40.0}, {0.3, 0.4}}, {.requires_grad = true});
  const Tensor y = embedding(tensor({0, 2, 0}), weight, {.max_norm = 1});
  const Floats now = values<float>(weight);
  CHECK(now[0] == Approx(0.6));
  CHECK(now[1] == Approx(0.8));
  CHECK((now[2] == 30 && now[3] == 40 && now[4] == 0.3F && now[5] == 0.4F));
  CHECK(values<float>(y)[0] == now[0]);
  y.backward(ones_like(y));
  CHECK(values<float>(weight.grad()) == Floats{2, 2, 0, 0, 1, 1});
}

TEST_CASE("embedding: 16-bit tables, and bit-equal gradients for any number of threads") {
  const int before = num_threads();
  const Tensor at = tensor({3, 1, 3, 3, 0}), table = arange(12, {.dtype = float32}).to(bfloat16);
  const Tensor weight = reshape(table, {4, 3}).detach().requires_grad_();
  const Tensor y = embedding(at, weight);
  CHECK(y.dtype() == bfloat16);
  CHECK(values<float>(y.to(float32))[0] == 9);
  y.backward(ones_like(y));
  CHECK(values<float>(weight.grad().to(float32)) == Floats{1, 1, 1, 1, 1, 1, 0, 0, 0, 3, 3, 3});

  Generator generator(1);
  const Tensor many = randint(0, 50, {3000}, {.generator = &generator}),
               g = randn({3000, 70}, {.generator = &generator});
  const auto gradient = [&](int threads) {
    set_num_threads(threads);
    const Tensor w = ones({50, 70}, {.requires_grad = true});
    embedding(many, w).backward(g);
    return values<float>(w.grad());
  };
  const Floats one = gradient(1);
  CHECK(gradient(2) == one);
  CHECK(gradient(4) == one);
  set_num_threads(before);
}

TEST_CASE("Embedding and EmbeddingBag: names, first values, padding") {
  const nn::Embedding embed(4, 3, {.padding_idx = 1});
  CHECK(nn::named_parameters(embed).front().first == "weight");
  CHECK(values<float>(select(embed.weight, 0, 1)) == Floats{0, 0, 0});
  CHECK(embed(tensor({{1, 2}})).shape() == Shape{1, 2, 3});
  const nn::EmbeddingBag bag(4, 3, {.mode = BagMode::sum, .padding_idx = 1});
  CHECK(values<float>(bag(tensor({{1, 1}}))) == Floats{0, 0, 0});
  CHECK_THROWS_WITH(nn::Embedding(4, 3, {.padding_idx = 4}),
                    Catch::StartsWith("Embedding: padding_idx is 4, and there are 4 rows"));
}
