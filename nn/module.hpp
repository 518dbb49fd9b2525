#pragma once
// Functions over modules. A module is any struct; these find its tensors and modules by themselves.

#include <unordered_map>

#include "../autograd/named_tensors.hpp"
#include "tree.hpp"

namespace xgrad::nn {

// A field of a module is
//  - a parameter, if it is a Tensor that requires a gradient,
//  - a buffer, if it is any other Tensor: state that is saved but not trained,
//  - a module, if it is a struct, a callable, or a std::vector, std::array, C array, std::map by name, std::tuple,
//    std::optional, std::unique_ptr or std::shared_ptr of such,
//  - the training flag, if it is `bool training`: what train() and eval() set,
//  - otherwise passed over, as an undefined Tensor or an empty optional is.
//
//     struct Block {
//       nn::Linear fc{64, 64};
//       Tensor scale = ones({64}, {.requires_grad = true});
//       bool training = true;
//       Tensor operator()(const Tensor& x) const { return relu(fc(x)) * scale; }
//     };
//
// Names are PyTorch's: the path of fields with dots, elements by index: `layers.0.fc.weight`. A class that is no
// aggregate lists its fields in a function fields(); there nn::parameter and nn::buffer can fix what a tensor is, so
// that a frozen parameter (which requires no gradient) is not taken for a buffer; the layers of this library do so.
// Copying a module copies handles: the copy shares its tensors. clone() makes one that shares nothing. Copies that
// share all their tensors in one model are most often a mistake, as in std::vector<nn::Linear>(3, nn::Linear(4, 4)):
// parameters() and summary() say so on the standard error stream. A layer is shared on purpose by std::shared_ptr, a
// single tensor by assignment. A raw pointer to a module does not compile: a module owns its parts. A tensor that comes
// from an operation is an Error: a parameter is made by the user; see Tensor::detach.

struct LoadStateDictOptions {
  bool strict = true;  // missing and unexpected keys are errors
};

/// What load_state_dict() did not find; both are empty where it was strict.
struct IncompatibleKeys {
  std::vector<std::string> missing_keys;     // in the module, not in the values
  std::vector<std::string> unexpected_keys;  // in the values, not in the module
};

namespace detail {
NamedTensors named_parameters(const Tree& tree);
NamedTensors named_buffers(const Tree& tree);
NamedTensors state_dict(const Tree& tree);
IncompatibleKeys load_state_dict(std::string_view op, const Tree& tree, const NamedTensors& values, bool strict);
void set_training(const Tree& tree, bool mode);
/// The training flags of all modules, by name.
using TrainingFlags = std::unordered_map<std::string, bool>;
TrainingFlags training_flags(const Tree& tree);
/// Sets those that are still there.
void set_training(const Tree& tree, const TrainingFlags& flags);
void set_requires_grad(const Tree& tree, bool value);
void clone_tensors(const Tree& tree);
void convert(const Tree& tree, DType dtype);
std::string summary(const Tree& tree);
/// Says once for each pair, on the standard error stream, which modules are copies of each other that share all
/// tensors. Not one object that is reached twice through std::shared_ptr, and not modules that share some tensors.
void warn_of_copies(const Tree& tree);
/// The tensors of a module, at the names of these parameters and of their shapes and dtypes, outside the graph. Throws
/// Error in the name of `op`.
std::vector<Tensor> like_parameters(const char* op, const Tree& tree, const NamedTensors& parameters);
/// Puts derivatives in the place of the parameters of a copy of the module they belong to, and zeros in that of
/// buffers.
void put_derivatives(const Tree& copy, const NamedTensors& parameters, const std::vector<Tensor>& derivatives);
}  // namespace detail

/// The parameters, which share memory with the module; a module's own before those of its modules, as in PyTorch. A
/// parameter that occurs twice is listed once, under its first name.
template <Module M>
NamedTensors named_parameters(const M& module) {
  return detail::named_parameters(detail::tree_of(module));
}
template <Module M>
std::vector<Tensor> parameters(const M& module) {
  std::vector<Tensor> all;
  for (auto& [name, tensor] : named_parameters(module)) all.push_back(std::move(tensor));
  return all;
}
/// The parameters that predicate(name, tensor) chooses, in the same order: those of a group of an optimizer, say.
template <Module M, std::predicate<std::string_view, const Tensor&> Predicate>
NamedTensors named_parameters(const M& module, Predicate&& predicate) {
  NamedTensors chosen = named_parameters(module);
  std::erase_if(chosen, [&](const auto& entry) { return !predicate(std::string_view(entry.first), entry.second); });
  return chosen;
}
template <Module M, std::predicate<std::string_view, const Tensor&> Predicate>
std::vector<Tensor> parameters(const M& module, Predicate&& predicate) {
  std::vector<Tensor> all;
  for (auto& [name, tensor] : named_parameters(module, predicate)) all.push_back(std::move(tensor));
  return all;
}
/// Predicates: parameters that weight decay is for, matrices and those of more axes; and the rest, biases and the
/// scales and shifts of norms.
inline bool decayed(std::string_view, const Tensor& parameter) { return parameter.dim() >= 2; }
inline bool not_decayed(std::string_view, const Tensor& parameter) { return parameter.dim() < 2; }
/// The buffers, which share memory with the module, each once.
template <Module M>
NamedTensors named_buffers(const M& module) {
  return detail::named_buffers(detail::tree_of(module));
}
/// Number of elements of all parameters.
template <Module M>
std::int64_t num_parameters(const M& module) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : named_parameters(module)) count += tensor.numel();
  return count;
}

