#pragma once
// The bridge to xtensor: tensors from xtensor expressions, and tensors seen as xtensor expressions.
//
// It also makes xtensor 0.24 compute rightly in C++20, see core/xtensor_compat.hpp. Nothing of xtensor appears in the
// compiled library, so a program may use XTENSOR_USE_XSIMD and any -march.

#include <algorithm>
#include <memory>
#include <type_traits>

#include "autograd/apply.hpp"
#include "autograd/create.hpp"
#include "core/xtensor_compat.hpp"

namespace xgrad {

/// Where no dtype is named, the value type of the expression says it.
using XtensorOptions = TensorOptions;

/// A new tensor with the values of any xtensor expression, which is evaluated once, here. Unless options name one, its
/// dtype is that of the values, float64 for long double, and int64 for int and integers of which there are no tensors.
/// Throws Error for more axes than Shape::max_rank, for operands that do not broadcast, for a value that an integer
/// dtype cannot hold, and for `requires_grad` with an integer dtype.
/// `Tensor x = from_xtensor(a * 0.5, {.requires_grad = true});`
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression, const XtensorOptions& options = {}) {
  using Value = std::remove_cv_t<typename E::value_type>;
  static_assert(detail::is_number<Value>, "from_xtensor takes expressions of real numbers or bool");
  using T = detail::ElementOf<Value>;
  const DType dtype = options.dtype.value_or(dtype_of<T>());
  check(!options.requires_grad || is_floating(dtype), "from_xtensor: a tensor of dtype ", dtype,
        " cannot require a gradient; name a floating dtype in the options");

  Shape shape;
  try {
    for (const auto size : expression.derived_cast().shape()) shape.push_back(static_cast<std::int64_t>(size));
  } catch (const xt::broadcast_error& error) {
    fail("from_xtensor: ", error.what());
  }
  const Tensor out = detail::empty(shape, dtype_of<T>());
  T* const data = out.data<T>();
  const auto size = static_cast<std::size_t>(out.numel());
  auto elements = xt::adapt(data, size, xt::no_ownership(), xt::dynamic_shape<std::size_t>(shape.begin(), shape.end()));
  xt::noalias(elements) = expression;
  if constexpr (std::is_same_v<T, std::int64_t> && std::is_unsigned_v<Value> && sizeof(Value) == sizeof(T)) {
    const T* const wrapped = std::find_if(data, data + size, [](T value) { return value < 0; });
    if (wrapped != data + size)
      fail("from_xtensor: ", static_cast<Value>(*wrapped), " at element ", wrapped - data, " does not fit into int64");
  }
  return detail::with_options("from_xtensor", out, options);
}

namespace detail {

template <class C>
inline constexpr bool is_container = false;
template <class Memory, xt::layout_type L, class Shape, class Tag>
inline constexpr bool is_container<xt::xarray_container<Memory, L, Shape, Tag>> = true;
template <class Memory, std::size_t N, xt::layout_type L, class Tag>
inline constexpr bool is_container<xt::xtensor_container<Memory, N, L, Tag>> = true;

template <class T>
inline constexpr bool keeps_type = std::is_same_v<ElementOf<T>, T>;

/// A container that is given away, whose elements are those of the dtype that it becomes.
template <class C>
concept GivenAway = is_container<C> && keeps_type<typename C::value_type>;

}  // namespace detail

