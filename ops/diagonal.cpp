#include "diagonal.hpp"

#include <algorithm>
#include <cstring>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../core/parallel.hpp"

namespace xgrad {

namespace {

/// Where a diagonal lies.
struct Place {
  std::int64_t offset;
  std::size_t axis0, axis1;

  Place(const char* op, std::int64_t offset_, std::int64_t first, std::int64_t second, std::size_t rank)
      : offset(offset_), axis0(normalize_axis(op, first, rank)), axis1(normalize_axis(op, second, rank)) {
    check(axis0 != axis1, op, ": axis ", first, " and axis ", second, " of ", rank, " axes are the same");
  }

  /// Without the two axes, and with `last` as the last.
  Shape replaced(const Shape& shape, std::int64_t last) const {
    Shape result = shape;
    result.erase(std::max(axis0, axis1));
    result.erase(std::min(axis0, axis1));
    result.push_back(last);
    return result;
  }
  Tensor of(const Tensor& x) const {
    const std::int64_t rows = x.shape()[axis0], columns = x.shape()[axis1];
    const std::int64_t down = -std::clamp<std::int64_t>(offset, -rows, 0),
                       right = std::clamp<std::int64_t>(offset, 0, columns);
    const std::int64_t length = std::min(rows - down, columns - right);
    const Shape shape = replaced(x.shape(), length);
    if (shape.numel() == 0) return detail::view(x, shape, row_major_strides(shape));
    const std::int64_t row = x.strides()[axis0], column = x.strides()[axis1];
    return detail::view(x, shape, replaced(x.strides(), row + column), down * row + right * column);
  }
};

Tensor embed(const Place& place, const Shape& whole, const Tensor& x);

struct Diagonal {
  static constexpr const char* name = "diagonal";
  static constexpr bool linear = true;
  Place place;
  Shape whole = {};
  Tensor forward(const Tensor& x) {
    whole = x.shape();
    return place.of(x);
  }
  Tensor backward(const Tensor& grad) const { return embed(place, whole, grad); }
  void add_backward(const Tensor& grad, const Tensor& sum) const { detail::accumulate_in_place(place.of(sum), grad); }
};

/// Zeros, but for a diagonal.
struct Embed {
  static constexpr const char* name = "diag_embed";
  static constexpr bool linear = true;
  Place place;
  Shape whole;
  Tensor forward(const Tensor& x) const {
    const Tensor out = zeros(whole, {.dtype = x.dtype()});
    detail::overwrite(place.of(out), x);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(Diagonal{place}, grad); }
};

Tensor embed(const Place& place, const Shape& whole, const Tensor& x) { return apply(Embed{place, whole}, x); }

/// Elements (i, j) with j - i at most, or at least, `offset`.
struct Triangle {
  const char* name;
  static constexpr bool linear = true;
  bool upper;
  std::int64_t offset;
  Tensor forward(const Tensor& x) const {
    const detail::MaybeOwned in = detail::dense(x);
    const Tensor out = detail::empty(x.shape(), x.dtype());
    if (x.numel() == 0) return out;
    const auto bytes = static_cast<std::int64_t>(item_size(x.dtype()));
    const std::int64_t rows = x.size(-2), columns = x.size(-1);
    const std::byte* const from = in->impl().data;
    std::byte* const to = out.impl().data;
    parallel_for(x.numel() / columns, 16384 / columns + 1, [=, *this](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        // The row's elements before `bound` are kept, or those from there on.
        const std::int64_t bound = std::clamp(row % rows + offset + (upper ? 0 : 1), std::int64_t{0}, columns);
        const std::int64_t kept = upper ? bound : 0, kept_end = upper ? columns : bound;
        const auto size = [=](std::int64_t count) { return static_cast<std::size_t>(count * bytes); };
        std::byte* const at = to + row * columns * bytes;
        std::memset(at, 0, size(kept));
        std::memcpy(at + kept * bytes, from + (row * columns + kept) * bytes, size(kept_end - kept));
        std::memset(at + kept_end * bytes, 0, size(columns - kept_end));
      }
    });
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(*this, grad); }
};

Tensor triangle(const char* op, bool upper, const Tensor& x, std::int64_t offset) {
  check(x.dim() >= 2, op, ": a tensor of shape ", x.shape(), " has no matrices; it needs at least two axes");
  const std::int64_t most = x.size(-2) + x.size(-1);  // beyond it all is the same
  return apply(Triangle{op, upper, std::clamp(offset, -most, most)}, x);
}

}  // namespace

Tensor diagonal(Operand x, std::int64_t offset, std::int64_t axis0, std::int64_t axis1) {
  check(x->dim() >= 2, "diagonal: a tensor of shape ", x->shape(), " has no diagonals; it needs at least two axes");
  return apply(Diagonal{Place("diagonal", offset, axis0, axis1, x->dim())}, x);
}

Tensor diag_embed(Operand x, std::int64_t offset, std::int64_t axis0, std::int64_t axis1) {
  check(x->dim() >= 1, "diag_embed: a number has no axis to put on a diagonal");
  const Place place("diag_embed", offset, axis0, axis1, x->dim() + 1);
  check(std::abs(std::max(offset, -INT64_MAX)) <= INT64_MAX - x->size(-1), "diag_embed: offset ", offset,
        " makes the matrices too large");
  const std::int64_t order = x->size(-1) + std::abs(offset);
  Shape whole = x->shape();
  whole.erase(x->dim() - 1);
  whole.insert(std::min(place.axis0, place.axis1), order);
  whole.insert(std::max(place.axis0, place.axis1), order);
  return embed(place, whole, *x);
}

Tensor diag(Operand x, std::int64_t offset) {
  check(x->dim() == 1 || x->dim() == 2, "diag: a tensor of shape ", x->shape(),
        " is neither a vector nor a matrix; for batches there are diag_embed and diagonal");
  return x->dim() == 1 ? diag_embed(*x, offset) : diagonal(*x, offset);
}

Tensor tril(Operand x, std::int64_t offset) { return triangle("tril", false, *x, offset); }
Tensor triu(Operand x, std::int64_t offset) { return triangle("triu", true, *x, offset); }

}  // namespace xgrad
