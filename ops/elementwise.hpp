#pragma once
// Operations of one's own from a lambda: one pass over memory forward, one backward, the derivative derived.

#include <array>
#include <utility>

#include "../autograd/apply.hpp"
#include "../autograd/composed.hpp"
#include "../kernels/call_count.hpp"
#include "../kernels/elementwise.hpp"
#include "map.hpp"
#include "tensor_dual.hpp"

namespace xgrad {

namespace detail {

template <std::size_t, class T>
using Repeated = T;

template <class F, class L, std::size_t... I>
constexpr bool takes_duals(std::index_sequence<I...>) {
  return requires(const F& f, const L& x) { f(((void)I, x)...); };
}
/// How many duals f takes: 1 to 8; 0 if none of these, or several.
template <class F>
constexpr std::size_t lane_count() {
  std::size_t found = 0, count = 0;
  [&]<std::size_t... N>(std::index_sequence<N...>) {
    ((takes_duals<F, real<float>>(std::make_index_sequence<N + 1>{}) ? (++found, count = N + 1) : 0), ...);
  }
  (std::make_index_sequence<max_elementwise_inputs>{});
  return found == 1 ? count : 0;
}

template <class T>
inline constexpr bool is_mask = false;
template <class T, int N>
inline constexpr bool is_mask<mask<T, N>> = true;

/// f as map() wants it: what it gives is a dual, or a mask, if f gives a number too.
template <class F>
struct DualFunction {
  F f;
  template <class T, int N, class... More>
  [[gnu::always_inline]] auto operator()(const dual<T, N>& first, const More&... more) const {
    const auto y = flattened(f, first, more...);
    if constexpr (is_mask<std::remove_cvref_t<decltype(y)>>)
      return y;
    else
      return lift<T, N>(y);
  }
};

/// f and which of its N inputs are the K wanted ones.
template <class F, class T, std::size_t N, std::size_t K>
struct Derivatives {
  F f;
  T seeds[N][K];  // 1 where input i is the wanted input k, else 0
};

template <std::size_t K, class T, std::size_t... k>
[[gnu::always_inline]] inline dual<T, static_cast<int>(K)> seeded(T value, const T* seeds, std::index_sequence<k...>) {
  return {value, {seeds[k]...}};
}
template <std::size_t K, std::size_t I, class T, std::size_t... k>
[[gnu::always_inline]] inline dual<T, static_cast<int>(K)> identity_seeded(T value, std::index_sequence<k...>) {
  return {value, {T(k == I ? 1 : 0)...}};
}

template <class F, class T, std::size_t N, std::size_t K, std::size_t... I, std::size_t... k>
void run_derivatives_loop(const Derivatives<F, T, N, K>& all, std::int64_t n, std::byte* const* pointers,
                          std::index_sequence<I...>, std::index_sequence<k...> wanted) {
  struct Pointers {
    T *y, *derivatives[K];
    const T* x[N];
  };
  const Pointers at = {reinterpret_cast<T*>(pointers[0]),
                       {reinterpret_cast<T*>(pointers[1 + k])...},
                       {reinterpret_cast<const T*>(pointers[1 + K + I])...}};
  vectorized([all, at, n, wanted] {
    const DualFunction<F> f{all.f};
    const auto one = [&](std::int64_t i) __attribute__((always_inline)) {
      dual<T, static_cast<int>(K)> y;
      if constexpr (K == N)
        y = flattened(f, identity_seeded<K, I>(at.x[I][i], wanted)...);
      else
        y = flattened(f, seeded<K>(at.x[I][i], all.seeds[I], wanted)...);
      at.y[i] = y.v;
      ((at.derivatives[k][i] = y.d[k]), ...);
    };
    for_each_streaming(n, one, at.y, at.derivatives[k]..., at.x[I]...);
  });
}

template <class F, class T, std::size_t N, std::size_t K>
void derivatives_loop(const void* context, std::int64_t n, std::byte* const* pointers) {
  run_derivatives_loop(*static_cast<const Derivatives<F, T, N, K>*>(context), n, pointers,
                       std::make_index_sequence<N>{}, std::make_index_sequence<K>{});
}

/// Calls use(loop) with the loop of f's value and its derivatives by the wanted inputs.
template <class T, std::size_t N, std::size_t K = 1, class F, class Use>
void with_derivatives_loop(const F& f, std::span<const std::size_t> wanted, Use use) {
  if constexpr (K < N)
    if (wanted.size() > K) return with_derivatives_loop<T, N, K + 1>(f, wanted, use);
  Derivatives<F, T, N, K> context{f, {}};
  for (std::size_t k = 0; k < K; ++k) context.seeds[wanted[k]][k] = 1;
  use(DerivativesLoop{derivatives_loop<F, T, N, K>, &context, K});
}

template <class F, std::size_t N>
struct ElementwiseOp {
  const char* name;
  F f;
  std::array<Saved, N> inputs = {};
  std::array<Saved, N> derivatives = {};  // by the inputs that require a gradient, where computing them is much work

