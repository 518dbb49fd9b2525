#include "optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "../array/profile.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
#include "../autograd/sparse_rows.hpp"
#include "../core/parallel.hpp"
#include "../ops/comparison.hpp"
#include "../ops/reduce.hpp"

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

constexpr const char* master = "master_param";

bool has_16_bits(const Tensor& parameter) {
  return xgrad::detail::compute_dtype(parameter.dtype()) != parameter.dtype();
}

/// A parameter in the dtype that it is computed in: itself, or a float32 copy.
Tensor computed(const Tensor& parameter) { return has_16_bits(parameter) ? parameter.detach().to(float32) : parameter; }

/// While it lives, the float32 copies of parameters of 16 bits, in which small steps add up, are not among the buffers:
/// an update knows those that its optimizer made.
class MastersAside {
 public:
  explicit MastersAside(std::size_t most) { taken_.reserve(most); }
  ~MastersAside() {
    for (auto& [buffers, copy] : taken_) buffers->emplace_back(master, std::move(copy));
  }
  MastersAside(const MastersAside&) = delete;
  MastersAside& operator=(const MastersAside&) = delete;

  /// The copy among these buffers, taken out; undefined where there is none.
  Tensor take(NamedTensors& buffers) {
    if (buffers.empty() || buffers.back().first != master) return {};
    const Tensor copy = buffers.back().second;
    buffers.pop_back();
    taken_.emplace_back(&buffers, copy);
    return copy;
  }
  /// Adds a copy to the buffers in the end.
  void add(NamedTensors& buffers, const Tensor& copy) {
    buffers.reserve(buffers.size() + 1);
    taken_.emplace_back(&buffers, copy);
  }

 private:
  std::vector<std::pair<NamedTensors*, Tensor>> taken_;
};

/// Elements that are no longer those of the parameter, because it was changed by others than this optimizer, become
/// what the parameter has.
void follow(const Tensor& copy, const Tensor& parameter) {
  const Tensor now = parameter.detach();
  const Tensor changed = copy.to(parameter.dtype()) != now;
  if (count_nonzero(changed).item<std::int64_t>() > 0)
    xgrad::detail::overwrite(copy, where(changed, now.to(float32), copy));
}

/// Throws Error unless an update that takes `kind` takes this gradient.
void expect_kind(GradientKind kind, bool sparse, std::size_t i, const std::string& name, const Tensor& parameter) {
  if (kind == GradientKind::any || (kind == GradientKind::sparse) == sparse) return;
  fail("optimizer: parameter ", i, name.empty() ? "" : " (" + name + ")", " of shape ", parameter.shape(),
       sparse ? " has a sparse gradient; SGD without momentum and weight decay, Adagrad without weight decay and "
                "SparseAdam take it: use one of them for this parameter, or {.sparse = false} for its embedding"
              : " has a dense gradient, and SparseAdam takes sparse ones: use Adam for this parameter, or {.sparse = "
                "true} for its embedding, and only that; grad() and hooks make a sparse gradient dense");
}

}  // namespace

void detail::check_option(const char* optimizer, const char* name, double value) {
  check(value >= 0 && std::isfinite(value), optimizer, ": ", name, " is ", value,
        "; it must be finite and not negative");
}

void detail::check_betas(const char* optimizer, double beta1, double beta2) {
  check(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, optimizer, ": beta1 and beta2 are ", beta1, " and ", beta2,
        "; they must lie in [0, 1)");
}

void detail::fail_buffers() {
  fail("optimizer: each() takes a buffer that is not there for every element of a parameter");
}

void detail::for_ranges(std::int64_t n, void (*f)(const void* context, std::int64_t begin, std::int64_t end),
                        const void* context) {
  parallel_for(n, 8192, [&](std::int64_t begin, std::int64_t end) {
    const FlushDenormals flush;
    f(context, begin, end);
  });
}

Parameters::Parameters(const std::vector<Tensor>& tensors) {
  named_.reserve(tensors.size());
  for (const Tensor& tensor : tensors) named_.emplace_back(std::string(), tensor);
}

