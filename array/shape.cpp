#include "shape.hpp"

#include <limits>
#include <ostream>

namespace xgrad {

void Shape::assign(const std::int64_t* sizes, std::size_t rank) {
  check(rank <= max_rank, "shape: ", rank, " axes are more than the ", max_rank, " that xgrad supports");
  rank_ = static_cast<std::uint8_t>(rank);
  std::copy(sizes, sizes + rank, sizes_);
}

Shape Shape::filled(std::size_t rank, std::int64_t value) {
  Shape shape;
  for (std::size_t axis = 0; axis < rank; ++axis) shape.push_back(value);
  return shape;
}

void Shape::push_back(std::int64_t size) { insert(rank_, size); }

void Shape::insert(std::size_t axis, std::int64_t size) {
  check(rank_ < max_rank, "shape: more axes than the ", max_rank, " that xgrad supports");
  std::copy_backward(sizes_ + axis, sizes_ + rank_, sizes_ + rank_ + 1);
  sizes_[axis] = size;
  ++rank_;
}

void Shape::erase(std::size_t axis) {
  std::copy(sizes_ + axis + 1, sizes_ + rank_, sizes_ + axis);
  sizes_[--rank_] = 0;
}

std::int64_t Shape::numel() const {
  std::int64_t product = 1;
  bool overflow = false, zero = false;
  for (const std::int64_t size : *this) {
    check(size >= 0, "shape: ", *this, " has a negative size");
    zero = zero || size == 0;
    overflow = __builtin_mul_overflow(product, size, &product) || overflow;
  }
  if (zero) return 0;
  check(!overflow, "shape: ", *this, " has more than 2^63 - 1 elements");
  return product;
}

std::string Shape::str() const {
  std::string out = "(";
  for (std::size_t axis = 0; axis < rank_; ++axis) {
    if (axis > 0) out += ", ";
    detail::append(out, sizes_[axis]);
  }
  return out + (rank_ == 1 ? ",)" : ")");
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }

Shape row_major_strides(const Shape& shape) {
  Shape strides = shape;
  std::uint64_t stride = 1;  // unsigned: an empty tensor may have sizes whose product wraps
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = static_cast<std::int64_t>(stride);
    stride *= static_cast<std::uint64_t>(std::max<std::int64_t>(shape[axis], 1));
  }
  return strides;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t axis = 0; axis < shorter.size(); ++axis) {
    std::int64_t& size = out[axis + offset];
    const std::int64_t other = shorter[axis];
    if (size == other || other == 1) continue;
    check(size == 1, op, ": shapes ", a, " and ", b, " do not broadcast: sizes ", size, " and ", other, " at axis ",
          axis + offset, "; counted from the last axis, sizes must be equal or one of them 1");
    size = other;
  }
  return out;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.size() > to.size()) return false;
  const std::size_t offset = to.size() - from.size();
  for (std::size_t axis = 0; axis < from.size(); ++axis)
    if (from[axis] != to[axis + offset] && from[axis] != 1) return false;
  return true;
}

void detail::fail_axis(const char* op, std::int64_t axis, std::size_t rank) {
  fail(op, ": axis ", axis, " is out of range for a tensor with ", rank, " axes",
       rank == 0 ? "" : "; the last is " + std::to_string(rank - 1) + " or -1");
}

Shape normalize_axes(const char* op, const Shape& axes, std::size_t rank) {
  Shape out;
  if (axes.empty()) {
    for (std::size_t axis = 0; axis < rank; ++axis) out.push_back(static_cast<std::int64_t>(axis));
    return out;
  }
  for (const std::int64_t axis : axes) out.push_back(static_cast<std::int64_t>(normalize_axis(op, axis, rank)));
  std::sort(out.begin(), out.end());
  const auto* repeated = std::adjacent_find(out.begin(), out.end());
  if (repeated != out.end()) fail(op, ": axis ", *repeated, " is named twice in ", axes);
  return out;
}

}  // namespace xgrad
