#pragma once
// An optimizer made of a struct: its members are the options, its function is the update.

#include <algorithm>

#include "../autograd/create.hpp"
#include "../core/reflect.hpp"
#include "optimizer.hpp"
#include "option.hpp"

namespace xgrad::optim {

namespace detail {

template <class Rule>
concept ElementwiseRule = requires(const Rule& rule, const Elements<float>& elements) {
  rule.update(elements);
};
template <class Rule>
concept ParameterRule = requires(const Rule& rule, ParameterUpdate& update) {
  rule.update(update);
};
template <class Rule>
concept ModelRule = requires(const Rule& rule, std::span<ParameterUpdate> all) {
  rule.update(all);
};

/// What a schedule of momentum changes: `momentum`, or else `beta1`; null where the rule has neither.
template <class Rule>
auto* momentum_of(Rule& rule) {
  if constexpr (requires { requires is_option<decltype(Rule::momentum)>; })
    return &rule.momentum;
  else if constexpr (requires { requires is_option<decltype(Rule::beta1)>; })
    return &rule.beta1;
  else
    return static_cast<Option<double>*>(nullptr);
}

}  // namespace detail

/// The optimizer that a struct describes, in all that Optimizer has: groups, schedules, state.
///
///     struct SignMomentum {
///       optim::Option<double> lr = optim::by_default(1e-4), momentum = optim::by_default(0.9);
///       static constexpr std::array buffers{"momentum_buffer"};
///
///       template <class T>
///       void update(const optim::Elements<T>& elements) const {
///         const T rate = static_cast<T>(lr), beta = static_cast<T>(momentum);
///         elements.each([=](T& p, T g, T& m) {
///           m = beta * m + (1 - beta) * g;
///           p -= m > 0 ? rate : -rate;
///         });
///       }
///     };
///     optim::OptimizerOf<SignMomentum> optimizer(net, {.lr = 1e-3});
///
/// Members are options; those of type Option may differ by group, of others the groups have the optimizer's own. `lr`
/// is required, and is the current rate where the update reads it. A momentum, which schedules change too, is called
/// `momentum` or `beta1`. The update is one of
///   void update(const Elements<T>&) const              of elements, a template of T, called in several threads at once
///   void update(ParameterUpdate&) const                of a parameter as a whole, in tensor operations
///   void update(std::span<ParameterUpdate>) const      of all parameters of a group that have a gradient
/// `buffers` are the names of what is kept for each element, zero at first, or a function
/// `NamedTensors buffers(const Tensor& parameter) const` that makes what is kept for a parameter; there may be none.
/// `GradientKind gradients() const`, where it is there, says which gradients an update of elements takes, if not dense
/// ones alone: it is then called for the rows of a sparse gradient, and goes over them by each().
/// `void validate() const`, where it is there, throws Error for options that are out of range.
template <class Rule>
class OptimizerOf : public Optimizer {
  static_assert(Reflectable<Rule>, "an optimizer is a plain struct, whose members are its options");
  static_assert(
      requires { requires is_option<decltype(Rule::lr)>; },
      "an optimizer's struct has a member "
      "Option<double> lr, the learning rate");
  static_assert(detail::ElementwiseRule<Rule> || detail::ParameterRule<Rule> || detail::ModelRule<Rule>,
                "an optimizer's struct has a function update(const Elements<T>&) const, update(ParameterUpdate&) const "
                "or update(std::span<ParameterUpdate>) const");

 public:
  explicit OptimizerOf(const ParamGroups<Rule>& groups, const Rule& defaults = {});

  /// Adds parameters that are trained from now on, with options of their own. A schedule that is there takes the
  /// group's rate as the initial one. Throws Error, with nothing changed, as the constructor does.
  void add_param_group(const ParamGroup<Rule>& group);
  /// The options of a group, with the current learning rate.
  Rule options(std::size_t group = 0) const;

 private:
  void update(std::span<ParameterUpdate> all) override;
  GradientKind gradients(std::size_t group) const override;
  NamedTensors buffers(std::size_t group, const Tensor& parameter) const override;

  Rule defaults_;
  std::vector<Rule> options_;  // by group, complete
  std::vector<Rule> current_;  // of this step
};

template <class Rule>
OptimizerOf<Rule>::OptimizerOf(const ParamGroups<Rule>& groups, const Rule& defaults) : defaults_(defaults) {
  for (const ParamGroup<Rule>& group : groups.groups()) add_param_group(group);
}

template <class Rule>
void OptimizerOf<Rule>::add_param_group(const ParamGroup<Rule>& group) {
  Rule options = defaults_;
  for_each_field(options, [&](std::string_view name, auto& option) {
    using Field = std::remove_reference_t<decltype(option)>;
    if constexpr (is_option<Field>)
      for_each_field(group.options, [&]<class Own>(std::string_view own_name, const Own& own) {
        if constexpr (std::same_as<Own, Field>)
          if (own_name == name && own.is_set()) option = own;
      });
  });
  if constexpr (requires { options.validate(); }) options.validate();
  std::optional<double> momentum;
  if (const auto* option = detail::momentum_of(options)) momentum = *option;
  options_.reserve(options_.size() + 1);
  add_group(group.parameters, options.lr, momentum);
  options_.push_back(options);
}

template <class Rule>
Rule OptimizerOf<Rule>::options(std::size_t group) const {
  const detail::GroupRate& now = rate(group);
  Rule options = options_[group];
  options.lr = now.lr;
  if (now.momentum) *detail::momentum_of(options) = *now.momentum;
  return options;
}

template <class Rule>
void OptimizerOf<Rule>::update(std::span<ParameterUpdate> all) {
  current_.clear();
  for (std::size_t group = 0; group < options_.size(); ++group) current_.push_back(options(group));
  if constexpr (detail::ElementwiseRule<Rule>) {
    for_each_piece(all, [this](const Piece& piece) {
      dispatch_floating("optimizer", piece.of->parameter.dtype(), [&](auto zero) {
        current_[piece.of->group].update(piece.of->template elements<decltype(zero)>(piece.begin, piece.end));
      });
    });
  } else if constexpr (detail::ParameterRule<Rule>) {
    for (ParameterUpdate& one : all) current_[one.group].update(one);
  } else {
    for (auto begin = all.begin(); begin != all.end();) {
      const auto end = std::find_if(begin, all.end(), [&](const auto& one) { return one.group != begin->group; });
      current_[begin->group].update(std::span<ParameterUpdate>(begin, end));
      begin = end;
    }
  }
}

template <class Rule>
GradientKind OptimizerOf<Rule>::gradients([[maybe_unused]] std::size_t group) const {
  if constexpr (requires { options_[group].gradients(); }) {
    static_assert(detail::ElementwiseRule<Rule>, "only an update of elements takes sparse gradients");
    return options_[group].gradients();
  } else {
    return GradientKind::dense;
  }
}

template <class Rule>
NamedTensors OptimizerOf<Rule>::buffers([[maybe_unused]] std::size_t group,
                                        [[maybe_unused]] const Tensor& parameter) const {
  if constexpr (requires { options_[group].buffers(parameter); }) {
    Rule options = options_[group];  // not the current momentum, which may be 0 for a while
    options.lr = rate(group).lr;
    return options.buffers(parameter);
  } else {
    NamedTensors zero;
    if constexpr (requires { Rule::buffers; })
      for (const char* name : Rule::buffers) zero.emplace_back(name, zeros_like(parameter));
    return zero;
  }
}

}  // namespace xgrad::optim
