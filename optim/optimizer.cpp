#include "optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
#include "../autograd/profile.hpp"
#include "../core/parallel.hpp"

namespace xgrad::optim {

namespace {

/// While it lives, this thread's numbers below the smallest normal one count as zero. The moments of a parameter whose
/// gradient has become zero end there, and x86 takes some hundred cycles for an operation on such a number.
class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() : before_(__builtin_ia32_stmxcsr()) {
    constexpr unsigned flush_results = 0x8000, flush_operands = 0x0040;
    __builtin_ia32_ldmxcsr(before_ | flush_results | flush_operands);
  }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(before_); }

 private:
  const unsigned before_;
#else
  FlushDenormals() {}  // no penalty is known elsewhere
#endif
};

}  // namespace

Optimizer::Optimizer(std::vector<Tensor> parameters, double lr, std::vector<const char*> buffers)
    : parameters_(std::move(parameters)), buffer_names_(std::move(buffers)), states_(parameters_.size()) {
  check(!parameters_.empty(), "optimizer: there are no parameters");
  std::unordered_set<const detail::TensorImpl*> seen;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i];
    check(parameter.is_leaf() && is_floating(parameter.dtype()), "optimizer: parameter ", i, " of shape ",
          parameter.shape(), " and dtype ", parameter.dtype(),
          " is no floating leaf; only tensors made by the user, not by an operation, can be trained");
    check(parameter.is_contiguous(), "optimizer: parameter ", i, " of shape ", parameter.shape(), " is not contiguous");
    check(seen.insert(&parameter.impl()).second, "optimizer: parameter ", i, " of shape ", parameter.shape(),
          " was given before");
  }
  check(std::any_of(parameters_.begin(), parameters_.end(), [](const Tensor& p) { return p.requires_grad(); }),
        "optimizer: no parameter requires a gradient, so there is nothing to train; make parameters with "
        "{.requires_grad = true}, or call requires_grad_()");
  set_lr(lr);
}

void Optimizer::set_lr(double lr) {
  check(lr >= 0 && std::isfinite(lr), "optimizer: the learning rate is ", lr, "; it must be finite and not negative");
  lr_ = lr;
}

void Optimizer::zero_grad() const {
  for (const Tensor& parameter : parameters_) parameter.zero_grad();
}

void Optimizer::step() {
  // Blocks of all parameters laid end to end: equal shares for the threads however large the parameters are.
  constexpr std::int64_t block = 8192;
  const NoGrad no_grad;
  const detail::ProfileEvent event("optimizer step", "optimizer");
  std::vector<Tensor> gradients(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor gradient = parameters_[i].grad();
    if (!gradient.defined() || !parameters_[i].requires_grad()) continue;
    gradients[i] = detail::dense(gradient);
    State& state = states_[i];
    if (state.steps > 0) continue;
    std::vector<Tensor> buffers;
    for (std::size_t k = 0; k < buffer_names_.size(); ++k)
      buffers.push_back(full_like(parameters_[i], initial_value()));
    state.buffers = std::move(buffers);
  }
  pieces_.clear();
  blocks_.clear();
  std::int64_t total = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    const Tensor& parameter = parameters_[i];
    const State& state = states_[i];
    const auto bytes = static_cast<std::int64_t>(item_size(parameter.dtype()));
    for (std::int64_t begin = 0, size = 0; begin < parameter.numel(); begin += size, total += size) {
      if (total % block == 0) blocks_.push_back(pieces_.size());
      size = std::min(block - total % block, parameter.numel() - begin);
      Piece piece{parameter.dtype(),
                  size,
                  state.steps + 1,
                  parameter.impl().data + begin * bytes,
                  gradients[i].impl().data + begin * bytes,
                  {}};
      for (std::size_t k = 0; k < state.buffers.size(); ++k)
        piece.buffers[k] = state.buffers[k].impl().data + begin * bytes;
      pieces_.push_back(piece);
    }
  }
  const auto count = static_cast<std::int64_t>(blocks_.size());
  blocks_.push_back(pieces_.size());
  // Memory has been found: nothing throws from here on.
  parallel_for(count, count > 4 ? 1 : count, [&](std::int64_t begin, std::int64_t end) {
    const FlushDenormals flush;
    for (std::size_t i = blocks_[static_cast<std::size_t>(begin)]; i < blocks_[static_cast<std::size_t>(end)]; ++i)
      update(pieces_[i]);
  });
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    ++states_[i].steps;
    parameters_[i].impl().storage->raise_version("an optimizer's step()");
  }
}

std::vector<std::pair<std::string, Tensor>> Optimizer::state_dict() const {
  std::vector<std::pair<std::string, Tensor>> state;
  state.emplace_back("lr", full({}, lr_, {.dtype = float64}));
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].steps == 0) continue;
    const std::string suffix = std::to_string(i).insert(0, 1, '.');
    Tensor steps = detail::empty({}, int64);
    *steps.data<std::int64_t>() = states_[i].steps;
    state.emplace_back("step" + suffix, steps);
    for (std::size_t k = 0; k < buffer_names_.size(); ++k)
      state.emplace_back(buffer_names_[k] + suffix, states_[i].buffers[k].detach().clone());
  }
  return state;
}

void Optimizer::load_state_dict(const std::vector<std::pair<std::string, Tensor>>& state) {
  std::size_t used = 0;
  const auto find = [&](const std::string& name) -> const Tensor* {
    for (const auto& [key, value] : state)
      if (key == name) return ++used, &value;
    return nullptr;
  };
  const Tensor* lr = find("lr");
  check(lr && lr->numel() == 1, "load_state_dict: the state of an optimizer needs a number `lr`");
  std::vector<State> states(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string suffix = std::to_string(i).insert(0, 1, '.');
    const Tensor* steps = find("step" + suffix);
    if (!steps) continue;
    states[i].steps = steps->item<std::int64_t>();
    for (const char* name : buffer_names_) {
      const Tensor* buffer = find(name + suffix);
      check(buffer != nullptr, "load_state_dict: `", name + suffix, "` is missing");
      check(buffer->shape() == parameters_[i].shape(), "load_state_dict: `", name + suffix, "` has shape ",
            buffer->shape(), ", parameter ", i, " has ", parameters_[i].shape());
      states[i].buffers.push_back(buffer->detach().to(parameters_[i].dtype()).clone());
    }
  }
  check(used == state.size(), "load_state_dict: ", state.size() - used, " entries are not of this kind of optimizer");
  set_lr(lr->item<double>());
  states_ = std::move(states);
}

}  // namespace xgrad::optim
