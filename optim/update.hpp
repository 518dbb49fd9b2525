#pragma once
// What an update of parameters is given: elements of a parameter, or a parameter as a whole.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>

#include "../autograd/named_tensors.hpp"
#include "../core/instruction_set.hpp"
#include "../kernels/elementary.hpp"

namespace xgrad::optim {

namespace detail {

inline constexpr std::size_t max_buffers = 4;

/// The term, which `factor` multiplies; 0 where the factor is, for 0 * infinity is not 0.
template <class T>
[[gnu::always_inline]] inline T unless_off(T factor, T term) {
  return factor == T(0) ? T(0) : term;
}

/// beta * before + (1 - beta) * now; what has no weight has no part, be it infinite.
template <class T>
[[gnu::always_inline]] inline T running_average(T beta, T fresh, T before, T now) {
  return unless_off(beta, beta * before) + unless_off(fresh, fresh * now);
}

/// Throws Error unless the option is finite and not negative.
void check_option(const char* optimizer, const char* name, double value);
/// Throws Error unless both lie in [0, 1).
void check_betas(const char* optimizer, double beta1, double beta2);

/// Calls f(begin, end) for ranges of [0, n), in all threads; numbers below the smallest normal one count as zero there.
void for_ranges(std::int64_t n, void (*f)(const void* context, std::int64_t begin, std::int64_t end),
                const void* context);

[[noreturn]] void fail_buffers();

/// Buffers that f takes after a parameter and a gradient.
template <class F, class T>
consteval std::size_t buffer_count() {
  if constexpr (std::invocable<const F&, T&, const T&>)
    return 0;
  else if constexpr (std::invocable<const F&, T&, const T&, T&>)
    return 1;
  else if constexpr (std::invocable<const F&, T&, const T&, T&, T&>)
    return 2;
  else if constexpr (std::invocable<const F&, T&, const T&, T&, T&, T&>)
    return 3;
  else {
    static_assert(std::invocable<const F&, T&, const T&, T&, T&, T&, T&>,
                  "each: the function takes a parameter, its gradient and up to four buffers, "
                  "[=](T& p, T g, T& momentum) { ... }");
    return 4;
  }
}

}  // namespace detail

/// Which gradients an update takes: those of all elements, those of some rows (see sparse_grad), or both.
enum class GradientKind { dense, sparse, any };

/// Elements of one parameter that are updated together.
template <class T>
struct Elements {
  std::int64_t size;
  std::int64_t step;  // of this parameter, counted from 1
  bool first;         // the buffers are as they were made, not of an earlier step
  T* parameter;
  const T* gradient;
  std::array<T*, detail::max_buffers> buffers;  // null where there is none of the parameter's shape
  // Of a sparse gradient: the rows of `width` elements of parameter and buffers that its elements belong to, and in
  // which column of the first row they begin.
  const std::int64_t* rows = nullptr;
  std::int64_t width = 0, column = 0;

  /// f(parameter, gradient, buffers...) for each element, vectorised: `[=](T& p, T g, T& momentum) { ... }`. The
  /// function captures numbers of type T (and flags), takes as many buffers as it needs, the first ones, and has no
  /// branch that depends on an element, but for `c ? a : b` of numbers; it is compiled for each instruction set. For a
  /// square root use elementary::sqrt, which is vectorised in files compiled with any flags.
  template <class F>
  void each(const F& f) const {
    constexpr std::size_t count = detail::buffer_count<F, T>();
    for (std::size_t k = 0; k < count; ++k)
      if (!buffers[k]) detail::fail_buffers();
    [&]<std::size_t... k>(std::index_sequence<k...>) {
      if (!rows) return run(f, size, parameter, gradient, buffers[k]...);
      const std::int64_t* row = rows;
      for (std::int64_t done = 0, from = column, n = 0; done < size; done += n, from = 0, ++row) {
        n = std::min(width - from, size - done);
        const std::int64_t at = *row * width + from;
        run(f, n, parameter + at, gradient + done, buffers[k] + at...);
      }
    }
    (std::make_index_sequence<count>());
  }

 private:
  // The buffers are read before and written after, for the compiler cannot know that they do not overlap.
  template <class F, class... B>
  [[gnu::noinline]] static void run(const F& f, std::int64_t n, T* p, const T* g, B*... buffer) {
    vectorized([=] {
      const auto element = [=](std::int64_t i) __attribute__((always_inline)) {
        T value = p[i];
        [&](auto... kept) __attribute__((always_inline)) {
          f(value, g[i], kept...);
          p[i] = value;
          ((buffer[i] = kept), ...);
        }
        (buffer[i]...);
      };
      if constexpr (sizeof...(B) >= 2) {  // more streams than the processor looks ahead in by itself
        for_each_streaming(n, element, p, g, buffer...);
      } else {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < n; ++i) element(i);
      }
    });
  }
};

/// One parameter in a step, for updates that need it as a whole. Grad mode is off.
struct ParameterUpdate {
  Tensor parameter;       // changed in place; of 16 bits, a float32 copy that is rounded afterwards
  Tensor gradient;        // of its shape and dtype, which lies in memory as it does
  NamedTensors& buffers;  // as `buffers` made them, changed in place
  std::int64_t step;      // of this parameter, counted from 1
  bool first;             // the buffers are as they were made, not of an earlier step
  std::size_t group;
  Tensor rows = {};  // of an update that takes sparse gradients: the rows that `gradient` has, in its order

  /// Elements [begin, end) of the gradient, in the order in which the parameter lies in memory.
  template <class T>
  Elements<T> elements(std::int64_t begin, std::int64_t end) const {
    const std::int64_t shift = rows.defined() ? 0 : begin;
    const auto from = [&](const Tensor& tensor) { return reinterpret_cast<T*>(tensor.impl().data) + shift; };
    Elements<T> range{end - begin, step, first, from(parameter), nullptr, {}};
    range.gradient = reinterpret_cast<const T*>(gradient.impl().data) + begin;
    if (rows.defined()) {
      range.width = parameter.size(1);
      range.rows = rows.data<std::int64_t>() + begin / range.width;
      range.column = begin % range.width;
    }
    for (std::size_t k = 0; k < buffers.size() && k < detail::max_buffers; ++k) {
      const auto& buffer = buffers[k].second.impl();
      const auto& own = parameter.impl();
      const bool fits =
          buffer.row_major && own.row_major ? buffer.numel == own.numel : xgrad::detail::lies_like(buffer, own);
      if (fits && buffer.dtype == own.dtype) range.buffers[k] = from(buffers[k].second);
    }
    return range;
  }

  /// Elements::each over the whole parameter, in all threads; f takes float and double:
  /// `[=]<class T>(T& p, T g, T& momentum) { ... }`.
  template <class F>
  void each(const F& f) const {
    dispatch_floating("optimizer", parameter.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto run = [&](std::int64_t begin, std::int64_t end) { elements<T>(begin, end).each(f); };
      detail::for_ranges(
          parameter.numel(),
          [](const void* context, std::int64_t begin, std::int64_t end) {
            (*static_cast<decltype(run)*>(context))(begin, end);
          },
          &run);
    });
  }
};

}  // namespace xgrad::optim
