#pragma once
// What all optimizers share.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parameters.hpp"
#include "update.hpp"

namespace xgrad::optim {

class LRScheduler;

namespace detail {

/// The numbers of a parameter group that schedules change.
struct GroupRate {
  double lr = 0;
  std::optional<double> initial_lr = {};  // what schedules begin from, once there is one
  std::optional<double> momentum = {};    // `momentum` or `beta1`; none where it has none
};
/// The rates of an optimizer. Its schedules hold them too, so that the optimizer may be moved.
struct Rates {
  std::vector<GroupRate> groups = {};
  std::vector<const LRScheduler*> schedules = {};  // in the order in which they were made
};

}  // namespace detail

/// Changes parameters in place by their gradients. A parameter without a gradient is left alone, and so is its state.
/// What an option of 0 switches off is not computed: without weight decay an infinite parameter stays infinite, and at
/// a rate of 0 no parameter changes, whatever its gradient is. Can be moved; what was moved from throws Error when it
/// is used.
///
/// Parameters come in groups, each with options and a learning rate of its own:
///
///     optim::AdamW adam({{nn::parameters(net, nn::decayed), {.weight_decay = 0.1}},
///                        {nn::parameters(net, nn::not_decayed), {.lr = 1e-4, .weight_decay = 0}}},
///                       {.lr = 1e-3});  // what a group does not set
///
/// An optimizer of one's own is a struct: see OptimizerOf. Gradients of several backward passes add up until
/// zero_grad(), so a batch too large for memory is several calls of backward(), of losses divided by their number,
/// before one step().
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(Optimizer&&) = default;

  /// One update of every parameter that has a gradient, and where that is sparse, of its rows alone. Numbers below the
  /// smallest normal one (1.2e-38 in float32) count as zero in elementwise updates. Throws Error, with nothing changed,
  /// for a gradient that the optimizer does not take (only SGD, Adagrad and SparseAdam take sparse ones), and when
  /// memory for the state runs out.
  void step();
  /// Removes the gradients, as zero_grad(set_to_none=True) does in PyTorch.
  void zero_grad() const;

  /// The learning rate of a parameter group.
  double lr(std::size_t group = 0) const { return rate(group).lr; }
  /// Of all groups. Holds until the next step of a schedule. Throws Error for a negative or non-finite rate.
  void set_lr(double lr);
  /// Of one group.
  void set_lr(double lr, std::size_t group);
  std::size_t num_groups() const { return rates().groups.size(); }
  /// The parameters of all groups.
  const std::vector<Tensor>& parameters() const { return parameters_; }

  /// What has to be saved to go on later, by name: `lr`, for the parameters that were updated `step.3`, `exp_avg.3`,
  /// ..., and `initial_lr`, from which schedules compute, once there was one. Rates of further groups are `lr.1`,
  /// `initial_lr.1`, ...; the other options are the program's. The tensors are copies.
  NamedTensors state_dict() const;
  /// Goes on from a state_dict() of the same kind of optimizer over parameters of the same shapes in the same groups.
  /// Throws Error, with nothing changed, that lists every entry that is missing, unexpected, given twice, misshaped or
  /// out of range. `initial_lr` may be missing: it then stays what it is.
  void load_state_dict(const NamedTensors& state);

 protected:
  Optimizer() : rates_(std::make_shared<detail::Rates>()) {}
  /// Frozen parameters, which require no gradient, are left alone. Throws Error, with nothing changed, for no
  /// parameters or only frozen ones, one given twice, one that is no floating leaf or not dense in memory, and a bad
  /// rate.
  void add_group(const Parameters& parameters, double lr, std::optional<double> momentum = {});

  /// Changes all parameters that have a gradient: the one function of an optimizer.
  virtual void update(std::span<ParameterUpdate> all) = 0;
  /// Which gradients the update takes for a group: step() throws Error for others.
  virtual GradientKind gradients(std::size_t group) const;
  /// What the update keeps for a parameter, as it is before the first one.
  virtual NamedTensors buffers(std::size_t group, const Tensor& parameter) const;

  const detail::GroupRate& rate(std::size_t group) const;

  /// A piece of one parameter.
  struct Piece {
    const ParameterUpdate* of;
    std::int64_t begin, end;
  };
  /// Calls f(piece) for pieces of parameters of equal work, in all threads, with numbers below the smallest normal one
  /// counting as zero.
  template <class F>
  void for_each_piece(std::span<ParameterUpdate> all, const F& f) {
    run_pieces(
        all, [](const void* context, const Piece& piece) { (*static_cast<const F*>(context))(piece); }, &f);
  }

 private:
  friend class LRScheduler;
  struct State {
    std::int64_t steps = 0;
    bool begun = false;  // the buffers are of a step, or were loaded
    NamedTensors buffers = {};
  };
  detail::Rates& rates() const {
    check(rates_ != nullptr, "optimizer: used after it was moved from");
    return *rates_;
  }
  void run_pieces(std::span<ParameterUpdate> all, void (*f)(const void* context, const Piece& piece),
                  const void* context);

  std::vector<Tensor> parameters_;
  std::vector<std::string> names_;   // empty for parameters that were given without
  std::vector<std::size_t> groups_;  // of each parameter
  std::vector<State> states_;
  // Of the last step, for their memory.
  std::vector<ParameterUpdate> updates_;
  std::vector<Piece> pieces_;
  std::vector<std::size_t> blocks_;  // the first piece of each, and the number of pieces
  std::shared_ptr<detail::Rates> rates_;
};

}  // namespace xgrad::optim
