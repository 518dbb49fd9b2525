#pragma once
// Where in a model an error arose.

#include <string>

#include "../array/profile.hpp"
#include "tree.hpp"

namespace xgrad::nn::detail {

/// An error with its place: the message ends with `; in layers.2.fc1` as soon as a module around it has found that.
class ModuleError : public Error {
 public:
  ModuleError(std::string message, const void* parameter, std::string path = {});

  std::string message;    // without the place
  const void* parameter;  // of the module in which it arose, by which modules around find that; null where it has none
  std::string path;       // from the outermost module that has found it
};

/// Throws the error that is being handled, with the parameter by which modules around find its place. Compiled in the
/// library, where there is RTTI.
[[noreturn]] void rethrow_at(const Tensor& parameter, const Error& error);

/// f(), which is what a module with this parameter, a field of it, computes.
template <class F>
auto locate(const Tensor& parameter, const F& f) {
  const xgrad::detail::ModuleScope scope(&parameter);
  try {
    return f();
  } catch (const Error& error) {
    rethrow_at(parameter, error);
  }
}

/// Throws an error of a module again, with its place in a module around it: `name`, and the path from there.
[[noreturn]] void rethrow_from(const Tree& module, const std::string& name, const Error& error);

/// f(), which is what a whole model computes.
template <class M, class F>
Tensor located_in(M& model, const F& f) {
  try {
    return f();
  } catch (const ModuleError& error) {
    rethrow_from(tree_of(model), "", error);
  }
}

}  // namespace xgrad::nn::detail
