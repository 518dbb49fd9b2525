#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/product.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

Tensor counted(const Shape& shape) { return reshape(arange(shape.numel(), {.dtype = float64}), shape); }

}  // namespace

TEST_CASE("sum: axes are spelled as a number, a list, a Shape, or not at all") {
  const Tensor x = counted({2, 3, 4});
  CHECK(sum(x).item() == 276);
  CHECK(sum(x, {}).item() == 276);
  CHECK(sum(x, {}, {.keepdim = true}).shape() == Shape{1, 1, 1});
  CHECK(values<double>(sum(x, 2)) == Doubles{6, 22, 38, 54, 70, 86});
  CHECK(sum(x, 2).shape() == Shape{2, 3});
  CHECK(values<double>(sum(x, {0, 2})) == Doubles{60, 92, 124});
  CHECK(sum(x, {0, 2}, {.keepdim = true}).shape() == Shape{1, 3, 1});
  CHECK(values<double>(sum(x, {-1, 0})) == Doubles{60, 92, 124});
  CHECK(values<double>(sum(x, Shape{0, 2})) == Doubles{60, 92, 124});
  CHECK(sum(x, {1}, {.keepdim = true}).shape() == Shape{2, 1, 4});
  CHECK(sum(x, x.dim() - 1).shape() == Shape{2, 3});
}

TEST_CASE("sum: of comparisons it counts, as accuracy does") {
  const Tensor scores = tensor({{1.0, 3.0, 2.0}, {9.0, 0.0, 1.0}, {0.0, 1.0, 5.0}}), y = integers({1, 2, 2});
  CHECK(sum(argmax(scores, 1) == y).item<std::int64_t>() == 2);
}

TEST_CASE("reductions: dtypes of the results") {
  const Tensor whole = integers({1, 2, 4}), flags = bools({true, false, true}), single = ones({3});
  CHECK(sum(whole).dtype() == int64);
  CHECK(sum(flags).dtype() == int64);
  CHECK(sum(flags).item<std::int64_t>() == 2);
  CHECK(sum(single).dtype() == float32);
  CHECK(mean(whole).dtype() == float32);
  CHECK(mean(whole).item() == Approx(7.0 / 3));
  CHECK(mean(flags).item() == Approx(2.0 / 3));
  CHECK(var(whole).dtype() == float32);
  CHECK(var(whole).item() == Approx(7.0 / 3));
  CHECK(stddev(flags, {}, {.correction = 0}).item() == Approx(std::sqrt(2) / 3));
  CHECK(count_nonzero(single).dtype() == int64);
  CHECK(all(whole).dtype() == bool_);
}

TEST_CASE("reductions: are made in the dtype that options name") {
  const Tensor x = tensor({16777216.0, 1.0, 1.0}), i = integers({1, 2, -2}), b = bools({1, 0, 1});
  CHECK(sum(x, {}, {.dtype = float64}).dtype() == float64);
  CHECK(sum(x, {}, {.dtype = float64}).item() == 16777218);
  CHECK(values<std::int64_t>(sum(tensor({1.75, 2.75}), 0, {.keepdim = true, .dtype = int64})) == Integers{3});
  CHECK(sum(i, {}, {.dtype = float64}).dtype() == float64);
  CHECK(sum(b, {}, {.dtype = float32}).item() == 2);
  CHECK(sum(i, {}, {.dtype = bool_}).dtype() == bool_);
  CHECK(sum(i, {}, {.dtype = bool_}).item<bool>());  // of 3 elements that are not 0, though they add up to 1
  CHECK(mean(x, {}, {.dtype = float64}).item() == 16777218.0 / 3);
  CHECK(mean(i, {}, {.dtype = float64}).item() == 1.0 / 3);
  CHECK_THROWS_WITH(mean(x, {}, {.dtype = int64}), Catch::Contains("mean: of dtype int64"));
  CHECK(prod(integers({3, 5}), {}, {.dtype = float64}).item() == 15);
  CHECK(prod(full({2}, 1e30), {}, {.dtype = float64}).item() == Approx(1e60));
  CHECK(prod(i, {}, {.dtype = bool_}).dtype() == bool_);
  const Tensor w = tensor({1.0, 2.0}, {.requires_grad = true});
  sum(w, {}, {.dtype = float64}).backward();
  CHECK(w.grad().dtype() == float32);
}