void Optimizer::add_group(const Parameters& parameters, double lr, std::optional<double> momentum) {
  const NamedTensors& named = parameters.named();
  check(!named.empty(), "optimizer: there are no parameters");
  check(lr >= 0 && std::isfinite(lr), "optimizer: the learning rate is ", lr, "; it must be finite and not negative");
  std::unordered_set<const xgrad::detail::TensorImpl*> seen;
  for (const Tensor& parameter : parameters_) seen.insert(&parameter.impl());
  for (std::size_t i = 0; i < named.size(); ++i) {
    const Tensor& parameter = named[i].second;
    check(parameter.defined(), "optimizer: parameter ", i, " is undefined");
    check(parameter.is_leaf() && is_floating(parameter.dtype()), "optimizer: parameter ", i, " of shape ",
          parameter.shape(), " and dtype ", parameter.dtype(),
          " is no floating leaf; only tensors made by the user, not by an operation, can be trained");
    check(xgrad::detail::is_dense(parameter), "optimizer: parameter ", i, " of shape ", parameter.shape(),
          " has gaps or repeated elements in memory; clone() it first");
    check(seen.insert(&parameter.impl()).second, "optimizer: parameter ", i, " of shape ", parameter.shape(),
          " was given before");
  }
  check(std::any_of(named.begin(), named.end(), [](const auto& entry) { return entry.second.requires_grad(); }),
        "optimizer: no parameter requires a gradient, so there is nothing to train; make parameters with "
        "{.requires_grad = true}, or call requires_grad_()");
  detail::GroupRate rate{lr, {}, momentum};
  if (!rates().groups.empty() && rates().groups[0].initial_lr) rate.initial_lr = lr;  // schedules are there
  const std::size_t group = num_groups();
  for (const auto& [name, tensor] : named) {
    parameters_.push_back(tensor);
    names_.push_back(name);
    groups_.push_back(group);
  }
  states_.resize(parameters_.size());
  rates().groups.push_back(rate);
}

GradientKind Optimizer::gradients(std::size_t) const { return GradientKind::dense; }
NamedTensors Optimizer::buffers(std::size_t, const Tensor&) const { return {}; }

const detail::GroupRate& Optimizer::rate(std::size_t group) const {
  check(group < rates().groups.size(), "optimizer: there is no parameter group ", group, ", there are ",
        rates().groups.size());
  return rates().groups[group];
}

void Optimizer::set_lr(double lr) {
  for (std::size_t group = 0; group < num_groups(); ++group) set_lr(lr, group);
}

void Optimizer::set_lr(double lr, std::size_t group) {
  check(lr >= 0 && std::isfinite(lr), "optimizer: the learning rate is ", lr, "; it must be finite and not negative");
  (void)rate(group);
  rates().groups[group].lr = lr;
}

void Optimizer::zero_grad() const {
  for (const Tensor& parameter : parameters_) parameter.zero_grad();
}

void Optimizer::step() {
  const NoGrad no_grad;
  const xgrad::detail::WithoutAutocast without_autocast;
  const xgrad::detail::ProfileEvent event("optimizer step", "optimizer");
  (void)rates();
  struct Made {
    std::size_t i;
    Tensor parameter;
    NamedTensors buffers;
  };
  std::vector<Made> made;
  MastersAside masters(static_cast<std::size_t>(std::count_if(parameters_.begin(), parameters_.end(), has_16_bits)));
  updates_.clear();
  updates_.reserve(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].requires_grad()) continue;
    std::optional<SparseRows> sparse;
    if (parameters_[i].dim() == 2 && parameters_[i].is_contiguous())  // its rows are rows of memory
      sparse = sparse_grad(parameters_[i]);
    const Tensor gradient = sparse ? sparse->values : parameters_[i].grad();
    if (!gradient.defined()) continue;
    expect_kind(gradients(groups_[i]), sparse.has_value(), i, names_[i], parameters_[i]);
    State& state = states_[i];
    const Tensor copy = state.begun && has_16_bits(parameters_[i]) ? masters.take(state.buffers) : Tensor();
    if (copy.defined()) follow(copy, parameters_[i]);
    const Tensor parameter = copy.defined() ? copy : computed(parameters_[i]);
    Tensor own = gradient.to(parameter.dtype());
    if (!sparse) own = xgrad::detail::laid_like(own, parameter);
    updates_.push_back({parameter, own, state.buffers, state.steps + 1, !state.begun, groups_[i],
                        sparse ? sparse->indices : Tensor()});
    if (!state.begun) made.push_back({i, parameter, buffers(groups_[i], parameter)});
  }
  for (Made& one : made) {
    states_[one.i].buffers = std::move(one.buffers);
    if (has_16_bits(parameters_[one.i])) masters.add(states_[one.i].buffers, one.parameter);
  }
  update(updates_);
  for (std::size_t i = 0, k = 0; k < updates_.size(); ++i) {
    if (&updates_[k].buffers != &states_[i].buffers) continue;
    const Tensor& updated = updates_[k++].parameter;
    if (updated.dtype() != parameters_[i].dtype()) xgrad::detail::overwrite(parameters_[i], updated);
    states_[i].begun = true;
    ++states_[i].steps;
    parameters_[i].impl().storage->raise_version("an optimizer's step()");
  }
  updates_.clear();
}

void Optimizer::run_pieces(std::span<ParameterUpdate> all, void (*f)(const void* context, const Piece& piece),
                           const void* context) {
  // Blocks of all parameters laid end to end: equal shares for the threads however large the parameters are.
  constexpr std::int64_t block = 8192;
  pieces_.clear();
  blocks_.clear();
  std::int64_t total = 0;
  for (const ParameterUpdate& one : all) {
    const std::int64_t n = one.gradient.numel();
    for (std::int64_t begin = 0, size = 0; begin < n; begin += size, total += size) {
      if (total % block == 0) blocks_.push_back(pieces_.size());
      size = std::min(block - total % block, n - begin);
      pieces_.push_back({&one, begin, begin + size});
    }
  }
  const auto count = static_cast<std::int64_t>(blocks_.size());
  blocks_.push_back(pieces_.size());
  parallel_for(count, count > 4 ? 1 : count, [&](std::int64_t begin, std::int64_t end) {
    const FlushDenormals flush;
    for (std::size_t i = blocks_[static_cast<std::size_t>(begin)]; i < blocks_[static_cast<std::size_t>(end)]; ++i)
      f(context, pieces_[i]);
  });
}

