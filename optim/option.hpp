#pragma once
// Options of optimizers that know whether they were set.

#include <type_traits>

namespace xgrad::optim {

/// A default: `Option<double> lr = by_default(1e-3);`.
template <class T>
struct Default {
  T value;
};
template <class T>
constexpr Default<T> by_default(T value) {
  return {value};
}

/// A number or flag that knows whether it was set. It is used as a T, and set as one: `{.lr = 0.1}`. What a parameter
/// group does not set comes from the optimizer's own options.
template <class T>
class Option {
 public:
  constexpr Option(T value) : value_(value), is_set_(true) {}
  constexpr Option(Default<T> otherwise) : value_(otherwise.value) {}

  constexpr operator T() const { return value_; }
  constexpr bool is_set() const { return is_set_; }

 private:
  T value_;
  bool is_set_ = false;
};

template <class T>
inline constexpr bool is_option = false;
template <class T>
inline constexpr bool is_option<Option<T>> = true;

}  // namespace xgrad::optim
