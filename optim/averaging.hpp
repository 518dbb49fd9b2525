#pragma once
// Averages of a model's weights over training: of all steps alike, or of the last ones more than of those before.

#include <concepts>
#include <optional>
#include <tuple>
#include <utility>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../nn/module.hpp"

namespace xgrad::optim {

namespace detail {

/// average += part * (now - average), for all parameters; buffers become what they are now.
void update_average(const nn::detail::Tree& average, const nn::detail::Tree& now, double part);

/// Makes running statistics begin anew, as the mean of those of all batches, until the end of the scope.
class [[nodiscard]] RenewedStatistics {
 public:
  explicit RenewedStatistics(const nn::detail::Tree& tree);
  ~RenewedStatistics();
  RenewedStatistics(const RenewedStatistics&) = delete;
  RenewedStatistics& operator=(const RenewedStatistics&) = delete;

 private:
  std::vector<std::pair<std::optional<double>*, std::optional<double>>> momenta_;  // and what they were
};

}  // namespace detail

/// A model of its own, whose parameters are an average of those that another had when update() was called, and whose
/// buffers are the other's last ones. Made by ema() or swa().
template <nn::Module M>
class AveragedModel {
 public:
  /// No `decay`: all updates count alike.
  AveragedModel(const M& model, std::optional<double> decay) : model_(nn::clone(model)), decay_(decay) {
    check(!decay || (*decay >= 0 && *decay <= 1), "ema: decay is ", decay.value_or(0), "; it must lie between 0 and 1");
  }

  /// Takes the parameters of `model`, the one this was made of, into the average; the first time they are the average.
  /// Throws Error, with nothing changed, for a model of other names or shapes.
  void update(const M& model) {
    const double part = updates_ == 0 ? 1 : decay_ ? 1 - *decay_ : 1 / static_cast<double>(updates_ + 1);
    detail::update_average(nn::detail::tree_of(model_), nn::detail::tree_of(model), part);
    ++updates_;
  }
  std::int64_t num_updates() const { return updates_; }

  /// The averaged model.
  M& model() { return model_; }
  const M& model() const { return model_; }

  /// The averaged model's state, and `num_updates`.
  NamedTensors state_dict() const {
    NamedTensors state = nn::state_dict(model_);
    state.emplace_back("num_updates", tensor(updates_));
    return state;
  }
  /// Goes on from a state_dict(). Throws Error, with nothing changed, for other entries.
  void load_state_dict(const NamedTensors& state) {
    NamedTensors weights = state;
    check(std::erase_if(weights, [](const auto& entry) { return entry.first == "num_updates"; }) == 1,
          "load_state_dict: `num_updates` of the averaged model is missing");
    const auto updates = state["num_updates"].template item<std::int64_t>();
    nn::load_state_dict(model_, weights);
    updates_ = updates;
  }

 private:
  M model_;
  std::optional<double> decay_;
  std::int64_t updates_ = 0;
};

struct EMAOptions {
  double decay = 0.999;  // average = decay * average + (1 - decay) * parameters
};

/// An exponential moving average of a model's weights:
///
///     auto average = optim::ema(net, {.decay = 0.999});
///     ...  adam.step(); average.update(net);
///     train::accuracy(average.model(), test);
template <nn::Module M>
AveragedModel<M> ema(const M& model, const EMAOptions& options = {}) {
  return {model, options.decay};
}

/// Stochastic weight averaging (Izmailov et al., arXiv 1803.05407): the equal average of the weights at each update(),
/// one an epoch, say. Its batch norms need statistics of their own: see update_batch_norm.
template <nn::Module M>
AveragedModel<M> swa(const M& model) {
  return {model, {}};
}

/// Computes the running statistics of all batch norms of a model anew, as the mean over `batches`: inputs, or pairs
/// whose first is the input, as those of a data::DataLoader. The model runs in training mode, and afterwards has the
/// modes it had.
template <nn::Module M, class Batches>
void update_batch_norm(M& model, Batches&& batches) {
  const NoGrad no_grad;
  const nn::detail::TrainingFlags flags = nn::detail::training_flags(nn::detail::tree_of(model));
  struct Restore {
    M& model;
    const nn::detail::TrainingFlags& flags;
    ~Restore() { nn::detail::set_training(nn::detail::tree_of(model), flags); }
  } restore{model, flags};
  nn::train(model);
  const detail::RenewedStatistics statistics(nn::detail::tree_of(model));
  for (const auto& batch : batches) {
    if constexpr (std::convertible_to<decltype(batch), const Tensor&>)
      model(batch);
    else
      model(std::get<0>(batch));
  }
}

}  // namespace xgrad::optim
