#include "module.hpp"

#include <unordered_set>

#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"

namespace xgrad::nn::detail {

void enter(Walk& walk) {
  check(++walk.depth <= 1000, "nn: modules are nested more than 1000 deep; does a shared_ptr point to a module above?");
}

void fail_unshare(std::string_view name, std::string_view type) {
  fail("clone: ", name, ", a shared_ptr to ", type, ", points to what cannot be copied");
}

void add_tensor(Tree& parent, std::string_view name, MarkedTensor marked) {
  if (!marked.tensor.defined()) return;
  check(marked.tensor.is_leaf(), "nn: ", parent.name, parent.name.empty() ? "" : ".", name, " of shape ",
        marked.tensor.shape(), " in ", parent.type,
        " comes from an operation; a parameter is made by the user: use .detach() and .requires_grad_()");
  parent.tensors.push_back({std::string(name), &marked.tensor, marked.is_parameter});
}

void add_tensor(Tree& parent, std::string_view name, Tensor& tensor) {
  add_tensor(parent, name, {tensor, tensor.requires_grad()});
}

namespace {

// Calls f(name, entry): parameters of a module, its buffers, then the modules in it.
template <class F>
void for_each_tensor(const Tree& tree, const std::string& prefix, const F& f) {
  for (const bool parameters : {true, false})
    for (const TreeTensor& entry : tree.tensors)
      if (entry.is_parameter == parameters) f(prefix + entry.name, entry);
  for (const Tree& child : tree.children) for_each_tensor(child, prefix + child.name + '.', f);
}

// Calls f(name, module), the module itself first.
template <class F>
void for_each_module(const Tree& tree, const std::string& name, const F& f) {
  f(name, tree);
  for (const Tree& child : tree.children)
    for_each_module(child, name.empty() ? child.name : name + '.' + child.name, f);
}

NamedTensors named(const Tree& tree, bool parameters) {
  NamedTensors all;
  std::unordered_set<const void*> seen;
  bool shared = false;
  for_each_tensor(tree, "", [&](std::string name, const TreeTensor& entry) {
    if (entry.is_parameter != parameters) return;
    if (seen.insert(&entry.tensor->impl()).second)
      all.emplace_back(std::move(name), *entry.tensor);
    else
      shared = true;
  });
  if (shared) warn_of_copies(tree);
  return all;
}

// Replaces every tensor by make(tensor); those that were one stay one.
template <class F>
void replace(const Tree& tree, const F& make) {
  std::unordered_map<const void*, Tensor> made;
  for_each_tensor(tree, "", [&](const std::string&, const TreeTensor& entry) {
    const auto found = made.find(&entry.tensor->impl());
    if (found == made.end()) made.emplace(&entry.tensor->impl(), make(*entry.tensor));
  });
  std::unordered_set<const void*> replaced;  // a module that is reached twice is replaced once
  for_each_tensor(tree, "", [&](const std::string&, const TreeTensor& entry) {
    if (replaced.insert(entry.tensor).second) *entry.tensor = made.at(&entry.tensor->impl());
  });
}

std::string join(const std::vector<std::string>& items, std::string_view separator) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : std::string(separator)) + item;
  return text;
}

}  // namespace

NamedTensors named_parameters(const Tree& tree) { return named(tree, true); }
NamedTensors named_buffers(const Tree& tree) { return named(tree, false); }

NamedTensors state_dict(const Tree& tree) {
  NamedTensors all;
  for_each_tensor(tree, "", [&](std::string name, const TreeTensor& entry) {
    all.emplace_back(std::move(name), entry.tensor->detach());
  });
  return all;
}