/// Parameters and buffers, each module's parameters first, in PyTorch's order and under PyTorch's names. The tensors
/// are detached, and share memory with the module: clone them to keep what they are now. A tensor that occurs twice is
/// listed under both names.
template <Module M>
NamedTensors state_dict(const M& module) {
  return detail::state_dict(detail::tree_of(module));
}
/// Copies values by name into the module's tensors, converted to their dtypes.
/// Throws Error, with nothing changed, that lists every key that is missing or unexpected (if strict), given twice, or
/// of another shape than the module's tensor. Of two names for one tensor, one is enough.
template <Module M>
IncompatibleKeys load_state_dict(M& module, const NamedTensors& values, const LoadStateDictOptions& options = {}) {
  return detail::load_state_dict("load_state_dict", detail::tree_of(module), values, options.strict);
}

/// Sets the training flag of this module and all inside it: whether dropout drops, and whether batch norm takes its
/// statistics from the batch.
template <Module M>
void train(M& module, bool mode = true) {
  detail::set_training(detail::tree_of(module), mode);
}
/// train(module, false).
template <Module M>
void eval(M& module) {
  train(module, false);
}

namespace detail {

/// Puts a module into evaluation mode until the end of the scope. Each module in it then has its own mode again; it is
/// found by its name, for the module may have changed meanwhile.
template <Module M>
class [[nodiscard]] EvaluationScope {
 public:
  explicit EvaluationScope(M& module) : module_(module), flags_(training_flags(tree_of(module))) { eval(module); }
  ~EvaluationScope() {
    try {
      set_training(tree_of(module_), flags_);
    } catch (const Error&) {  // what the module has become has no parameters, and so no modes
    }
  }
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  M& module_;
  const TrainingFlags flags_;
};

}  // namespace detail

/// Freezes all parameters (false), or makes them require a gradient. A plain Tensor field that requires no gradient is
/// a buffer, and stays one.
template <Module M>
void requires_grad_(M& module, bool value = true) {
  detail::set_requires_grad(detail::tree_of(module), value);
}
/// Removes the gradients of all parameters.
template <Module M>
void zero_grad(const M& module) {
  for (const auto& [name, tensor] : named_parameters(module)) tensor.zero_grad();
}

/// A copy that shares no memory with `module`: parameters and buffers of its own, with the same values and the same
/// requires_grad, and no gradients. Fields and objects that share a tensor or a std::shared_ptr share the copy's too.
template <Module M>
M clone(const M& module) {
  static_assert(std::is_copy_constructible_v<M>, "clone: the module cannot be copied");
  M copy = module;
  detail::clone_tensors(detail::tree_of(copy, true));
  return copy;
}

/// Converts all floating parameters and buffers. They become new tensors: make the optimizer afterwards.
template <Module M>
void to(M& module, DType dtype) {
  detail::convert(detail::tree_of(module), dtype);
}

/// A table of the modules: name, type, shapes and number of parameters; then the totals.
template <Module M>
std::string summary(const M& module) {
  return detail::summary(detail::tree_of(module));
}

}  // namespace xgrad::nn
