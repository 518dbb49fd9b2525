// Variance, standard deviation and the layers that normalise held against long double: of data whose mean is large
// against their spread, or whose squares or sums their type cannot hold, in every layout.
#include <xgrad/array/random.hpp>
#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/group_norm.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/layer_norm.hpp>
#include <xgrad/ops/normalization.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include <algorithm>
#include <cstring>
#include <functional>

#include "../catch.hpp"
#include "accuracy.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

using Real = long double;
using Reals = std::vector<Real>;

/// Element `i` of data for T, `normal` and `uniform` (in [-1, 1)) being random.
template <class T>
struct Data {
  const char* name;
  std::function<double(std::int64_t i, double normal, double uniform)> element;
  bool constant = false;
};
template <class T>
std::vector<Data<T>> kinds_of_data() {
  constexpr bool single = std::is_same_v<T, float>;
  const double base = single ? 1e7 : 1e15, large = single ? 1e19 : 1e200, tiny = single ? 1e-25 : 1e-200,
               most = single ? 1e38 : 5e307, orders = single ? 8 : 30;
  return {{"ordinary", [](auto, double normal, double) { return normal; }},
          {"a mean of 1e4", [](auto, double normal, double) { return 1e4 + normal; }},
          {"few integers, large", [=](auto i, double, double) { return base + static_cast<double>(i % 5); }},
          {"equal", [](auto, double, double) { return 2.4446; }, true},
          {"equal and large", [](auto, double, double) { return 10000.3; }, true},
          {"two numbers", [=](auto, double, double uniform) { return uniform < 0 ? -large : large; }},
          {"tiny", [=](auto, double normal, double) { return tiny * normal; }},
          {"huge", [=](auto, double, double uniform) { return most * uniform; }},
          {"huge and of one sign", [=](auto, double, double uniform) { return most * (0.75 + uniform / 4); }},
          {"of all magnitudes",
           [=](auto, double normal, double uniform) { return normal * std::pow(10, orders * uniform); }},
          {"a first one far away", [](auto i, double normal, double) { return i == 0 ? 1e4 : normal; }},
          {"rising", [=](auto i, double, double) { return base / 10 + static_cast<double>(i); }}};
}

/// A shape and, for each of its elements in row-major order, the number of the result it is reduced to.
struct Groups {
  Shape shape;
  Shape axes;  // that are reduced
  std::vector<std::int64_t> of;
  std::int64_t count = 1;

  Groups(const Shape& of_shape, const Shape& over)
      : shape(of_shape), axes(over), of(static_cast<std::size_t>(of_shape.numel())) {
    for (std::size_t i = 0; i < of.size(); ++i) {
      std::int64_t rest = static_cast<std::int64_t>(i), step = 1;
      for (std::size_t axis = shape.size(); axis-- > 0; rest /= shape[axis])
        if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) == axes.end())
          of[i] += rest % shape[axis] * step, step *= shape[axis];
      count = step;
    }
  }
  std::int64_t size() const { return shape.numel() / count; }
  /// For each group the sum of term(i).
  template <class Term>
  Reals sums(const Term& term) const {
    Reals all(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < of.size(); ++i) all[static_cast<std::size_t>(of[i])] += term(i);
    return all;
  }
  template <class Term>
  Reals means(const Term& term) const {
    Reals all = sums(term);
    for (Real& mean : all) mean /= static_cast<Real>(size());
    return all;
  }
  std::size_t at(std::size_t i) const { return static_cast<std::size_t>(of[i]); }
};

/// Deviations from the means of groups, and the sums of their squares.
struct Spread {
  Reals means, apart, squares;

  template <class T>
  Spread(const Groups& groups, const std::vector<T>& x) : means(groups.means([&](auto i) { return Real(x[i]); })) {
    const Reals off = groups.means([&](auto i) { return Real(x[i]) - means[groups.at(i)]; });
    for (std::size_t i = 0; i < x.size(); ++i) apart.push_back(x[i] - means[groups.at(i)] - off[groups.at(i)]);
    squares = groups.sums([&](auto i) { return apart[i] * apart[i]; });
  }
};

