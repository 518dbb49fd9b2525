#pragma once
// Tensors of a module by patterns of their names.

#include "module.hpp"

namespace xgrad::nn {

/// Whether a name fits a pattern, in which `*` stands for any text, also with dots and also empty, and `?` for one
/// character: "layers.*.bias" fits "layers.0.fc1.bias".
bool matches(std::string_view name, std::string_view pattern);

namespace detail {
/// Sets requires_grad of the parameters whose names match; returns these names. Throws Error, with nothing changed,
/// where no name does.
std::vector<std::string> set_requires_grad(const char* op, const Tree& tree, std::string_view pattern, bool value);
}  // namespace detail

/// Makes the parameters with matching names require no gradient: no optimizer moves them. Returns their names. Throws
/// Error, with nothing changed, where none matches. A plain Tensor field is a buffer from then on (see
/// nn::requires_grad_); parameters of this library's layers stay parameters, and can be unfrozen.
///
///     nn::freeze(net, "encoder.*");
template <Module M>
std::vector<std::string> freeze(M& module, std::string_view pattern) {
  return detail::set_requires_grad("freeze", detail::tree_of(module), pattern, false);
}
/// Makes them require a gradient again.
template <Module M>
std::vector<std::string> unfreeze(M& module, std::string_view pattern) {
  return detail::set_requires_grad("unfreeze", detail::tree_of(module), pattern, true);
}

}  // namespace xgrad::nn