namespace {

/// "lr" for the first group, "lr.1" for the next.
std::string of_group(const char* name, std::size_t group) {
  return group == 0 ? name : name + std::to_string(group).insert(0, 1, '.');
}

std::string of_parameter(std::string_view name, std::size_t i) { return std::string(name) + '.' + std::to_string(i); }

}  // namespace

NamedTensors Optimizer::state_dict() const {
  NamedTensors state;
  const auto number = [&](const std::string& name, double value) {
    state.emplace_back(name, full({}, value, {.dtype = float64}));
  };
  const std::vector<detail::GroupRate>& groups = rates().groups;
  for (std::size_t group = 0; group < groups.size(); ++group) number(of_group("lr", group), groups[group].lr);
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].begun) continue;
    Tensor steps = xgrad::detail::empty({}, int64);
    *steps.data<std::int64_t>() = states_[i].steps;
    state.emplace_back(of_parameter("step", i), steps);
    for (const auto& [name, buffer] : states_[i].buffers)
      state.emplace_back(of_parameter(name, i), buffer.detach().clone());
  }
  for (std::size_t group = 0; group < groups.size(); ++group)
    if (groups[group].initial_lr) number(of_group("initial_lr", group), *groups[group].initial_lr);
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
  std::set<std::string_view> theirs, numbers;  // names of buffers, and the parameters that have entries
  for (const auto& [name, value] : state) {
    if (!value.defined()) report(name, " is undefined");
    if (!entries.emplace(name, Entry{&value}).second) report(name, " is given twice");
    const std::size_t dot = name.rfind('.');
    const std::string_view base = std::string_view(name).substr(0, dot);
    if (dot == std::string::npos || base == "lr" || base == "initial_lr") continue;
    numbers.insert(std::string_view(name).substr(dot + 1));
    if (base != "step") theirs.insert(base);
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

  std::vector<detail::GroupRate> groups = rates().groups;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const std::string lr = of_group("lr", group);
    if (!entries.contains(lr)) report(lr + " is missing");
    groups[group].lr = number(lr, 0);
    const double initial = number(of_group("initial_lr", group), -1);
    if (initial >= 0) groups[group].initial_lr = initial;
  }
  std::vector<State> states(parameters_.size());
  std::set<std::string> ours;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!numbers.contains(std::to_string(i))) continue;
    const std::string step = of_parameter("step", i);
    if (!entries.contains(step)) report(step, " is missing");
    const double steps = number(step, 0);
    if (steps != std::floor(steps) || steps >= 0x1p62) report(step, " is ", steps, "; it is no number of steps");
    if (problems.empty()) {
      const Tensor& value = *find(step);
      states[i].steps = value.dtype() == int64 ? value.item<std::int64_t>() : static_cast<std::int64_t>(steps);
    }
    const Tensor own = computed(parameters_[i]);
    states[i].buffers = buffers(groups_[i], own);
    if (has_16_bits(parameters_[i])) states[i].buffers.emplace_back(master, own);
    states[i].begun = true;
    for (auto& [buffer_name, buffer] : states[i].buffers) {
      const std::string name = of_parameter(buffer_name, i);
      if (buffer_name == master && !entries.contains(name)) continue;  // the state of parameters of float32
      ours.insert(buffer_name);
      if (!entries.contains(name)) report(name, " is missing");
      const Tensor* value = find(name);
      if (!value) continue;
      if (value->shape() != buffer.shape())
        report(name, " has shape ", value->shape(), ", parameter ", i, names_[i].empty() ? "" : " (" + names_[i] + ")",
               buffer.shape() == parameters_[i].shape() ? " has " : " needs ", buffer.shape());
      else if (problems.empty())
        buffer.copy_(value->detach());
    }
  }
  for (const auto& [name, value] : state)
    if (!entries.at(name).used) report(name, " is unexpected");

  const auto list = [](const auto& names) {
    std::string text;
    for (const auto& name : names) text.append(text.empty() ? "" : ", ").append(name);
    return text.empty() ? "nothing" : text;
  };
  check(problems.empty() || std::equal(theirs.begin(), theirs.end(), ours.begin(), ours.end()),
        "load_state_dict: this is the state of an optimizer that keeps ", list(theirs),
        " for each parameter, this one keeps ", list(ours), "; nothing was changed", problems);
  check(problems.empty(), "load_state_dict: the state does not fit the optimizer; nothing was changed", problems);
  rates().groups = std::move(groups);
  states_ = std::move(states);
}

}  // namespace xgrad::optim
