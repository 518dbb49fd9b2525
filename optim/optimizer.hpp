#pragma once
// What all optimizers share.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::optim {

/// Changes parameters in place by their gradients. A parameter without a gradient is left alone, and so is its state.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update of every parameter that has a gradient. Numbers below the smallest normal one (1.2e-38 in float32)
  /// count as zero in it. Throws Error, with nothing changed, when memory for the state
  /// runs out.
  void step();
  /// Removes the gradients, as zero_grad(set_to_none=True) does in PyTorch.
  void zero_grad() const;

  double lr() const { return lr_; }
  /// Throws Error for a negative or non-finite rate.
  void set_lr(double lr);
  const std::vector<Tensor>& parameters() const { return parameters_; }

  /// What has to be saved to go on later, by name: `lr`, and for the parameters that were updated `step.3`,
  /// `exp_avg.3`, ... The tensors are copies.
  std::vector<std::pair<std::string, Tensor>> state_dict() const;
  /// Goes on from a state_dict() of the same kind of optimizer over parameters of the same shapes. Throws Error, with
  /// nothing changed, for missing, unknown or misshaped entries.
  void load_state_dict(const std::vector<std::pair<std::string, Tensor>>& state);

 protected:
  /// `buffers` names the tensors of a parameter's shape that the update keeps for each.
  /// Frozen parameters, which require no gradient, are left alone. Throws Error for no parameters or only frozen ones,
  /// one given twice, one that is no contiguous floating leaf, and a bad rate.
  Optimizer(std::vector<Tensor> parameters, double lr, std::vector<const char*> buffers);

  /// A piece of one parameter with its gradient and buffers.
  struct Piece {
    DType dtype;
    std::int64_t size;
    std::int64_t step;  // of this parameter, counted from 1
    void* parameter;
    const void* gradient;
    void* buffers[3];
  };
  /// Updates one piece, in any thread.
  virtual void update(const Piece& piece) const = 0;

  /// update() for an elementwise rule: f(parameter, gradient, buffers...) on pointers of the parameter's type.
  template <class F>
  static void dispatch_piece(const Piece& piece, const F& f) {
    if (piece.dtype == DType::float32)
      f(static_cast<float*>(piece.parameter), static_cast<const float*>(piece.gradient));
    else
      f(static_cast<double*>(piece.parameter), static_cast<const double*>(piece.gradient));
  }
  /// What a buffer holds before the first update.
  virtual double initial_value() const { return 0; }

 private:
  struct State {
    std::int64_t steps = 0;
    std::vector<Tensor> buffers;
  };
  std::vector<Tensor> parameters_;
  std::vector<const char*> buffer_names_;
  std::vector<State> states_;
  // Of the last step, for their memory.
  std::vector<Piece> pieces_;
  std::vector<std::size_t> blocks_;  // the first piece of each, and the number of pieces
  double lr_;
};

}  // namespace xgrad::optim
