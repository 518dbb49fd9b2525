#pragma once
// A function of tensors, as methods of minimisation see it: of a vector of numbers.

#include <cstdint>
#include <vector>

#include "../autograd/derivatives.hpp"

namespace xgrad::optim::detail {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b);
/// The largest absolute value; NaN where an element is.
double largest(const Vector& x);
/// -x
Vector negative(const Vector& x);
/// a + factor b
Vector plus(const Vector& a, double factor, const Vector& b);

/// The elements of the inputs of a function, one after the other. To evaluate it, they are written over.
class Objective {
 public:
  /// Throws Error for an input that is undefined or not floating, and where there is none.
  explicit Objective(xgrad::detail::FunctionAt function);

  /// What the elements are now.
  Vector elements() const;
  void set_elements(const Vector& x) const;
  double value(const Vector& x);
  double value_and_gradient(const Vector& x, Vector& gradient);
  /// The Hessian at x times v.
  Vector hessian_times(const Vector& x, const Vector& v);

  std::int64_t evaluations() const { return evaluations_; }
  std::int64_t hessian_products() const { return hessian_products_; }
  /// By how much of themselves values may differ by rounding: some units in the last place of the coarsest input.
  double noise() const;
  const std::vector<Tensor>& inputs() const { return function_.inputs; }

 private:
  std::vector<Tensor> like_inputs(const Vector& x) const;

  xgrad::detail::FunctionAt function_;
  std::int64_t evaluations_ = 0, hessian_products_ = 0;
};

}  // namespace xgrad::optim::detail
