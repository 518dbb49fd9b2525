#include "module_error.hpp"

#include <optional>
#include <typeinfo>

namespace xgrad::nn::detail {

namespace {

// The path to the module that has this parameter; empty for `tree` itself.
std::optional<std::string> find(const Tree& tree, const void* parameter) {
  for (const TreeTensor& entry : tree.tensors)
    if (&entry.tensor->impl() == parameter) return std::string();
  for (const Tree& child : tree.children)
    if (const auto path = find(child, parameter)) return path->empty() ? child.name : child.name + '.' + *path;
  return std::nullopt;
}

std::string join(const std::string& name, const std::string& path) {
  return name.empty() || path.empty() ? name + path : name + '.' + path;
}

}  // namespace

ModuleError::ModuleError(std::string text, const void* where, std::string at)
    : Error(at.empty() ? text : text + "; in " + at), message(std::move(text)), parameter(where), path(std::move(at)) {}

void rethrow_at(const Tensor& parameter, const Error& error) {
  if (typeid(error) != typeid(Error) || !parameter.defined()) throw;
  throw ModuleError(error.what(), &parameter.impl());
}

void rethrow_from(const Tree& module, const std::string& name, const Error& error) {
  if (const auto* inner = dynamic_cast<const ModuleError*>(&error)) {
    const auto path = find(module, inner->parameter);
    throw ModuleError(inner->message, inner->parameter, join(name, path ? *path : inner->path));
  }
  if (typeid(error) != typeid(Error) || name.empty()) throw;
  throw ModuleError(error.what(), nullptr, name);
}

}  // namespace xgrad::nn::detail