  template <std::same_as<Tensor>... Tensors>
  Tensor forward(const Tensors&... x) {
    std::array<std::size_t, N> wanted;
    std::size_t count = 0, i = 0;
    if (is_grad_enabled()) ((x.requires_grad() ? (wanted[count++] = i++) : i++), ...);
    if (count == 0) return map(name, DualFunction<F>{f}, x...);
    inputs = {x...};
    if (calls() <= static_cast<int>(count)) return map(name, DualFunction<F>{f}, x...);
    std::array<Array, N + 1> results;
    const std::array<const Array*, N> all = {&x.array()...};
    with_loop(all[0]->dtype, std::span(wanted).first(count), [&](const DerivativesLoop& loop) {
      values_and_derivatives(name, loop, all, std::span(results).first(1 + count));
    });
    for (std::size_t k = 0; k < count; ++k) derivatives[wanted[k]] = Tensor(std::move(results[1 + k]));
    return Tensor(std::move(results[0]));
  }

  std::array<Tensor, N> backward(const Tensor& grad, Needs needs) const {
    std::array<Tensor, N> x;
    std::uint64_t wanted = 0;
    for (std::size_t i = 0; i < N; ++i) {
      x[i] = inputs[i];
      if (needs[i] && x[i].requires_grad()) wanted |= std::uint64_t{1} << i;
    }
    return gradients(x, grad, Needs(wanted));
  }

  // Element by element, the derivative times the tangent: the gradients of inputs that are not broadcast.
  Tensor jvp(const std::vector<Tensor>& tangents) const {
    std::array<Tensor, N> x;
    Shape shape;
    for (const Saved& input : inputs) shape = broadcast_shapes(name, shape, input.shape());
    for (std::size_t i = 0; i < N; ++i) x[i] = expand(inputs[i], shape);
    Tensor out;
    for (std::size_t i = 0; i < N; ++i) {
      if (!tangents[i].defined()) continue;
      const Tensor part = gradients(x, expand(tangents[i], shape), Needs(std::uint64_t{1} << i))[i];
      out = out.defined() ? out + part : part;
    }
    return out;
  }

 private:
  std::array<Tensor, N> gradients(const std::array<Tensor, N>& x, const Tensor& grad, Needs needs) const {
    if (is_grad_enabled()) {
      const auto on_tensors = [&](const std::same_as<Tensor> auto&... tensors) {
        return expand(tensor_dual(f(TensorDual{tensors}...), grad.dtype()).v, grad.shape());
      };
      return composed_backward(on_tensors, x, grad, needs);
    }
    std::array<Tensor, N> stored, result;
    std::array<Array, N> found;
    std::array<const Array*, N> x_at, stored_at;
    std::array<std::size_t, N> wanted;
    std::size_t count = 0, known = 0;
    for (std::size_t i = 0; i < N; ++i) {
      x_at[i] = &x[i].array();
      if (!needs[i]) continue;
      wanted[count++] = i;
      if (!derivatives[i].defined()) continue;
      stored[known] = derivatives[i];
      stored_at[known] = &stored[known].array();
      ++known;
    }
    if (count == 0) return result;
    const auto run = [&](const DerivativesLoop& loop) {
      input_gradients(loop, grad, x_at, std::span(wanted).first(count), std::span(stored_at).first(known),
                      std::span(found).first(count));
    };
    if (known > 0)
      run({nullptr, nullptr, count});
    else
      with_loop(grad.dtype(), std::span(wanted).first(count), run);
    for (std::size_t k = 0; k < count; ++k) result[wanted[k]] = Tensor(std::move(found[k]));
    return result;
  }

  template <class Use>
  void with_loop(DType dtype, std::span<const std::size_t> wanted, Use use) const {
    dispatch_floating(name, dtype, [&](auto zero) { with_derivatives_loop<decltype(zero), N>(f, wanted, use); });
  }
  /// Of functions that take long. Where they are more than the derivatives wanted, storing these beats computing them
  /// again in backward; where they are fewer, it would only cost memory.
  int calls() const {
    const auto counted = [this] {
      int count = 0;
      [&]<std::size_t... I>(std::index_sequence<I...>) { (void)f((void(I), CountedDual{&count})...); }
      (std::make_index_sequence<N>{});
      return count;
    };
    if constexpr (std::is_empty_v<F>) {  // no captured number decides over what it calls
      static const int count = counted();
      return count;
    } else {
      return counted();
    }
  }
};

/// Does not compile: where a lambda gets here, it uses a Tensor that it captured.
template <class Captured>
void refuse_captured_tensor() {
  static_assert(never<Captured>,
                "elementwise: the lambda uses a Tensor that it captured; make it a parameter of the lambda");
}

template <class T>
inline constexpr bool is_dual = false;
template <class T, int N>
inline constexpr bool is_dual<dual<T, N>> = true;
/// What a lambda is evaluated on.
template <class T>
concept LambdaArgument = is_dual<T> || std::is_same_v<T, CountedDual> || std::is_same_v<T, TensorDual>;

}  // namespace detail

#define XGRAD_REFUSE_TENSOR(op)               \
  template <detail::LambdaArgument L>         \
  L operator op(const L& x, const Tensor&) {  \
    detail::refuse_captured_tensor<Tensor>(); \
    return x;                                 \
  }                                           \
  template <detail::LambdaArgument L>         \
  L operator op(const Tensor&, const L& x) {  \
    detail::refuse_captured_tensor<Tensor>(); \
    return x;                                 \
  }
XGRAD_REFUSE_TENSOR(+)
XGRAD_REFUSE_TENSOR(-)
XGRAD_REFUSE_TENSOR(*)
XGRAD_REFUSE_TENSOR(/)
#undef XGRAD_REFUSE_TENSOR

/// What elementwise() gives: a function of as many tensors as the lambda has parameters.
template <class F, class Inputs = std::make_index_sequence<detail::lane_count<F>()>>
class Elementwise;

template <class F, std::size_t... I>
class Elementwise<F, std::index_sequence<I...>> {
 public:
  constexpr Elementwise(const char* name, const F& f) : name_(name), f_(f) {}

