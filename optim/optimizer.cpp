#include "optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "../array/profile.hpp"
#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
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

// The optimizer that keeps buffers of these names; empty for none of the library's.
std::string_view keeper(const std::set<std::string_view>& buffers) {
  static const std::pair<std::set<std::string_view>, std::string_view> keepers[] = {
      {{}, "SGD without momentum"},
      {{"momentum_buffer"}, "SGD with momentum"},
      {{"square_avg"}, "RMSprop without momentum"},
      {{"square_avg", "momentum_buffer"}, "RMSprop with momentum"},
      {{"exp_avg", "exp_avg_sq"}, "Adam or AdamW"},
      {{"sum"}, "Adagrad"}};
  for (const auto& [names, optimizer] : keepers)
    if (names == buffers) return optimizer;
  return {};
}

// A copy of the elements in the dtype that a parameter is computed in, which lies in memory as that does.
Tensor laid_out(const Tensor& buffer, const Tensor& parameter) {
  const Tensor copy = xgrad::detail::empty_like(parameter, xgrad::detail::compute_dtype(parameter.dtype()));
  xgrad::detail::overwrite(copy, buffer);
  return copy;
}

}  // namespace

void detail::check_option(const char* optimizer, const char* name, double value) {
  check(value >= 0 && std::isfinite(value), optimizer, ": ", name, " is ", value,
        "; it must be finite and not negative");
}

Parameters::Parameters(std::vector<Tensor> tensors) {
  named_.reserve(tensors.size());
  for (Tensor& tensor : tensors) named_.emplace_back(std::string(), std::move(tensor));
}

Optimizer::Optimizer(Parameters parameters, double lr, std::vector<const char*> buffers)
    : buffer_names_(std::move(buffers)), rate_(std::make_shared<detail::Rate>()) {
  for (auto& [name, tensor] : parameters.named_) {
    parameters_.push_back(std::move(tensor));
    names_.push_back(std::move(name));
  }
  states_.resize(parameters_.size());
  check(!parameters_.empty(), "optimizer: there are no parameters");
  std::unordered_set<const xgrad::detail::TensorImpl*> seen;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i];
    check(parameter.defined(), "optimizer: parameter ", i, " is undefined");
    check(parameter.is_leaf() && is_floating(parameter.dtype()), "optimizer: parameter ", i, " of shape ",
          parameter.shape(), " and dtype ", parameter.dtype(),
          " is no floating leaf; only tensors made by the user, not by an operation, can be trained");
    check(xgrad::detail::is_dense(parameter), "optimizer: parameter ", i, " of shape ", parameter.shape(),
          " has gaps or repeated elements in memory; clone() it first");
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
  rate().lr = lr;
}

void Optimizer::zero_grad() const {
  for (const Tensor& parameter : parameters_) parameter.zero_grad();
}

void Optimizer::step() {
  // Blocks of all parameters laid end to end: equal shares for the threads however large the parameters are.
  constexpr std::int64_t block = 8192;
  const NoGrad no_grad;
  const xgrad::detail::ProfileEvent event("optimizer step", "optimizer");
  (void)rate();
  using xgrad::detail::compute_dtype;
  std::vector<Tensor> gradients(parameters_.size()), values(parameters_.size());  // as they are computed
  std::vector<std::pair<std::size_t, std::vector<Tensor>>> made;
  std::size_t most = 0;  // pieces
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor gradient = parameters_[i].grad();
    if (!gradient.defined() || !parameters_[i].requires_grad()) continue;
    const DType computed = compute_dtype(parameters_[i].dtype());
    gradient = gradient.to(computed);
    gradients[i] = xgrad::detail::laid_like(gradient, parameters_[i]);
    values[i] = parameters_[i].dtype() == computed ? parameters_[i] : parameters_[i].detach().to(computed);
    most += 2 + static_cast<std::size_t>(parameters_[i].numel() / block);
    if (!states_[i].buffers.empty() || buffer_names_.empty()) continue;
    auto& buffers = made.emplace_back(i, std::vector<Tensor>()).second;
    for (std::size_t k = 0; k < buffer_names_.size(); ++k)
      buffers.push_back(full_like(parameters_[i], initial_value(), {.dtype = computed}));
  }
  pieces_.clear();
  pieces_.reserve(most);
  blocks_.clear();
  blocks_.reserve(most + 1);
  // Memory has been found: nothing throws from here on.
  for (auto& [i, buffers] : made) states_[i].buffers = std::move(buffers);
  auto next_made = made.begin();
  std::int64_t total = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    const Tensor& parameter = values[i];
    const State& state = states_[i];
    const auto bytes = static_cast<std::int64_t>(item_size(parameter.dtype()));
    const bool first = next_made != made.end() && next_made->first == i;
    if (first) ++next_made;
    for (std::int64_t begin = 0, size = 0; begin < parameter.numel(); begin += size, total += size) {
      if (total % block == 0) blocks_.push_back(pieces_.size());
      size = std::min(block - total % block, parameter.numel() - begin);
      Piece piece{parameter.dtype(),
                  size,
                  state.steps + 1,
                  first,
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
  parallel_for(count, count > 4 ? 1 : count, [&](std::int64_t begin, std::int64_t end) {
    const FlushDenormals flush;
    for (std::size_t i = blocks_[static_cast<std::size_t>(begin)]; i < blocks_[static_cast<std::size_t>(end)]; ++i)
      update(pieces_[i]);
  });
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    ++states_[i].steps;
    if (values[i].dtype() != parameters_[i].dtype()) xgrad::detail::overwrite(parameters_[i], values[i]);
    parameters_[i].impl().storage->raise_version("an optimizer's step()");
  }
}

