#pragma once
// Scaling of the loss, so that gradients in float16 do not vanish.

#include <vector>

#include "../autograd/named_tensors.hpp"
#include "optimizer.hpp"

namespace xgrad::optim {

struct GradScalerOptions {
  double init_scale = 65536;
  double growth_factor = 2;     // the scale is multiplied by it after growth_interval steps without overflow
  double backoff_factor = 0.5;  // and by this after a step with overflow
  std::int64_t growth_interval = 2000;
  bool enabled = true;  // false: scale() gives the loss back, step() is the optimizer's
};

/// As torch.amp.GradScaler: for training under Autocast(float16), whose numbers below 6e-8 are 0. The loss is
/// multiplied by a scale, and the gradients are divided by it before the step. Where a gradient has become infinite or
/// NaN the step is left out and the scale is lowered; after long without, it is raised.
///
///     optim::GradScaler scaler;
///     ...
///     adam.zero_grad();
///     scaler.scale(loss).backward();
///     scaler.unscale_(adam);  // only where gradients are looked at or clipped before the step
///     scaler.step(adam);
///     scaler.update();        // once, after the steps of all optimizers
///
/// bfloat16 has float32's range and needs no scaler.
class GradScaler {
 public:
  /// Throws Error for a scale or a factor that is not finite and positive, a growth_factor of at most 1, a
  /// backoff_factor of at least 1 and a growth_interval below 1.
  explicit GradScaler(const GradScalerOptions& options = {});

  /// The loss times the scale, in float32 where it has 16 bits; differentiable.
  Tensor scale(const Tensor& loss) const;
  /// Divides the gradients of an optimizer's parameters by the scale, in place. Throws Error, with nothing changed, the
  /// second time before update(), and for gradients of float16, which have lost already what the scale was to save:
  /// keep parameters in float32, and let Autocast cast them.
  void unscale_(Optimizer& optimizer);
  /// unscale_(), unless that was called, and the optimizer's step, unless a gradient is infinite or NaN. Gives whether
  /// the step was made. Throws Error the second time before update().
  bool step(Optimizer& optimizer);
  /// Lowers the scale where a gradient was infinite or NaN since the last update(), else raises it after
  /// growth_interval updates. Throws Error where neither step() nor unscale_() was called since.
  void update();
  /// Sets the scale. Throws Error unless it is finite and positive.
  void update(double new_scale);

  /// 1 for a scaler that is not enabled.
  double get_scale() const { return options_.enabled ? scale_ : 1; }
  bool is_enabled() const { return options_.enabled; }

  /// PyTorch's entries: scale, growth_factor, backoff_factor, growth_interval and _growth_tracker; none where the
  /// scaler is not enabled.
  NamedTensors state_dict() const;
  /// Goes on from a state_dict(). Throws Error, with nothing changed, for other entries, and values that the
  /// constructor would refuse.
  void load_state_dict(const NamedTensors& state);

 private:
  struct Progress {
    const Optimizer* optimizer;
    bool found_inf, stepped;
  };
  Progress* progress_of(const Optimizer& optimizer);
  Progress& unscale(const char* op, Optimizer& optimizer);

  GradScalerOptions options_;
  double scale_;
  std::int64_t growth_tracker_ = 0;  // updates since the scale was changed
  std::vector<Progress> progress_;   // since the last update()
};

}  // namespace xgrad::optim
