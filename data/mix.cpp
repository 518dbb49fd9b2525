#include "mix.hpp"

#include <algorithm>
#include <cmath>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/slicing.hpp"
#include "sample_generator.hpp"

namespace xgrad::data {

namespace {

double uniform(Generator& generator) {
  double value = 0;
  generator.uniform(&value, 1);
  return value;
}

/// The logarithm of a number from the distribution Gamma(shape), by Marsaglia and Tsang (2000): small shapes give
/// numbers below what a double holds.
double log_gamma_variate(Generator& generator, double shape) {
  if (shape < 1) return log_gamma_variate(generator, shape + 1) + std::log1p(-uniform(generator)) / shape;
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    double x = 0;
    generator.normal(&x, 1);
    const double v = 1 + c * x;
    if (v <= 0) continue;
    const double log_v = 3 * std::log(v);
    if (std::log1p(-uniform(generator)) < x * x / 2 + d - d * std::exp(log_v) + d * log_v) return std::log(d) + log_v;
  }
}

double beta_variate(Generator& generator, double alpha) {
  const double a = log_gamma_variate(generator, alpha), b = log_gamma_variate(generator, alpha);
  return 1 / (1 + std::exp(b - a));
}

/// to = share * to + (1 - share) * from
void blend(Tensor to, const Tensor& from, double share) { to.copy_(to * share + from * (1 - share)); }

/// A random rectangle of `to` is overwritten. What share of the area is left.
double cut(Generator& generator, const Tensor& to, const Tensor& from, double share) {
  const std::int64_t height = to.size(-2), width = to.size(-1);
  const auto side = [&](std::int64_t size) {
    const auto length = static_cast<std::int64_t>(static_cast<double>(size) * std::sqrt(1 - share));
    std::int64_t center = 0;
    generator.integers(&center, 1, 0, size);
    return std::pair{std::max<std::int64_t>(0, center - length / 2), std::min(size, center + (length + 1) / 2)};
  };
  const auto [top, bottom] = side(height);
  const auto [left, right] = side(width);
  const auto part = [&, top = top, bottom = bottom, left = left, right = right](const Tensor& x) {
    return slice(slice(x, -2, top, bottom), -1, left, right);
  };
  part(to).copy_(part(from));
  return 1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(height * width);
}

}  // namespace

Mixed::Mixed(const char* name, Kind kind, DatasetHandle set, const MixOptions& options)
    : name_(name), kind_(kind), set_(std::move(set)), options_(options) {
  check(options.alpha > 0 && std::isfinite(options.alpha), name, ": alpha is ", options.alpha,
        "; it must be positive and finite");
  check(options.p >= 0 && options.p <= 1, name, ": p is ", options.p, "; it must lie between 0 and 1");
  check(options.num_classes >= 0, name, ": num_classes is ", options.num_classes, "; it must not be negative");
}

Tensor Mixed::targets(const Tensor& y) const {
  if (is_floating(y.dtype())) return y.clone();
  check(options_.num_classes > 0, name_, ": the targets are numbers of classes; give num_classes");
  check(y.dim() == 1, name_, ": targets have shape ", y.shape(), "; one class for each sample, (N,), is needed");
  const Tensor shares = zeros({y.numel(), options_.num_classes});
  const std::vector<std::int64_t> classes = y.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    check(classes[i] >= 0 && classes[i] < options_.num_classes, name_, ": a target is class ", classes[i],
          "; num_classes is ", options_.num_classes);
    shares.data<float>()[static_cast<std::int64_t>(i) * options_.num_classes + classes[i]] = 1;
  }
  return shares;
}

Batch Mixed::batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const {
  const NoGrad no_grad;
  const Batch own = set_->batch_of(epoch, indices);
  check(is_floating(own.x.dtype()), name_, ": samples are ", own.x.dtype(), "; convert them with ToFloat");
  check(kind_ == Kind::blend || own.x.dim() >= 3, name_, ": samples of shape ", own.x.shape(),
        "; images (N, C, H, W) are needed");
  Batch mixed{own.x.clone(), targets(own.y)};
  if (indices.empty() || own.x.numel() == 0) return mixed;

  std::vector<Generator> generators;
  std::vector<std::int64_t> mixed_rows, partners;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    Generator& generator = generators.emplace_back(sample_generator(epoch, indices[i], Draws::mix));
    std::int64_t partner = 0;
    generator.integers(&partner, 1, 0, size());
    if (uniform(generator) >= options_.p) continue;
    mixed_rows.push_back(static_cast<std::int64_t>(i));
    partners.push_back(partner);
  }
  const Batch others = set_->batch_of(epoch, partners);
  const Tensor other_targets = targets(others.y);
  for (std::size_t i = 0; i < partners.size(); ++i) {
    const std::int64_t row = mixed_rows[i], partner = static_cast<std::int64_t>(i);
    Generator& generator = generators[static_cast<std::size_t>(row)];
    double share = beta_variate(generator, options_.alpha);
    const Tensor x = select(mixed.x, 0, row), other = select(others.x, 0, partner);
    if (kind_ == Kind::blend)
      blend(x, other, share);
    else
      share = cut(generator, x, other, share);
    blend(select(mixed.y, 0, row), select(other_targets, 0, partner), share);
  }
  return mixed;
}

Mixed mixup(DatasetHandle set, const MixOptions& options) {
  return Mixed("mixup", Mixed::Kind::blend, std::move(set), options);
}
Mixed cutmix(DatasetHandle set, const MixOptions& options) {
  return Mixed("cutmix", Mixed::Kind::cut, std::move(set), options);
}

}  // namespace xgrad::data