enum class Layout { dense, transposed, sliced, channels_last };

/// A tensor of this shape and these elements in row-major order, which lies otherwise in memory.
template <class T>
Tensor laid(const std::vector<T>& values, const Shape& shape, Layout layout) {
  const Tensor x = from_values<T>(values, shape);
  Shape order;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) order.push_back(static_cast<std::int64_t>(axis));
  if (layout == Layout::sliced) {
    const std::int64_t last = static_cast<std::int64_t>(shape.size()) - 1;
    return slice(concat({full_like(x, 7), x, x}, last), last, x.size(-1), 2 * x.size(-1));
  }
  if (layout == Layout::transposed) std::reverse(order.begin(), order.end());
  if (layout == Layout::channels_last)
    std::rotate(order.begin() + (shape.size() > 1), order.begin() + (shape.size() > 1) + (shape.size() > 2),
                order.end());
  Shape back = order;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    back[static_cast<std::size_t>(order[axis])] = static_cast<std::int64_t>(axis);
  return permute(permute(x, order).contiguous(), back);
}

/// Checks that no error is beyond `bound` units in the last place of what `scale` is there.
template <class T>
void check_units(const std::string& result, const Tensor& got, const Reals& want, const Reals& scale, double bound) {
  const std::vector<T> found = values<T>(got);
  REQUIRE(found.size() == want.size());
  double worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const T rounded = static_cast<T>(want[i]);
    if (std::isinf(rounded) && found[i] == rounded) continue;
    worst = std::max(worst, units<T>(found[i], want[i], std::fabs(scale[i])));
  }
  INFO(result << ": off by " << worst << " units in the last place");
  CHECK(worst <= bound);
}

template <class T>
std::vector<T> random(std::int64_t n, std::uint64_t seed) {
  std::vector<T> all(static_cast<std::size_t>(n));
  Generator(seed).normal(all.data(), n, 0, 1);
  return all;
}

template <class T>
std::vector<T> elements(const Data<T>& data, const Groups& groups) {
  std::vector<double> uniform(groups.of.size());
  Generator(2).uniform(uniform.data(), groups.shape.numel(), -1, 1);
  const std::vector<double> normal = random<double>(groups.shape.numel(), 1);
  std::vector<std::int64_t> seen(static_cast<std::size_t>(groups.count));
  std::vector<T> x;
  for (std::size_t i = 0; i < groups.of.size(); ++i)
    x.push_back(static_cast<T>(data.element(seen[groups.at(i)]++, normal[i], uniform[i])));
  return x;
}

const std::vector<Groups>& groups_of_all_kinds() {
  static const std::vector<Groups> all{{{5}, {0}},
                                       {{17}, {0}},
                                       {{1000}, {0}},
                                       {{3, 1}, {1}},
                                       {{9, 2}, {1}},
                                       {{40, 31}, {1}},
                                       {{17, 70}, {1}},
                                       {{3, 1000}, {1}},
                                       {{4, 5, 17}, {1, 2}},
                                       {{31, 40}, {0}},
                                       {{100, 3}, {0}},
                                       {{1000, 2}, {0}},
                                       {{3, 17, 6}, {1}},
                                       {{5, 31, 3}, {0, 2}},
                                       {{31, 2, 3, 5}, {0, 2, 3}},
                                       {{3, 2, 10, 100}, {0, 2, 3}},
                                       {{2, 17, 3, 5}, {1, 3}},
                                       {{2, 70001}, {1}},
                                       {{70001, 2}, {0}}};
  return all;
}

std::vector<Layout> layouts(const Groups& groups) {
  if (groups.of.size() > 10000) return {Layout::dense};
  return {Layout::dense, Layout::transposed, Layout::sliced, Layout::channels_last};
}