NamedTensors Optimizer::state_dict() const {
  NamedTensors state;
  state.emplace_back("lr", full({}, lr(), {.dtype = float64}));
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].steps == 0 && states_[i].buffers.empty()) continue;
    const std::string suffix = std::to_string(i).insert(0, 1, '.');
    Tensor steps = xgrad::detail::empty({}, int64);
    *steps.data<std::int64_t>() = states_[i].steps;
    state.emplace_back("step" + suffix, steps);
    for (std::size_t k = 0; k < buffer_names_.size(); ++k)
      state.emplace_back(buffer_names_[k] + suffix, states_[i].buffers[k].detach().clone());
  }
  if (rate().initial) state.emplace_back("initial_lr", full({}, *rate().initial, {.dtype = float64}));
  return state;
}

void Optimizer::load_state_dict(const NamedTensors& state) {
  std::string problems;
  const auto report = [&](const std::string& name, const auto&... parts) {
    problems += "\n  " + name;
    using xgrad::detail::append;
    (append(problems, parts), ...);
  };

  struct Entry {
    const Tensor* value;
    bool used = false;
  };
  std::unordered_map<std::string_view, Entry> entries;
  std::set<std::string_view> buffers;  // without the numbers of parameters
  bool stepped = false;
  for (const auto& [name, value] : state) {
    if (!value.defined()) report(name, " is undefined");
    if (!entries.emplace(name, Entry{&value}).second) report(name, " is given twice");
    const std::string_view base = std::string_view(name).substr(0, name.find('.'));
    if (base == "step") stepped = true;
    if (base.size() < name.size() && base != "step") buffers.insert(base);
  }
  const auto find = [&](const std::string& name) -> const Tensor* {
    const auto found = entries.find(name);
    if (found == entries.end()) return nullptr;
    found->second.used = true;
    return found->second.value->defined() ? found->second.value : nullptr;
  };
  // A number of at least 0; `otherwise` where there is none.
  const auto number = [&](const std::string& name, double otherwise) {
    const Tensor* value = find(name);
    if (!value) return otherwise;
    if (value->numel() != 1) {
      report(name, " has shape ", value->shape(), "; it is one number");
      return otherwise;
    }
    const double x = value->item<double>();
    if (x >= 0 && std::isfinite(x)) return x;
    report(name, " is ", x, "; it must be finite and not negative");
    return otherwise;
  };

  if (!entries.contains("lr")) report("lr is missing");
  const double lr = number("lr", 0), initial = number("initial_lr", -1);
  std::vector<State> states(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string suffix = std::to_string(i).insert(0, 1, '.');
    const bool there = entries.contains("step" + suffix) ||
                       std::any_of(buffer_names_.begin(), buffer_names_.end(),
                                   [&](const char* name) { return entries.contains(name + suffix); });
    if (!there) continue;
    if (!entries.contains("step" + suffix)) report("step" + suffix, " is missing");
    const double steps = number("step" + suffix, 0);
    if (steps != std::floor(steps) || steps >= 0x1p62)
      report("step" + suffix, " is ", steps, "; it is no number of steps");
    if (problems.empty()) {
      const Tensor& value = *find("step" + suffix);
      states[i].steps = value.dtype() == int64 ? value.item<std::int64_t>() : static_cast<std::int64_t>(steps);
    }
    for (const char* name : buffer_names_) {
      const Tensor* buffer = find(name + suffix);
      if (!entries.contains(name + suffix)) report(name + suffix, " is missing");
      if (!buffer) continue;
      if (buffer->shape() != parameters_[i].shape())
        report(name + suffix, " has shape ", buffer->shape(), ", parameter ", i,
               names_[i].empty() ? "" : " (" + names_[i] + ")", " has ", parameters_[i].shape());
      else if (problems.empty())
        states[i].buffers.push_back(laid_out(*buffer, parameters_[i]));
    }
  }
  for (const auto& [name, value] : state)
    if (!entries.at(name).used) report(name, " is unexpected");

  const std::string_view theirs = stepped ? keeper(buffers) : std::string_view();
  const std::string_view ours = keeper({buffer_names_.begin(), buffer_names_.end()});
  check(problems.empty() || theirs.empty() || theirs == ours, "load_state_dict: this is the state of ", theirs,
        ", not of ", ours.empty() ? "this optimizer" : ours, "; nothing was changed", problems);
  check(problems.empty(), "load_state_dict: the state does not fit the optimizer; nothing was changed", problems);
  rate().lr = lr;
  if (initial >= 0) rate().initial = initial;
  states_ = std::move(states);
}

}  // namespace xgrad::optim
