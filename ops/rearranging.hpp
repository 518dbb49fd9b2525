#pragma once
// Elements of a tensor in other places, or several times.
//
// Axes may be counted from the back: -1 is the last. What is out of range throws Error with the shapes.

#include <vector>

#include "../array/axes.hpp"
#include "../autograd/operand.hpp"

namespace xgrad {

/// The elements moved on by `shifts` along the axes, those at the end to the beginning: a shift for each axis. Without
/// axes there is one shift, of all elements in row-major order.
Tensor roll(Operand x, const Shape& shifts, const Shape& axes = {});
/// Turned by 90 degrees k times in the plane of two axes, from the first towards the second.
Tensor rot90(Operand x, std::int64_t k = 1, const Shape& axes = {0, 1});

/// x one after the other as often as `repeats` says for each axis; the first of these may be axes that x does not have.
Tensor repeat(Operand x, const Shape& repeats);
/// The same where `repeats` may have fewer numbers than x has axes: they are for the last ones.
Tensor tile(Operand x, const Shape& repeats);
/// Every part along an axis `repeats` times before the next one.
Tensor repeat_interleave(Operand x, std::int64_t repeats, std::int64_t axis);
/// Part i along an axis repeats[i] times; a vector of integers from 0 on.
Tensor repeat_interleave(Operand x, const Tensor& repeats, std::int64_t axis);

struct MeshgridOptions {
  enum Indexing { ij, xy } indexing = ij;  // xy: the first two axes exchanged, as for pictures
};
/// The coordinates of a grid: for vectors of n, m, ... elements as many tensors of shape (n, m, ...), number i being
/// vector i along axis i. Views. A number counts as a vector of one element.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& vectors, const MeshgridOptions& options = {},
                             detail::CallSite site = detail::CallSite::here());

/// Axis source[i] becomes axis destination[i], the others keep their order. A view.
Tensor movedim(Operand x, const Shape& source, const Shape& destination);
/// Two axes exchanged, as transpose().
Tensor swapaxes(Operand x, std::int64_t axis0, std::int64_t axis1);

}  // namespace xgrad
