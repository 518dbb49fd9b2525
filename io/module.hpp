#pragma once
// Modules in files.

#include "../nn/module.hpp"
#include "safetensors.hpp"

namespace xgrad {

/// Writes the parameters and buffers of a module as safetensors, under PyTorch's names (see nn::state_dict), so that
/// `model.load_state_dict(safetensors.torch.load_file(path))` reads them in Python. The file appears in one step, or
/// not at all; see save_safetensors for the errors.
template <nn::Module M>
void save(const M& module, const std::string& path) {
  save_safetensors(path, nn::state_dict(module), {{"format", "pt"}});
}

/// Copies values from a safetensors file, written by save() or by Python, into the module's tensors, converted to their
/// dtypes. Throws Error, with nothing changed, where the file is damaged or does not fit the module; see
/// nn::load_state_dict, which also says what `strict` is.
template <nn::Module M>
nn::IncompatibleKeys load(M& module, const std::string& path, const nn::LoadStateDictOptions& options = {}) {
  const NamedTensors values = load_safetensors(path);
  return nn::detail::load_state_dict("load: " + path, nn::detail::tree_of(module), values, options.strict);
}

}  // namespace xgrad
