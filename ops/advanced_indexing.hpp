#pragma once
// x[...] as NumPy has it: index(x, {0, Slice(1, 5), ellipsis, newaxis, mask, positions}).

#include <optional>
#include <vector>

#include "../autograd/operand.hpp"

namespace xgrad {

/// begin:end:step of Python. Positions below 0 count from the end; those that are left out mean all in the direction of
/// the step, which may be negative: Slice({}, {}, -1) is the reverse.
struct Slice {
  Slice(std::optional<std::int64_t> from = {}, std::optional<std::int64_t> to = {}, std::int64_t by = 1)
      : begin(from), end(to), step(by) {}
  std::optional<std::int64_t> begin, end;
  std::int64_t step;
};

struct NewAxis {};
struct Ellipsis {};
/// An axis of size 1 at this place.
inline constexpr NewAxis newaxis;
/// All of the axes that the other items leave over.
inline constexpr Ellipsis ellipsis;

/// What stands for one axis, or several, between the brackets.
class TensorIndex {
 public:
  enum class Kind { integer, slice, new_axis, rest, tensor };

  template <detail::Size T>
  TensorIndex(T at) : kind(Kind::integer), integer(detail::checked_cast<std::int64_t>("index", at)) {}
  TensorIndex(const Slice& range) : kind(Kind::slice), slice(range) {}
  TensorIndex(NewAxis) : kind(Kind::new_axis) {}
  TensorIndex(Ellipsis) : kind(Kind::rest) {}
  /// Positions along an axis, integers of any shape; or a mask for as many axes as it has, bool.
  TensorIndex(const Tensor& positions) : kind(Kind::tensor), tensor(positions) {}

  Kind kind;
  std::int64_t integer = 0;
  Slice slice;
  Tensor tensor;
};

/// The part of x that the items name, from the first axis on; axes that are not named come whole, as if an ellipsis
/// stood at the end.
///
/// Without tensors it is a view, but for a negative step, which copies. A tensor of integers takes elements at
/// positions along its axis; a mask those where it is true, in row-major order, in the place of as many axes. Several
/// tensors, and integers beside them, are broadcast to one shape, and element by element name positions. The axes of
/// that shape stand where the first of them stood if they follow each other, and in front of all others if a slice,
/// newaxis or ellipsis is between them. -1 is the last of an axis everywhere.
///
/// Throws Error for positions out of range, with the axis and the position; for shapes of tensors that do not
/// broadcast, for a mask whose shape is not that of its axes, for too many items, and for two ellipses.
Tensor index(Operand x, const std::vector<TensorIndex>& items);

struct IndexPutOptions {
  bool accumulate = false;  // adds the values to what is there, each as often as its place is named
};
/// x with the values, which broadcast to the shape of index(x, items) and have its dtype or one that becomes it, in
/// that place. Of several values for one place the last stays, and has the gradient.
Tensor index_put(Operand x, const std::vector<TensorIndex>& items, Operand values, const IndexPutOptions& options = {});
Tensor index_put(Operand x, const std::vector<TensorIndex>& items, Scalar value, const IndexPutOptions& options = {});
/// The same in place.
Tensor& index_put_(Tensor& x, const std::vector<TensorIndex>& items, Operand values,
                   const IndexPutOptions& options = {});
Tensor& index_put_(Tensor& x, const std::vector<TensorIndex>& items, Scalar value, const IndexPutOptions& options = {});

/// The elements of x where the mask is true, in row-major order, as a vector; both are broadcast to one shape.
Tensor masked_select(Operand x, const Tensor& mask);
/// x with elements of `source`, in row-major order, where the mask, which broadcasts to the shape of x, is true. Throws
/// Error where the source has too few.
Tensor masked_scatter(Operand x, const Tensor& mask, Operand source);

}  // namespace xgrad
