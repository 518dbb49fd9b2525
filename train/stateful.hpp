#pragma once
// What has to be kept of a training program to go on with it later.

#include <concepts>
#include <functional>
#include <vector>

#include "../array/random.hpp"
#include "../autograd/named_tensors.hpp"
#include "../data/loader.hpp"
#include "../nn/module.hpp"
#include "../optim/scheduler.hpp"

namespace xgrad {

/// What a type of one's own offers to be kept with the rest.
template <class T>
concept HasState = requires(T& object, const T& kept, const NamedTensors& state) {
  { kept.state_dict() } -> std::convertible_to<NamedTensors>;
  object.load_state_dict(state);
};

/// How one object of a training program is saved and restored: modules, optimizers, schedules, loaders, generators, and
/// whatever has state_dict() and load_state_dict(), as HasState says. The object must outlive this.
struct Stateful {
  const char* kind;
  std::function<NamedTensors()> save;
  /// `own_lr`: the learning rate stays what the program has set.
  std::function<void(const NamedTensors& state, bool own_lr)> load;

  static Stateful of(optim::Optimizer& optimizer);
  static Stateful of(optim::LRScheduler& scheduler);
  static Stateful of(data::DataLoader& loader);
  static Stateful of(Generator& generator);
  template <class T>
  requires(!std::derived_from<T, optim::Optimizer> && !std::derived_from<T, optim::LRScheduler> &&
           (HasState<T> || nn::Module<T>)) static Stateful of(T& object) {
    if constexpr (HasState<T>)
      return {"object", [&object] { return NamedTensors(object.state_dict()); },
              [&object](const NamedTensors& state, bool) { object.load_state_dict(state); }};
    else
      return {"module", [&object] { return nn::state_dict(object); },
              [&object](const NamedTensors& state, bool) { nn::load_state_dict(object, state); }};
  }
};

/// The state of all objects, and of default_generator() of this thread, under names that begin with the kind and the
/// number of its kind of each: `module0.fc1.weight`, `optimizer0.step.3`. Tensors may share memory with the objects.
NamedTensors save_all(const std::vector<Stateful>& objects);
/// Goes on from what save_all() gave of as many objects of the same kinds. Throws Error, with nothing changed, where an
/// object's part does not fit it, or belongs to none.
void load_all(const std::vector<Stateful>& objects, const NamedTensors& state, bool own_lr = false);

}  // namespace xgrad