template <class T, class F>
void for_all_data(const F& f) {
  for (const Data<T>& data : kinds_of_data<T>())
    for (const Groups& groups : groups_of_all_kinds()) {
      const std::vector<T> x = elements(data, groups);
      CAPTURE(data.name, groups.shape, groups.axes);
      f(data, groups, x, Spread(groups, x));
    }
}

/// Bounds of errors in units in the last place; of gradients, of what is usual among those of a result.
struct Bounds {
  double value, gradient;
  double parameters;  // gradients of weight and bias
  double recorded;    // the gradient with create_graph
};

template <class T>
void check_dispersions(const Bounds& bounds) {
  for_all_data<T>([&](const Data<T>& data, const Groups& groups, const std::vector<T>& x, const Spread& spread) {
    const auto n = static_cast<Real>(groups.size());
    const std::vector<T> upstream = random<T>(groups.count, 3);
    for (const int correction : {0, 1})
      for (const bool root : {false, true}) {
        if (groups.size() <= correction) continue;
        const Real divisor = n - static_cast<Real>(correction);
        Reals want, factors, gradient, scale;
        for (std::size_t k = 0; k < upstream.size(); ++k) {
          const Real variance = spread.squares[k] / divisor;
          want.push_back(root ? std::sqrt(variance) : variance);
          factors.push_back(variance == 0 ? 0 : upstream[k] / divisor * (root ? 1 / want[k] : 2));
        }
        for (std::size_t i = 0; i < x.size(); ++i) {
          const std::size_t k = groups.at(i);
          gradient.push_back(spread.apart[i] * factors[k]);
          scale.push_back(std::max(std::fabs(gradient[i]), std::sqrt(spread.squares[k] / n) * std::fabs(factors[k])));
        }
        for (const Layout layout : layouts(groups)) {
          CAPTURE(correction, static_cast<int>(layout));
          const Tensor input = laid(x, groups.shape, layout).requires_grad_();
          const VarOptions options{.correction = correction};
          const Tensor y = root ? stddev(input, groups.axes, options) : var(input, groups.axes, options);
          const std::string name = std::string(root ? "stddev, " : "var, ") + data.name;
          check_units<T>(name, y, want, want, bounds.value);
          if (data.constant) CHECK(all(y == 0).item<bool>());
          const Tensor u = from_values<T>(upstream, y.shape());
          check_units<T>(name + ", recorded gradient", grad(y, {input}, {.create_graph = true, .grad_outputs = {u}})[0],
                         gradient, scale, bounds.recorded);
          y.backward(u);
          check_units<T>(name + ", gradient", input.grad(), gradient, scale, bounds.gradient);
        }
      }
  });
}

/// Layer norm where the last axes are reduced, batch norm where all but the second are, group norm of one group where
/// all but the first are.
enum class Norm { layer, batch, group };

std::vector<Norm> norms_over(const Groups& groups) {
  const auto rank = static_cast<std::int64_t>(groups.shape.size()),
             count = static_cast<std::int64_t>(groups.axes.size());
  std::vector<Norm> found;
  if (groups.axes[0] == rank - count) found.push_back(Norm::layer);
  if (rank > 1 && count == rank - 1 && groups.axes[0] == 0 && groups.size() > 1) found.push_back(Norm::batch);
  if (rank > 1 && count == rank - 1 && groups.axes[0] == 1) found.push_back(Norm::group);
  return found;
}

