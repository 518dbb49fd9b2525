#pragma once
// What an optimizer trains.

#include <concepts>
#include <initializer_list>
#include <utility>
#include <vector>

#include "../nn/module.hpp"

namespace xgrad::optim {

/// The parameters of a module, or tensors, with or without names.
class Parameters {
 public:
  Parameters() = default;
  Parameters(const std::vector<Tensor>& tensors);
  Parameters(std::initializer_list<Tensor> tensors) : Parameters(std::vector<Tensor>(tensors)) {}
  Parameters(NamedTensors tensors) : named_(std::move(tensors)) {}
  template <nn::Module M>
  requires(!std::same_as<M, std::vector<Tensor>> && !std::same_as<M, NamedTensors>) Parameters(const M& module)
      : named_(nn::named_parameters(module)) {}

  /// The tensors; those that were given without a name have an empty one.
  const NamedTensors& named() const { return named_; }

 private:
  NamedTensors named_;
};

/// Parameters with options of their own: `{nn::parameters(net, nn::not_decayed), {.weight_decay = 0}}`.
template <class Options>
struct ParamGroup {
  Parameters parameters;
  Options options = {};  // what is not set here comes from the optimizer's options
};

/// The parameters of an optimizer: one group, given as `net` or `{weight, bias}`, or several, given as
/// `{{parameters, options}, ...}`.
template <class Options>
class ParamGroups {
 public:
  ParamGroups() : groups_(1) {}
  ParamGroups(std::initializer_list<Tensor> tensors) : groups_{{tensors}} {}
  ParamGroups(std::initializer_list<ParamGroup<Options>> groups) : groups_(groups) {}
  ParamGroups(std::vector<ParamGroup<Options>> groups) : groups_(std::move(groups)) {}
  template <class P>
  requires(std::convertible_to<const P&, Parameters> && !std::derived_from<P, ParamGroups> &&
           !std::same_as<P, ParamGroup<Options>>) ParamGroups(const P& parameters)
      : groups_{{parameters}} {}

  const std::vector<ParamGroup<Options>>& groups() const { return groups_; }

 private:
  std::vector<ParamGroup<Options>> groups_;
};

}  // namespace xgrad::optim
