#include "elementwise_samples.hpp"

namespace xgrad::detail {

namespace {

Tensor sample_transposed(const Shape& shape, const Range& range, std::uint64_t seed) {
  const Tensor base = sample_uniform(shape, range.low, range.high, seed);
  return view(base, {shape[1], shape[0]}, {1, shape[1]}).requires_grad_();
}

}  // namespace

std::vector<OpSample> unary_samples(const std::string& reference, UnaryFunction f, Range range) {
  std::vector<OpSample> samples;
  const auto add = [&](Tensor x) {
    samples.push_back(sample(reference, {x}, [f](auto& inputs) { return f(inputs[0]); }));
  };
  add(sample_uniform({3, 4}, range.low, range.high, 1));
  add(sample_uniform({}, range.low, range.high, 2));
  add(sample_transposed({3, 2}, range, 3));
  add(sample_uniform({0, 3}, range.low, range.high, 4));
  return samples;
}

std::vector<OpSample> binary_samples(const std::string& reference, BinaryFunction f, Range a, Range b) {
  std::vector<OpSample> samples;
  const auto add = [&](Tensor x, Tensor y) {
    samples.push_back(sample(reference, {x, y}, [f](auto& inputs) { return f(inputs[0], inputs[1]); }));
  };
  const auto left = [&](const Shape& shape) { return sample_uniform(shape, a.low, a.high, 1); };
  const auto right = [&](const Shape& shape) { return sample_uniform(shape, b.low, b.high, 2); };
  add(left({3, 4}), right({3, 4}));
  add(left({2, 1, 4}), right({3, 1}));
  add(left({}), right({3}));
  add(sample_transposed({3, 2}, a, 3), right({3}));
  add(left({2, 3}), sample_transposed({3, 2}, b, 4));
  add(left({0, 3}), right({3}));
  return samples;
}

std::vector<OpSample> operator+(std::vector<OpSample> first, const std::vector<OpSample>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::vector<OpError> operator+(std::vector<OpError> first, const std::vector<OpError>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::vector<OpError> unary_errors(UnaryFunction f) {
  return {{[f] { f(Tensor()); }, "undefined"}};
}

std::vector<OpError> binary_errors(BinaryFunction f) {
  return {{[f] {
             f(ones({2, 3}), ones({4}));
           },
           "shapes (2, 3) and (4,) do not broadcast"},
          {[f] { f(Tensor(), ones({2})); }, "undefined"},
          {[f] { f(ones({2}), Tensor()); }, "undefined"}};
}

}  // namespace xgrad::detail