template <class T>
void check_norms(const Bounds& bounds) {
  for_all_data<T>([&](const Data<T>& data, const Groups& groups, const std::vector<T>& x, const Spread& spread) {
    const auto n = static_cast<Real>(groups.size());
    const std::vector<T> upstream = random<T>(groups.shape.numel(), 3);
    for (const Norm norm : norms_over(groups))
      for (const double eps : {1e-5, 0.0})
        for (const bool affine : {false, true}) {
          if (eps == 0 && (data.constant || groups.size() == 1)) continue;
          const std::string name = (norm == Norm::layer   ? "layer_norm, "
                                    : norm == Norm::batch ? "batch_norm, "
                                                          : "group_norm, ") +
                                   std::string(data.name);
          const std::int64_t channels = norm == Norm::group ? groups.shape[1] : groups.count,
                             parameters = norm == Norm::layer ? groups.size() : channels,
                             places = norm == Norm::group ? groups.size() / channels : 1;
          const auto parameter = [&](std::size_t i) {
            return norm == Norm::batch ? groups.at(i)
                                       : i / static_cast<std::size_t>(places) % static_cast<std::size_t>(parameters);
          };
          const std::vector<T> w = affine ? random<T>(parameters, 4)
                                          : std::vector<T>(static_cast<std::size_t>(parameters), 1),
                               b = affine ? random<T>(parameters, 5)
                                          : std::vector<T>(static_cast<std::size_t>(parameters), 0);
          Reals scales, usual;
          for (const Real squares : spread.squares) {
            scales.push_back(1 / std::sqrt(squares / n + static_cast<Real>(eps)));
            usual.push_back(std::sqrt(squares / n) * scales.back());
          }
          const auto value = [&](std::size_t i) { return spread.apart[i] * scales[groups.at(i)]; };
          const auto up = [&](std::size_t i) { return Real(upstream[i]) * Real(w[parameter(i)]); };
          const Reals level = groups.means(up), level_size = groups.means([&](auto i) { return std::fabs(up(i)); }),
                      slope = groups.means([&](auto i) { return up(i) * value(i); }),
                      slope_size = groups.means([&](auto i) { return std::fabs(up(i) * value(i)); });
          Reals want, size, gradient, gradient_size, w_grad(w.size()), w_size(w.size()), b_grad(w.size()),
              b_size(w.size());
          for (std::size_t i = 0; i < x.size(); ++i) {
            const std::size_t k = groups.at(i), p = parameter(i);
            want.push_back(value(i) * w[p] + b[p]);
            size.push_back(std::max(std::fabs(value(i)), usual[k]) * std::fabs(w[p]) + std::fabs(b[p]));
            gradient.push_back(scales[k] * (up(i) - level[k] - value(i) * slope[k]));
            gradient_size.push_back(scales[k] *
                                    (std::fabs(up(i)) + level_size[k] + std::fabs(value(i)) * slope_size[k]));
            w_grad[p] += Real(upstream[i]) * value(i), b_grad[p] += Real(upstream[i]);
            w_size[p] += std::pow(Real(upstream[i]) * std::max(std::fabs(value(i)), usual[k]), 2),
                b_size[p] += std::pow(Real(upstream[i]), 2);
          }
          for (Reals* const squares : {&w_size, &b_size})
            for (Real& one : *squares) one = std::sqrt(one);
          for (const Layout layout : layouts(groups)) {
            CAPTURE(eps, affine, static_cast<int>(layout));
            const Tensor input = laid(x, groups.shape, layout).requires_grad_(),
                         u = laid(upstream, groups.shape, layout);
            Shape normalized(groups.shape.begin() + (groups.shape.size() - groups.axes.size()), groups.axes.size());
            const Shape of_parameters = norm == Norm::layer ? normalized : Shape{parameters};
            Tensor weight, bias;
            if (affine) weight = from_values<T>(w, of_parameters, true), bias = from_values<T>(b, of_parameters, true);
            Tensor mean = full({groups.count}, 0.5, {.dtype = dtype_of<T>()}), variance = mean.clone();
            const Tensor y = norm == Norm::layer   ? layer_norm(input, normalized, weight, bias, eps)
                             : norm == Norm::group ? group_norm(input, 1, weight, bias, eps)
                                                   : batch_norm(input, mean, variance, weight, bias,
                                                                {.training = true, .momentum = 0.25, .eps = eps});
            check_units<T>(name, y, want, size, bounds.value);
            const Tensor recorded = grad(y, {input}, {.create_graph = true, .grad_outputs = {u}})[0];
            check_units<T>(name + ", recorded gradient", recorded, gradient, gradient_size, bounds.recorded);
            y.backward(u);
            check_units<T>(name + ", gradient", input.grad(), gradient, gradient_size, bounds.gradient);
            if (affine) {
              check_units<T>(name + ", gradient of weight", weight.grad(), w_grad, w_size, bounds.parameters);
              check_units<T>(name + ", gradient of bias", bias.grad(), b_grad, b_size, bounds.parameters);
            }
            if (norm != Norm::batch) continue;
            Reals running_mean, mean_size, running_variance;
            for (std::size_t k = 0; k < spread.means.size(); ++k) {
              running_mean.push_back(0.375L + spread.means[k] / 4);
              mean_size.push_back(0.375L + (std::fabs(spread.means[k]) + std::sqrt(spread.squares[k] / n)) / 4);
              running_variance.push_back(0.375L + spread.squares[k] / (n - 1) / 4);
            }
            check_units<T>(name + ", running mean", mean, running_mean, mean_size, bounds.value);
            check_units<T>(name + ", running variance", variance, running_variance, running_variance, bounds.value);
          }
        }
  });
}

}  // namespace

