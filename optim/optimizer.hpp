#pragma once
// What all optimizers share.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../nn/module.hpp"

namespace xgrad::optim {

class LBFGS;
class LRScheduler;

/// What an optimizer trains, `optim::Adam(net)` or `optim::Adam({weight, bias})`: the parameters of a module, or
/// tensors.
class Parameters {
 public:
  Parameters(std::vector<Tensor> tensors);
  Parameters(std::initializer_list<Tensor> tensors) : Parameters(std::vector<Tensor>(tensors)) {}
  template <nn::Module M>
  requires(!std::same_as<M, std::vector<Tensor>>) Parameters(const M& module) : named_(nn::named_parameters(module)) {}

 private:
  friend class Optimizer;
  friend class LBFGS;
  NamedTensors named_;
};

namespace detail {

/// The learning rate of an optimizer. Its schedules hold it too, so that the optimizer may be moved.
struct Rate {
  double lr = 0;
  std::optional<double> initial = {};              // what schedules begin from, once there is one
  std::vector<const LRScheduler*> schedules = {};  // in the order in which they were made
};

/// The term, which `factor` multiplies; 0 where the factor is, for 0 * infinity is not 0.
template <class T>
[[gnu::always_inline]] inline T unless_off(T factor, T term) {
  return factor == T(0) ? T(0) : term;
}

/// Throws Error unless the option is finite and not negative.
void check_option(const char* optimizer, const char* name, double value);

}  // namespace detail

/// Changes parameters in place by their gradients. A parameter without a gradient is left alone, and so is its state.
/// What an option of 0 switches off is not computed: without weight decay an infinite parameter stays infinite, and at
/// a rate of 0 no parameter changes, whatever its gradient is. Can be moved; what was moved from throws Error when it
/// is used.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(Optimizer&&) = default;

  /// One update of every parameter that has a gradient. Numbers below the smallest normal one (1.2e-38 in float32)
  /// count as zero in it. Throws Error, with nothing changed, when memory for the state
  /// runs out.
  void step();
  /// Removes the gradients, as zero_grad(set_to_none=True) does in PyTorch.
  void zero_grad() const;

  double lr() const { return rate().lr; }
  /// Holds until the next step of a schedule. Throws Error for a negative or non-finite rate.
  void set_lr(double lr);
  const std::vector<Tensor>& parameters() const { return parameters_; }

  /// What has to be saved to go on later, by name: `lr`, for the parameters that were updated `step.3`, `exp_avg.3`,
  /// ..., and `initial_lr`, from which schedules compute, once there was one. The tensors are copies.
  NamedTensors state_dict() const;
  /// Goes on from a state_dict() of the same kind of optimizer over parameters of the same shapes. Throws Error, with
  /// nothing changed, that names the optimizer which such a state is of, and lists every entry that is missing,
  /// unexpected, given twice, misshaped or out of range. `initial_lr` may be missing: it then stays what it is.
  void load_state_dict(const NamedTensors& state);

 protected:
  /// `buffers` names the tensors of a parameter's shape that the update keeps for each.
  /// Frozen parameters, which require no gradient, are left alone. Throws Error for no parameters or only frozen ones,
  /// one given twice, one that is no contiguous floating leaf, and a bad rate.
  Optimizer(Parameters parameters, double lr, std::vector<const char*> buffers);

  /// A piece of one parameter with its gradient and buffers.
  struct Piece {
    DType dtype;
    std::int64_t size;
    std::int64_t step;  // of this parameter, counted from 1
    bool first;         // its buffers hold initial_value()
    void* parameter;
    const void* gradient;
    void* buffers[3];
  };
  /// Updates one piece, in any thread.
  virtual void update(const Piece& piece) const = 0;

  /// update() for an elementwise rule: f(parameter, gradient, buffers...) on pointers of the parameter's type.
  template <class F>
  static void dispatch_piece(const Piece& piece, const F& f) {
    dispatch_floating("optimizer", piece.dtype, [&](auto zero) {
      using T = decltype(zero);
      f(static_cast<T*>(piece.parameter), static_cast<const T*>(piece.gradient));
    });
  }
  /// What a buffer holds before the first update.
  virtual double initial_value() const { return 0; }

 private:
  friend class LRScheduler;
  struct State {
    std::int64_t steps = 0;
    std::vector<Tensor> buffers;  // none before the first update
  };
  detail::Rate& rate() const {
    check(rate_ != nullptr, "optimizer: used after it was moved from");
    return *rate_;
  }
  std::vector<Tensor> parameters_;
  std::vector<std::string> names_;  // of parameters of a module; else empty
  std::vector<const char*> buffer_names_;
  std::vector<State> states_;
  // Of the last step, for their memory.
  std::vector<Piece> pieces_;
  std::vector<std::size_t> blocks_;  // the first piece of each, and the number of pieces
  std::shared_ptr<detail::Rate> rate_;
};

}  // namespace xgrad::optim