/// The elements of an xtensor container, or of a strided view of one, without a copy, in whatever order they lie: the
/// tensor sees what is written to them, as what is written through data(), unseen by the graph. The container is kept
/// as long as a tensor uses its memory, and must not be resized meanwhile. Where options name another dtype, a copy.
/// Throws Error as the other from_xtensor, and for negative strides.
/// `auto a = std::make_shared<xt::xarray<double>>(xt::ones<double>({2, 3})); const Tensor x = from_xtensor(a);`
template <class C>
Tensor from_xtensor(std::shared_ptr<C> container, const XtensorOptions& options = {}) {
  static_assert(is_element<typename C::value_type>, "from_xtensor takes containers of elements of a dtype");
  check(container != nullptr, "from_xtensor: the pointer is null");
  Shape shape, strides;
  for (const auto size : container->shape()) shape.push_back(static_cast<std::int64_t>(size));
  for (const auto stride : container->strides()) strides.push_back(static_cast<std::int64_t>(stride));
  auto* const first = container->data() + container->data_offset();
  const std::shared_ptr<void> memory(std::move(container), first);
  return detail::with_options("from_xtensor", from_blob(memory, shape, dtype_of<typename C::value_type>(), strides),
                              options);
}

/// The elements of a container that is given away, taken over without a copy: `from_xtensor(std::move(a))`.
template <detail::GivenAway C>
Tensor from_xtensor(C&& container, const XtensorOptions& options = {}) {
  return from_xtensor(std::make_shared<C>(std::move(container)), options);
}

/// The tensor's elements as an xtensor expression of its shape: a view without a copy, for any strides. It keeps the
/// memory alive, not the graph, and sees later changes in place. What is written through it reaches the tensor unseen
/// by the graph, as with data(). Throws Error unless T is the tensor's dtype.
/// `const xt::xarray<double> squares = xt::square(as_xtensor<double>(x.grad()));`
template <class T>
auto as_xtensor(const Tensor& tensor) {
  check(tensor.dtype() == dtype_of<T>(), "as_xtensor: the tensor has dtype ", tensor.dtype(), ", not ", dtype_of<T>(),
        "; convert it with .to(", dtype_of<T>(), ")");
  const Shape &sizes = tensor.shape(), &steps = tensor.strides();
  std::size_t extent = tensor.numel() == 0 ? 0 : 1;
  for (std::size_t axis = 0; extent > 0 && axis < sizes.size(); ++axis)
    extent += static_cast<std::size_t>((sizes[axis] - 1) * steps[axis]);
  return xt::strided_view(
      xt::adapt_smart_ptr(detail::first_element<T>(tensor), {extent}, std::make_shared<Tensor>(tensor.detach())),
      xt::dynamic_shape<std::size_t>(sizes.begin(), sizes.end()),
      xt::dynamic_shape<std::ptrdiff_t>(steps.begin(), steps.end()), 0,
      tensor.is_contiguous() ? xt::layout_type::row_major : xt::layout_type::dynamic);
}

namespace detail {

template <class F, class B>
struct XtensorOperation {
  static constexpr bool once_differentiable = true;  // xgrad does not see into xtensor expressions
  const char* name;
  F f;
  B df;
  Saved x = {};

  Tensor forward(const Tensor& input) {
    x = input;
    return dispatch_floating(name, input.dtype(), [&](auto zero) {
      using T = decltype(zero);
      return from_xtensor(f(as_xtensor<T>(input)), {.dtype = input.dtype()});
    });
  }
  Tensor backward(const Tensor& grad) const {
    return dispatch_floating(name, grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      return from_xtensor(df(as_xtensor<T>(x), as_xtensor<T>(grad)), {.dtype = grad.dtype()});
    });
  }
};

}  // namespace detail

/// A function of tensors of float32 or float64 from functions of xtensor expressions: f(x), of any shape, and
/// df(x, grad), the gradient of x, of its shape, for that of the result. Both are called with as_xtensor() of float or
/// double. It is differentiated once: for second derivatives compose operations, or give an operation of your own.
/// Throws Error where it is called with another dtype, and for a gradient that has not the shape of x.
/// `auto square = xtensor_operation("square", [](const auto& x) { return x * x; },
///                                  [](const auto& x, const auto& grad) { return 2 * x * grad; });`
template <class F, class B>
auto xtensor_operation(const char* name, F f, B df) {
  return [=](Operand x) { return apply(detail::XtensorOperation<F, B>{name, f, df}, *x); };
}

}  // namespace xgrad