TEST_CASE("var and stddev: of any data, within some units in the last place") {
  SECTION("float32") { check_dispersions<float>({4, 3, 0, 7}); }
  SECTION("float64") { check_dispersions<double>({5, 6, 0, 3}); }
}

TEST_CASE("rms_norm: of any data, within some units in the last place") {
  const auto check_rows = [](auto zero, double bound) {
    using T = decltype(zero);
    for (const Data<T>& data : kinds_of_data<T>())
      for (const Shape& shape : {Shape{3, 1}, Shape{4, 17}, Shape{3, 1000}}) {
        CAPTURE(data.name, shape);
        const Groups groups(shape, {1});
        const std::vector<T> x = elements(data, groups), upstream = random<T>(shape.numel(), 3);
        const Reals squares = groups.means([&](auto i) { return Real(x[i]) * Real(x[i]); });
        const auto scale = [&](std::size_t i) { return 1 / std::sqrt(squares[groups.at(i)]); };
        const auto product = [&](std::size_t i) { return Real(upstream[i]) * Real(x[i]) * scale(i); };
        const Reals slope = groups.means(product),
                    slope_size = groups.means([&](auto i) { return std::fabs(product(i)); });
        Reals want, gradient, size;
        for (std::size_t i = 0; i < x.size(); ++i) {
          const std::size_t k = groups.at(i);
          want.push_back(x[i] * scale(i));
          gradient.push_back(scale(i) * (upstream[i] - want[i] * slope[k]));
          size.push_back(scale(i) * (std::fabs(Real(upstream[i])) + std::fabs(want[i]) * slope_size[k]));
        }
        const Tensor input = from_values<T>(x, shape, true), y = rms_norm(input, {shape[1]}, {}, 0);
        check_units<T>("rms_norm", y, want, want, bound);
        y.backward(from_values<T>(upstream, shape));
        check_units<T>("rms_norm, gradient", input.grad(), gradient, size, bound);
      }
  };
  check_rows(float(), 4);
  check_rows(double(), 4);
}

TEST_CASE("layer_norm, batch_norm and group_norm: of any data, within some units in the last place") {
  SECTION("float32") { check_norms<float>({3.5, 3, 9, 6}); }
  SECTION("float64") { check_norms<double>({7.5, 4, 11, 4}); }
}

