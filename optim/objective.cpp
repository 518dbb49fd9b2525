#include "objective.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"

namespace xgrad::optim::detail {

namespace {

/// The elements of all tensors, one after the other.
Vector joined(const std::vector<Tensor>& tensors) {
  Vector all;
  for (const Tensor& tensor : tensors) {
    const std::vector<double> elements = tensor.to_vector<double>();
    all.insert(all.end(), elements.begin(), elements.end());
  }
  return all;
}

}  // namespace

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

double largest(const Vector& x) {
  double result = 0;
  for (const double element : x) result = std::abs(element) <= result ? result : std::abs(element);
  return result;
}

Vector negative(const Vector& x) { return plus(x, -2, x); }

Vector plus(const Vector& a, double factor, const Vector& b) {
  Vector sum = a;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * b[i];
  return sum;
}

Objective::Objective(xgrad::detail::FunctionAt function) : function_(std::move(function)) {
  check(!function_.inputs.empty(), "minimize: there is nothing to change; parameters require a gradient");
  for (std::size_t i = 0; i < inputs().size(); ++i) {
    check(inputs()[i].defined(), "minimize: input ", i, " is undefined");
    check(is_floating(inputs()[i].dtype()), "minimize: input ", i, " is ", inputs()[i].dtype(),
          ", which has no derivatives; convert it with .to(float32)");
  }
}

Vector Objective::elements() const { return joined(inputs()); }

std::vector<Tensor> Objective::like_inputs(const Vector& x) const {
  std::vector<Tensor> tensors;
  auto from = x.begin();
  for (const Tensor& input : inputs()) {
    const auto end = from + input.numel();
    tensors.push_back(from_values(Vector(from, end), input.shape()).to(input.dtype()));
    from = end;
  }
  return tensors;
}

void Objective::set_elements(const Vector& x) const {
  const NoGrad no_grad;
  const std::vector<Tensor> tensors = like_inputs(x);
  for (std::size_t i = 0; i < tensors.size(); ++i) Tensor(inputs()[i]).copy_(tensors[i]);
}

double Objective::value(const Vector& x) {
  set_elements(x);
  ++evaluations_;
  const NoGrad no_grad;
  const std::vector<Tensor> values = function_.f(inputs());
  check(values.size() == 1 && values[0].numel() == 1,
        "minimize: the function must give one element; reduce it, as with sum");
  return values[0].item();
}

double Objective::value_and_gradient(const Vector& x, Vector& gradient) {
  set_elements(x);
  ++evaluations_;
  const NoGrad no_grad;
  const auto [value, gradients] = xgrad::detail::value_and_grad("minimize", function_);
  gradient = joined(gradients);
  return value.item();
}

Vector Objective::hessian_times(const Vector& x, const Vector& v) {
  set_elements(x);
  ++hessian_products_;
  const NoGrad no_grad;
  return joined(xgrad::detail::hvp(function_, like_inputs(v)));
}

double Objective::noise() const {
  const bool coarse =
      std::any_of(inputs().begin(), inputs().end(), [](const Tensor& x) { return x.dtype() == float32; });
  return 100 * (coarse ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon());
}

}  // namespace xgrad::optim::detail
