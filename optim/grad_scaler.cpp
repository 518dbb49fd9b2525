#include "grad_scaler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/norm.hpp"

namespace xgrad::optim {

namespace {

void check_scale(const char* op, double scale) {
  check(scale > 0 && std::isfinite(scale), op, ": the scale is ", scale, "; it must be finite and positive");
}

void check_options(const char* op, double scale, const GradScalerOptions& options) {
  check_scale(op, scale);
  check(options.growth_factor > 1 && std::isfinite(options.growth_factor), op, ": growth_factor is ",
        options.growth_factor, "; it must be above 1");
  check(options.backoff_factor > 0 && options.backoff_factor < 1, op, ": backoff_factor is ", options.backoff_factor,
        "; it must lie between 0 and 1");
  check(options.growth_interval >= 1, op, ": growth_interval is ", options.growth_interval, "; it must be at least 1");
}

/// Whether all elements are finite.
bool is_finite(const Tensor& gradient) {
  return std::isfinite(norm(gradient, std::numeric_limits<double>::infinity()).item());
}

}  // namespace

GradScaler::GradScaler(const GradScalerOptions& options) : options_(options), scale_(options.init_scale) {
  check_options("GradScaler", scale_, options_);
}

Tensor GradScaler::scale(const Tensor& loss) const {
  if (!options_.enabled) return loss;
  return loss.to(promote(loss.dtype(), float32)) * scale_;
}

GradScaler::Progress* GradScaler::progress_of(const Optimizer& optimizer) {
  const auto at = std::find_if(progress_.begin(), progress_.end(),
                               [&](const Progress& progress) { return progress.optimizer == &optimizer; });
  return at == progress_.end() ? nullptr : &*at;
}

GradScaler::Progress& GradScaler::unscale(const char* op, Optimizer& optimizer) {
  return xgrad::detail::with_memory_for(op, [&]() -> Progress& {
    const NoGrad no_grad;
    std::vector<Tensor> gradients;
    for (const Tensor& parameter : optimizer.parameters()) {
      const Tensor gradient = parameter.grad();
      if (!parameter.requires_grad() || !gradient.defined() || gradient.numel() == 0) continue;
      check(gradient.dtype() != float16, op, ": a parameter of shape ", parameter.shape(), " and its gradient are ",
            "float16, in which a gradient that the scale saved vanishes when it is divided by it; keep parameters in ",
            "float32, and let Autocast cast them");
      gradients.push_back(gradient);
    }
    progress_.reserve(progress_.size() + 1);
    bool found_inf = false;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      gradients[i].mul_(1 / scale_);
      found_inf = found_inf || !is_finite(gradients[i]);
    }
    return progress_.emplace_back(Progress{&optimizer, found_inf, false});
  });
}

void GradScaler::unscale_(Optimizer& optimizer) {
  if (!options_.enabled) return;
  const Progress* const before = progress_of(optimizer);
  check(!before || !before->stepped, "unscale_: step() was called for this optimizer; call update() first");
  check(!before, "unscale_: called for this optimizer before; call update() first");
  unscale("unscale_", optimizer);
}

bool GradScaler::step(Optimizer& optimizer) {
  if (!options_.enabled) {
    optimizer.step();
    return true;
  }
  Progress* progress = progress_of(optimizer);
  check(!progress || !progress->stepped, "step: called for this optimizer before; call update() first");
  if (!progress) progress = &unscale("step", optimizer);
  if (!progress->found_inf) optimizer.step();
  progress->stepped = true;
  return !progress->found_inf;
}

void GradScaler::update() {
  if (!options_.enabled) return;
  check(!progress_.empty(), "update: no gradients were looked at since the last one; call step() first");
  const bool found_inf =
      std::any_of(progress_.begin(), progress_.end(), [](const Progress& progress) { return progress.found_inf; });
  progress_.clear();
  if (found_inf) {
    scale_ = std::max(scale_ * options_.backoff_factor, static_cast<double>(std::numeric_limits<float>::min()));
    growth_tracker_ = 0;
  } else if (++growth_tracker_ == options_.growth_interval) {
    const double grown = scale_ * options_.growth_factor;
    if (grown <= static_cast<double>(std::numeric_limits<float>::max())) scale_ = grown;
    growth_tracker_ = 0;
  }
}

void GradScaler::update(double new_scale) {
  if (!options_.enabled) return;
  check_scale("update", new_scale);
  scale_ = new_scale;
  progress_.clear();
}

NamedTensors GradScaler::state_dict() const {
  NamedTensors state;
  if (!options_.enabled) return state;
  const auto number = [&](const char* name, double value) {
    state.emplace_back(name, full({}, value, {.dtype = float64}));
  };
  number("scale", scale_);
  number("growth_factor", options_.growth_factor);
  number("backoff_factor", options_.backoff_factor);
  state.emplace_back("growth_interval", tensor(options_.growth_interval));
  state.emplace_back("_growth_tracker", tensor(growth_tracker_));
  return state;
}

void GradScaler::load_state_dict(const NamedTensors& state) {
  if (!options_.enabled) return;
  constexpr const char* op = "load_state_dict";
  constexpr std::size_t entries = 5;
  const auto number = [&](const char* name) {
    const auto at = std::find_if(state.begin(), state.end(), [&](const auto& entry) { return entry.first == name; });
    check(at != state.end(), op, ": `", name, "` of the GradScaler is missing; nothing was changed");
    check(at->second.defined() && at->second.numel() == 1, op, ": `", name,
          "` of the GradScaler is no number; nothing was changed");
    return at->second.item<double>();
  };
  GradScalerOptions options = options_;
  const double scale = number("scale");
  options.growth_factor = number("growth_factor");
  options.backoff_factor = number("backoff_factor");
  const double interval = number("growth_interval"), tracker = number("_growth_tracker");
  check(state.size() == entries, op, ": there are ", state.size(), " entries, a GradScaler has ", entries,
        "; nothing was changed");
  const auto is_count = [](double value) { return value >= 0 && value < 0x1p62 && value == std::floor(value); };
  check(is_count(interval) && is_count(tracker), op, ": growth_interval is ", interval, " and _growth_tracker ",
        tracker, "; they must be counts; nothing was changed");
  options.growth_interval = static_cast<std::int64_t>(interval);
  check_options(op, scale, options);
  options_ = options;
  scale_ = scale;
  growth_tracker_ = static_cast<std::int64_t>(tracker);
  progress_.clear();
}

}  // namespace xgrad::optim