TEST_CASE("moments: the same bits with one thread and with two") {
  const int before = num_threads();
  const auto bits = [](const Tensor& x) {
    std::vector<unsigned char> all;
    for (const float value : values<float>(x)) {
      unsigned char of[sizeof value];
      std::memcpy(of, &value, sizeof value);
      all.insert(all.end(), of, of + sizeof value);
    }
    return all;
  };
  for (const Data<float>& data : kinds_of_data<float>())
    for (const Shape& shape : {Shape{300, 301}, Shape{20000, 5}, Shape{8, 6, 1000}, Shape{2, 40000}}) {
      CAPTURE(data.name, shape);
      const std::vector<float> x = elements(data, Groups(shape, {0}));
      std::vector<std::vector<unsigned char>> found;
      for (const int threads : {1, 2}) {
        set_num_threads(threads);
        const Tensor input = from_values<float>(x, shape, true),
                     upstream = from_values<float>(random<float>(shape.numel(), 3), shape),
                     weight = ones({shape[1]}, {.requires_grad = true}), mean = zeros({shape[1]}),
                     variance = ones({shape[1]});
        std::vector<Tensor> all;
        const auto add = [&](const Tensor& y) {
          all.push_back(y);
          input.zero_grad();
          y.backward(y.shape() == shape ? upstream : ones_like(y));
          all.push_back(input.grad().clone());
        };
        add(batch_norm(input, mean, variance, weight, {}, {.training = true}));
        add(layer_norm(input, {shape[shape.size() - 1]}));
        for (const Axes& axes : {Axes{0}, Axes{1}, Axes{0, -1}, Axes{}})
          add(var(input, axes)), add(stddev(input, axes));
        all.insert(all.end(), {weight.grad(), mean, variance});
        found.emplace_back();
        for (const Tensor& one : all) {
          const auto more = bits(one);
          found.back().insert(found.back().end(), more.begin(), more.end());
        }
      }
      CHECK((found[0] == found[1]));
    }
  set_num_threads(before);
}

TEST_CASE("moments: derivatives of all kinds at a mean that is large against the spread") {
  const auto moved = [](const Shape& shape, std::uint64_t seed) {
    return (from_values<double>(random<double>(shape.numel(), seed), shape) + 0x1p20).requires_grad_();
  };
  const Tensor rows = moved({3, 5}, 1), planes = moved({2, 3, 4}, 2), w = doubles({1, -2, 0.5}), b = doubles({0, 1, 2}),
               w5 = doubles({1, -2, 0.5, 1, 3}), b5 = doubles({0, 1, 2, 0, -1});
  using Inputs = std::vector<Tensor>;
  struct Case {
    const char* name;
    Inputs inputs;
    std::function<Tensor(const Inputs&)> f;
  };
  const std::vector<Case> cases{
      {"var", {rows}, [](const Inputs& x) { return var(x[0], 1); }},
      {"var of columns",
       {planes},
       [](const Inputs& x) {
         return var(x[0], {0, 2}, {.correction = 0});
       }},
      {"stddev", {rows}, [](const Inputs& x) { return stddev(x[0], 0); }},
      {"layer_norm", {rows, w5, b5}, [](const Inputs& x) { return layer_norm(x[0], {5}, x[1], x[2]); }},
      {"rms_norm", {rows, w5}, [](const Inputs& x) { return rms_norm(x[0], {5}, x[1]); }},
      {"group_norm", {planes, w, b}, [](const Inputs& x) { return group_norm(x[0], 1, x[1], x[2]); }},
      {"batch_norm", {planes, w, b}, [](const Inputs& x) {
         return batch_norm(x[0], {}, {}, x[1], x[2], {.training = true});
       }}};
  for (const auto& [name, inputs, f] : cases) {
    CAPTURE(name);
    const GradcheckOptions options{.step = 0x1p-14, .rtol = 1e-4};  // a step that is exact
    CHECK(gradcheck(f, inputs, options));
    CHECK(gradgradcheck(f, inputs, options));
    Inputs directions;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      directions.push_back(from_values<double>(random<double>(inputs[i].numel(), 7 + i), inputs[i].shape()));
    const auto [y, change] = jvp(f, inputs, directions);
    const Tensor u = from_values<double>(random<double>(y.numel(), 9), y.shape());
    const Inputs gradients = grad(f(inputs), inputs, {.grad_outputs = {u}});
    double backward = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) backward += sum(gradients[i] * directions[i]).item();
    CHECK(sum(change * u).item() == Approx(backward).epsilon(1e-12));
  }
}
