#pragma once
// The modules of a model by their paths, for a Profile.

#include "../array/profile.hpp"
#include "module.hpp"

namespace xgrad::nn {

namespace detail {
ModulePaths module_paths(const Tree& tree);
}

/// Where in memory modules are, with their paths in `model`, such as `layers.2.fc1`: those with parameters, and layers
/// of a Sequential. What a module computes by functions, as relu(x), is part of the layer of a Sequential around it, if
/// there is one; else of no module. The model has to stay where it is while these paths are used, and is known by its
/// type. Throws Error where `model` has no parameters that can be found.
///
///     {
///       const Profile profile("trace.json", nn::module_paths(net));
///       train_one_step();
///     }
///     std::cout << train::profile_table("trace.json", train::ProfileBy::module);
template <Module M>
ModulePaths module_paths(const M& model) {
  return detail::module_paths(detail::tree_of(model));
}

}  // namespace xgrad::nn