TEST_CASE("reductions: moments of integers do not pass through float32") {
  const Tensor x = integers({100000001, 100000002, 100000003});
  CHECK(mean(x).dtype() == float32);
  CHECK(mean(x).item<float>() == 100000002.0f);
  CHECK(var(x).item<float>() == 1);
  CHECK(stddev(x).item<float>() == 1);
  CHECK(var(x).dtype() == float32);
  CHECK(mean(bools({1, 0, 1, 1})).item<float>() == 0.75f);
}

TEST_CASE("reductions: of no elements") {
  const Tensor none = zeros({0}), rows = zeros({2, 0}, {.dtype = float64}), columns = zeros({0, 2});
  CHECK(sum(none).item() == 0);
  CHECK(values<double>(sum(rows, 1)) == Doubles{0, 0});
  CHECK(sum(columns, 1).shape() == Shape{0});
  CHECK(std::isnan(mean(none).item()));
  CHECK(alike(values<double>(mean(rows, 1)), {NaN, NaN}));
  CHECK(std::isnan(var(none).item()));
  CHECK(all(none).item<bool>());
  CHECK_FALSE(any(none).item<bool>());
  CHECK(count_nonzero(none).item() == 0);

  Tensor leaf = zeros({2, 0}, {.requires_grad = true});
  sum(mean(leaf, 1)).backward();
  CHECK(leaf.grad().shape() == Shape{2, 0});
}

TEST_CASE("var and stddev: of one element, of equal ones, and with more correction than elements, as PyTorch") {
  CHECK(std::isnan(var(doubles({3})).item()));
  CHECK(std::isinf(var(doubles({1, 2}), {}, {.correction = 2}).item()));
  CHECK(std::isinf(var(doubles({1, 2}), {}, {.correction = 3}).item()));
  const Tensor equal = doubles({2, 2, 2});
  CHECK(var(equal).item() == 0);
  stddev(equal).backward();
  CHECK(values<double>(equal.grad()) == Doubles{0, 0, 0});
}

