#include <xgrad/array/transpose.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include <cstring>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;

namespace {

template <class T>
bool transposes(std::int64_t rows, std::int64_t columns, std::int64_t padding) {
  const std::int64_t from_stride = columns + padding, to_stride = rows + padding;
  std::vector<T> from(static_cast<std::size_t>(rows * from_stride)),
      to(static_cast<std::size_t>(columns * to_stride), T(99));
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<T>(i % 97);
  detail::transpose_copy(sizeof(T), rows, columns, reinterpret_cast<const std::byte*>(from.data()), from_stride,
                         reinterpret_cast<std::byte*>(to.data()), to_stride);
  for (std::int64_t column = 0; column < columns; ++column)
    for (std::int64_t row = 0; row < to_stride; ++row) {
      const T expected = row < rows ? from[static_cast<std::size_t>(row * from_stride + column)] : T(99);
      if (to[static_cast<std::size_t>(column * to_stride + row)] != expected) return false;
    }
  return true;
}

// The elements of x in row-major order, one by one through its strides.
template <class T>
std::vector<T> one_by_one(const Tensor& x) {
  std::vector<T> out;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    std::int64_t offset = 0, rest = i;
    for (std::size_t axis = x.dim(); axis-- > 0; rest /= x.shape()[axis])
      offset += rest % x.shape()[axis] * x.strides()[axis];
    out.push_back(detail::first_element<T>(x)[offset]);
  }
  return out;
}

template <class T>
void check_copies(const Tensor& base) {
  const Tensor wide = slice(base, 3, 1);
  for (const Tensor& x : {base, wide})
    for (const Shape& axes :
         {Shape{0, 1, 3, 2}, {0, 3, 1, 2}, {0, 2, 3, 1}, {3, 2, 1, 0}, {1, 0, 2, 3}, {2, 3, 0, 1}}) {
      const Tensor turned = permute(x, axes), copy = turned.contiguous();
      CAPTURE(turned.shape(), turned.strides());
      CHECK(std::vector<T>(copy.data<T>(), copy.data<T>() + copy.numel()) == one_by_one<T>(turned));
      // And the other way: written where it is not dense, read where it is.
      const Tensor target = permute(zeros(x.shape(), {.dtype = x.dtype()}), axes);
      detail::overwrite(target, copy);
      CHECK(one_by_one<T>(target) == one_by_one<T>(turned));
    }
}

}  // namespace

TEST_CASE("transpose: of matrices of any size, with gaps between rows") {
  for (const std::int64_t rows : {1, 2, 4, 15, 16, 17, 33, 64})
    for (const std::int64_t columns : {1, 3, 4, 16, 31, 48})
      for (const std::int64_t padding : {0, 3}) {
        CAPTURE(rows, columns, padding);
        CHECK(transposes<float>(rows, columns, padding));
        CHECK(transposes<double>(rows, columns, padding));
        CHECK(transposes<std::uint8_t>(rows, columns, padding));
        CHECK(transposes<std::uint16_t>(rows, columns, padding));
      }
}

TEST_CASE("transpose: copies of permuted tensors keep every element in its place") {
  for (const Shape& shape : {Shape{3, 5, 7, 9}, {2, 16, 4, 33}, {1, 40, 1, 50}, {2, 2, 2, 300}, {1, 400, 300, 2}}) {
    const Tensor base = reshape(arange(shape.numel(), {.dtype = int64}), shape);
    check_copies<std::int64_t>(base);
    check_copies<float>(base.to(float32));
    check_copies<bool>((base.to(float32)).to(bool_));
  }
}

TEST_CASE("transpose: of an expanded and of a reversed matrix") {
  const Tensor x = reshape(arange(60 * 50, {.dtype = float64}), {60, 50});
  const Tensor repeated = transpose(expand(unsqueeze(x, 1), {60, 20, 50}), 0, 2);
  const Tensor dense = repeated.contiguous();
  CHECK(std::vector<double>(dense.data<double>(), dense.data<double>() + dense.numel()) ==
        one_by_one<double>(repeated));
  const Tensor reversed = detail::view(x, {50, 60}, {1, -50}, 59 * 50), copy = reversed.contiguous();
  CHECK(std::vector<double>(copy.data<double>(), copy.data<double>() + copy.numel()) == one_by_one<double>(reversed));
}
