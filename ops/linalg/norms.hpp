#pragma once
// Norms of vectors and matrices.

#include <optional>

#include "../reduce.hpp"

namespace xgrad::linalg {

/// The p-norm of the elements, xgrad::norm(x, p, axes, options).
Tensor vector_norm(Operand x, double p = 2, const Axes& axes = {}, const ReduceOptions& options = {});

/// Which norm of a matrix: "fro", the root of the sum of squares; "nuc", the sum of the singular values; infinity, 1
/// and their negatives, the largest or smallest sum of absolute values in a row, or in a column; 2 and -2, the largest
/// or smallest singular value.
class MatrixOrder {
 public:
  /// Throws Error for other names, and other numbers.
  MatrixOrder(const char* name);
  template <class T>
  requires std::is_arithmetic_v<T> MatrixOrder(T order) : MatrixOrder(number(static_cast<double>(order))) {}

  bool frobenius() const { return kind_ == Kind::frobenius; }
  bool nuclear() const { return kind_ == Kind::nuclear; }
  bool spectral() const { return kind_ == Kind::number && (order_ == 2 || order_ == -2); }
  /// Where it is a number.
  double order() const { return order_; }

 private:
  enum class Kind { frobenius, nuclear, number };
  MatrixOrder(Kind kind, double order) : kind_(kind), order_(order) {}
  static MatrixOrder number(double order);

  Kind kind_;
  double order_ = 0;
};

/// The norm of the matrices in two axes, the last ones where none are named; the axes disappear, or stay with size 1
/// under keepdim. Gradients are those of svdvals, sums of absolute values, and largest elements. Throws Error for other
/// than two axes, for integers, and for a largest or smallest element of nothing.
Tensor matrix_norm(Operand A, const MatrixOrder& order = "fro", const Axes& axes = {-2, -1},
                   const ReduceOptions& options = {});

/// The condition numbers of matrices (..., m, n): the norm of A times that of its inverse. Order 2, by default, and -2
/// are ratios of the largest and the smallest singular value, or their inverses, for matrices that need not be square.
/// A singular matrix has an infinite one in order 2; in other orders it is an Error.
Tensor cond(Operand A, const MatrixOrder& order = 2);

}  // namespace xgrad::linalg