TEST_CASE("var: small deviations from a large mean are not lost") {
  const Tensor x = tensor({100000.0, 100001.0, 100002.0, 100003.0});
  CHECK(var(x).item() == Approx(5.0 / 3).epsilon(1e-6));
  const Tensor many = full({64, 3000}, 4096.25);
  CHECK(values<float>(var(many, 1)) == Floats(64, 0));
  CHECK(var(full({300'000}, 0.1)).item() < 1e-14);  // the square of what the means of blocks are rounded by
}

TEST_CASE("var: over any axes, in blocks and across them, as two passes in double have it") {
  const std::vector<std::pair<Shape, Axes>> cases = {
      {{70001}, {}},         {{3, 40000}, {1}},     {{19, 200}, {1}},           {{40000, 3}, {0}},
      {{300, 1030}, {0}},    {{300, 1030}, {1}},    {{300, 1030}, {}},          {{4, 5, 700, 7}, {0, 2}},
      {{4, 5, 700, 7}, {1}}, {{4, 5, 700, 7}, {0}}, {{4, 5, 700, 7}, {0, 2, 3}}};
  for (const auto& [shape, axes] : cases) {
    CAPTURE(shape);
    const Tensor x = randn(shape) + 100, wide = x.to(float64);
    const Tensor apart = wide - mean(wide, axes, {.keepdim = true});
    const Doubles want = values<double>(mean(apart * apart, axes));
    const Floats got = values<float>(var(x, axes, {.correction = 0}));
    const Doubles got_wide = values<double>(var(wide, axes, {.correction = 0}));
    REQUIRE(got.size() == want.size());
    double worst = 0, worst_wide = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      worst = std::max(worst, std::abs(got[i] / want[i] - 1));
      worst_wide = std::max(worst_wide, std::abs(got_wide[i] / want[i] - 1));
    }
    CHECK(worst < 2e-6);
    CHECK(worst_wide < 1e-14);
  }
}

TEST_CASE("reductions: a transposed tensor gives what its copy gives") {
  const Tensor x = randn({3, 5, 7, 4}, {.dtype = float64}),
               moved = permute(permute(x, {0, 2, 3, 1}).contiguous(), {0, 3, 1, 2});
  REQUIRE_FALSE(moved.is_contiguous());
  for (const Axes& axes : {Axes{}, Axes{1}, Axes{2}, Axes{0, 2, 3}, Axes{0, 2}, Axes{1, 3}, Axes{0, 1}})
    for (const bool keepdim : {false, true}) {
      CAPTURE(axes.numbers(), keepdim);
      CHECK(sum(moved, axes, {.keepdim = keepdim}).shape() == sum(x, axes, {.keepdim = keepdim}).shape());
      CHECK(alike(values<double>(sum(moved, axes, {.keepdim = keepdim})), values<double>(sum(x, axes))));
      CHECK(alike(values<double>(var(moved, axes, {.keepdim = keepdim})), values<double>(var(x, axes))));
      CHECK(alike(values<double>(amax(moved, axes, {.keepdim = keepdim})), values<double>(amax(x, axes))));
    }
}

TEST_CASE("sum: an expanded tensor is summed as if it were copied") {
  const Tensor row = doubles({1, 2, 3});
  CHECK(values<double>(sum(expand(row, {4, 3}), 0)) == Doubles{4, 8, 12});
  CHECK(values<double>(sum(expand(row, {4, 3}), 1)) == Doubles{6, 6, 6, 6});
}

TEST_CASE("all, any, count_nonzero: NaN is not 0") {
  const Tensor x = doubles({{0, NaN}, {0, 0}, {1, -2}});
  CHECK(values<std::int64_t>(count_nonzero(x, 1)) == Integers{1, 0, 2});
  CHECK(values<bool>(all(x, 1)) == Bools{false, false, true});
  CHECK(values<bool>(any(x, 1)) == Bools{true, false, true});
  CHECK(any(x, 0, {.keepdim = true}).shape() == Shape{1, 2});
}

TEST_CASE("reductions: infinities and NaN as IEEE arithmetic has them") {
  CHECK(std::isnan(sum(doubles({inf, -inf})).item()));
  CHECK(sum(doubles({inf, 1})).item() == inf);
  CHECK(std::isnan(mean(doubles({NaN, 1})).item()));
  CHECK(std::isnan(var(doubles({inf, 1})).item()));
}

TEST_CASE("reductions: errors name the operation, the axis and the shape") {
  const Tensor x = ones({2, 3});
  CHECK_THROWS_WITH(sum(x, 2), Catch::Contains("sum: axis 2 is out of range for a tensor with 2 axes"));
  CHECK_THROWS_WITH(mean(x, {0, -2}), Catch::Contains("mean: axis 0 is named twice in (0, -2)"));
  CHECK_THROWS_WITH(var(x, -3), Catch::Contains("var: axis -3"));
  CHECK_THROWS_AS(stddev(Tensor()), Error);
}

TEST_CASE("reductions: the same bits with any number of threads") {
  const int before = num_threads();
  const Tensor x = randn({40, 30, 700});
  const auto run = [&](int threads) {
    set_num_threads(threads);
    Floats all = values<float>(sum(x));
    for (const Axes& axes : {Axes{0}, Axes{1}, Axes{2}, Axes{0, 2}, Axes{}}) {
      for (const Tensor& y : {mean(x, axes), var(x, axes), stddev(x, axes)}) {
        const Floats more = values<float>(y);
        all.insert(all.end(), more.begin(), more.end());
      }
    }
    return all;
  };
  const Floats one = run(1);
  CHECK(run(2) == one);
  CHECK(run(5) == one);
  set_num_threads(before);
}