IncompatibleKeys load_state_dict(std::string_view op, const Tree& tree, const NamedTensors& values, bool strict) {
  std::unordered_map<std::string_view, const Tensor*> by_name;
  std::vector<std::string> repeated;
  for (const auto& [name, value] : values) {
    check(value.defined(), op, ": the value of ", name, " is undefined");
    if (!by_name.emplace(name, &value).second) repeated.push_back(name);
  }

  IncompatibleKeys keys;
  std::vector<std::string> misshaped;
  std::vector<std::pair<Tensor, const Tensor*>> assignments;
  std::vector<std::pair<std::string, const void*>> absent;
  std::unordered_set<std::string> known;
  std::unordered_set<const void*> memory, found;
  for_each_tensor(tree, "", [&](const std::string& name, const TreeTensor& entry) {
    const Tensor& to = *entry.tensor;
    known.insert(name);
    memory.insert(to.impl().storage.get());
    const auto match = by_name.find(name);
    if (match == by_name.end()) {
      absent.emplace_back(name, &to.impl());
      return;
    }
    const Tensor& value = *match->second;
    found.insert(&to.impl());
    if (value.shape() == to.shape())
      assignments.emplace_back(to, &value);
    else
      misshaped.push_back(name + " is " + to.shape().str() + " in the module, " + value.shape().str() +
                          " in the values");
  });
  for (auto& [name, impl] : absent)
    if (!found.contains(impl)) keys.missing_keys.push_back(name);
  for (const auto& [name, value] : values)
    if (!known.contains(name)) keys.unexpected_keys.push_back(name);

  std::string problems;
  const auto report = [&](const char* title, const std::vector<std::string>& items, std::string_view separator) {
    if (!items.empty()) problems += std::string("\n  ") + title + join(items, separator);
  };
  if (strict) report("missing: ", keys.missing_keys, ", ");
  if (strict) report("unexpected: ", keys.unexpected_keys, ", ");
  report("given twice: ", repeated, ", ");
  report("of another shape: ", misshaped, "; ");
  if (strict && !(keys.missing_keys.empty() && keys.unexpected_keys.empty()))
    problems += "\n  {.strict = false} leaves missing and unexpected names aside";
  check(problems.empty(), op, ": the values do not fit the module; nothing was changed", problems);

  // All that can fail comes first: conversions, and copies of values that lie in memory about to be overwritten.
  std::vector<Tensor> sources;
  sources.reserve(assignments.size());
  for (const auto& [to, value] : assignments) {
    const Tensor source = value->detach().to(to.dtype());
    sources.push_back(memory.contains(source.impl().storage.get()) ? source.clone() : source);
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    xgrad::detail::overwrite(assignments[i].first, sources[i]);
    assignments[i].first.impl().storage->raise_version("load_state_dict");
  }
  return keys;
}

void set_training(const Tree& tree, bool mode) {
  for_each_module(tree, "", [mode](const std::string&, const Tree& module) {
    if (module.training) *module.training = mode;
  });
}

TrainingFlags training_flags(const Tree& tree) {
  TrainingFlags flags;
  for_each_module(tree, "", [&](const std::string& name, const Tree& module) {
    if (module.training) flags.emplace(name, *module.training);
  });
  return flags;
}

void set_training(const Tree& tree, const TrainingFlags& flags) {
  for_each_module(tree, "", [&](const std::string& name, const Tree& module) {
    const auto found = flags.find(name);
    if (module.training && found != flags.end()) *module.training = found->second;
  });
}

void set_requires_grad(const Tree& tree, bool value) {
  for (auto& [name, tensor] : named(tree, true)) tensor.requires_grad_(value);
}

void clone_tensors(const Tree& tree) {
  replace(tree, [](const Tensor& tensor) {
    Tensor copy = tensor.detach().clone();
    return copy.requires_grad_(tensor.requires_grad());
  });
}

void convert(const Tree& tree, DType dtype) {
  check(is_floating(dtype), "to: a module is converted to a floating dtype, not to ", dtype);
  replace(tree, [dtype](const Tensor& tensor) {
    if (!is_floating(tensor.dtype()) || tensor.dtype() == dtype) return tensor;
    Tensor converted = tensor.detach().to(dtype);
    return converted.requires_grad_(tensor.requires_grad());
  });
}

std::vector<Tensor> like_parameters(const char* op, const Tree& tree, const NamedTensors& parameters) {
  std::unordered_map<std::string, Tensor> by_name;
  for_each_tensor(tree, "", [&](std::string name, const TreeTensor& entry) {
    by_name.emplace(std::move(name), entry.tensor->detach());
  });
  std::vector<Tensor> found;
  for (const auto& [name, parameter] : parameters) {
    const auto at = by_name.find(name);
    check(at != by_name.end(), op, ": the direction has no ", name, ", which the module has");
    const Tensor& value = at->second;
    check(value.shape() == parameter.shape() && value.dtype() == parameter.dtype(), op, ": ", name,
          " of the direction has shape ", value.shape(), " and dtype ", value.dtype(),
          "; that of the module has shape ", parameter.shape(), " and dtype ", parameter.dtype());
    found.push_back(value);
  }
  return found;
}

void put_derivatives(const Tree& copy, const NamedTensors& parameters, const std::vector<Tensor>& derivatives) {
  std::unordered_map<const void*, std::size_t> positions;
  for (const auto& [name, parameter] : parameters) positions.emplace(&parameter.impl(), positions.size());
  replace(copy, [&](const Tensor& tensor) {
    const auto found = positions.find(&tensor.impl());
    if (found == positions.end()) return zeros_like(tensor);
    Tensor derivative = derivatives[found->second];
    if (!derivative.requires_grad()) derivative.requires_grad_(tensor.requires_grad());
    return derivative;
  });
}

}  // namespace xgrad::nn::detail