  const char* name() const { return name_; }

  Tensor operator()(detail::Repeated<I, Operand>... x) const {
    using Result = decltype(std::declval<const F&>()(detail::Repeated<I, real<float>>{}...));
    (check(x->defined(), name_, ": input ", I, " is an undefined tensor"), ...);
    DType dtype = DType::bool_;
    ((dtype = promote(dtype, x->dtype())), ...);
    dtype = detail::at_least(dtype, DType::float32);
    const DType computed = detail::compute_dtype(dtype);
    if constexpr (detail::is_mask<Result>) {
      const NoGrad no_grad;
      return detail::map(name_, f_, x->to(computed)...);
    } else {
      return detail::narrowed(apply(detail::ElementwiseOp<F, sizeof...(I)>{name_, f_}, x->to(computed)...), dtype);
    }
  }

 private:
  const char* name_;
  F f_;
};

/// An operation from a function of numbers, applied to tensors element by element:
///
///     constexpr auto huber = elementwise("huber", [](auto prediction, auto target) {
///       auto d = abs(prediction - target);
///       return where(d < 1, 0.5 * d * d, d - 0.5);
///     });
///     mean(huber(x, y)).backward();
///
/// The lambda takes one to eight parameters declared `auto`, and has
///   - arithmetic, with ordinary numbers too: 0.5 * x is float32 where x is; +=, -=, *=, /=;
///   - exp expm1 log log1p sqrt rsqrt square pow, sin cos tan asin acos atan atan2, sinh cosh tanh, sigmoid softplus
///     relu erf erfc lgamma digamma polygamma, abs sign floor, min and max (or minimum and maximum) of two, and
///     clamp(x, low, high), named without `std::`;
///   - comparisons, combined by && || !, and where(condition, a, b) to choose. There is no `if` on a value: the lambda
///     is evaluated for many elements at once, and both sides of a `where` are computed. `if` and loops on ordinary
///     numbers are fine, and so are other functions whose parameters are `auto`.
/// Numbers it captures by value are constants; captured tensors do not compile, they are to be parameters. A lambda
/// that gives a comparison makes a bool tensor.
///
/// The tensors broadcast together as in NumPy and are brought to one floating dtype; integers count as float32, and
/// bfloat16 and float16 are computed as float32 and rounded once. Derivatives of any order are derived: the first is
/// computed on numbers that carry their derivatives, for the inputs that require a gradient alone, and summed in the
/// same pass where an input was broadcast. Those of higher order evaluate the lambda on tensors, operation by
/// operation. For an element at which a function has an infinite derivative that is multiplied by 0, as in where(x > 0,
/// sqrt(x), 0) at 0, the first derivative is 0 and what a pass with create_graph gives is NaN.
///
/// It is vectorised, whatever flags the file is compiled with (g++ 14: with -fno-trapping-math), except for digamma and
/// polygamma, and for pow and lgamma of float64. sin, cos and tan are NaN beyond |x| = 2^31. Where the compiler fuses a
/// multiplication and an addition, it need not do so alike for the last elements of a tensor and beside a derivative:
/// values may differ in their last bit.
///
/// `name` is what errors and graphs call it, a string literal. The calls throw Error for undefined tensors and for
/// shapes that do not broadcast.
template <class F>
constexpr auto elementwise(const char* name, const F& f) {
  if constexpr (!std::is_trivially_destructible_v<F>) {
    static_assert(detail::never<F>,
                  "elementwise: the lambda captures numbers only, by value; a Tensor is to be a parameter");
  } else {
    constexpr std::size_t count = detail::lane_count<F>();
    static_assert(count != 0, "elementwise: the lambda takes one to eight parameters, each declared `auto`");
    if constexpr (count != 0) return Elementwise<F>(name, f);
  }
}

}  // namespace xgrad
