#include "epochs.hpp"

#include <bit>
#include <map>

#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../io/safetensors.hpp"
#include "study_core.hpp"

namespace xgrad::tune {

namespace {

Tensor whole_numbers(std::initializer_list<std::uint64_t> values) {
  Tensor out = xgrad::detail::empty({static_cast<std::int64_t>(values.size())}, int64);
  auto* to = out.data<std::int64_t>();
  for (const std::uint64_t value : values) *to++ = std::bit_cast<std::int64_t>(value);
  return out;
}

std::uint64_t whole_number(const NamedTensors& state, std::size_t index) {
  check(state.size() == 1 && state[0].second.numel() > static_cast<std::int64_t>(index) &&
            state[0].second.dtype() == int64,
        "epochs: the saved state does not fit");
  return std::bit_cast<std::uint64_t>(state[0].second.data<std::int64_t>()[index]);
}

// The objects, each with the prefix of its tensors, and the generator that is used where none is given.
template <class Use>
void for_each_object(std::vector<Stateful>& objects, Use&& use) {
  std::map<std::string, int> seen;
  for (Stateful& object : objects) {
    const int index = seen[object.kind]++;
    use(object, object.kind + std::to_string(index) + '.');
  }
  Stateful generator = Stateful::of(default_generator());
  use(generator, std::string("default_generator."));
}

}  // namespace

Stateful Stateful::of(optim::Optimizer& optimizer) {
  return {"optimizer", [&optimizer] { return optimizer.state_dict(); },
          [&optimizer](const NamedTensors& state, bool own_lr) {
            NamedTensors loaded = state;
            if (own_lr) {
              const auto is_rate = [](const auto& entry) { return entry.first == "lr" || entry.first == "initial_lr"; };
              std::erase_if(loaded, is_rate);
              for (const auto& entry : optimizer.state_dict())
                if (is_rate(entry)) loaded.push_back(entry);
            }
            optimizer.load_state_dict(loaded);
          }};
}

Stateful Stateful::of(optim::LRScheduler& scheduler) {
  return {"scheduler", [&scheduler] { return scheduler.state_dict(); },
          [&scheduler](const NamedTensors& state, bool own_lr) {
            NamedTensors loaded = state;
            if (own_lr && loaded.size() == 2) loaded[1] = scheduler.state_dict()[1];
            scheduler.load_state_dict(loaded);
          }};
}

Stateful Stateful::of(data::DataLoader& loader) {
  return {"loader",
          [&loader] {
            return NamedTensors{{"epoch", whole_numbers({static_cast<std::uint64_t>(loader.epoch())})}};
          },
          [&loader](const NamedTensors& state, bool) {
            loader.set_epoch(static_cast<std::int64_t>(whole_number(state, 0)));
          }};
}

Stateful Stateful::of(Generator& generator) {
  return {"generator",
          [&generator] {
            const GeneratorState& state = generator.state();
            return NamedTensors{{"state", whole_numbers({state.seed, state.stream, state.position})}};
          },
          [&generator](const NamedTensors& state, bool) {
            generator.set_state({whole_number(state, 0), whole_number(state, 1), whole_number(state, 2)});
          }};
}

Epochs::Epochs(std::shared_ptr<detail::OpenTrial> trial, int count, std::vector<Stateful> objects)
    : trial_(std::move(trial)), count_(count), objects_(std::move(objects)) {
  check(count >= 0, "epochs: their number ", count, " is negative");
}

Epochs::Iterator Epochs::begin() {
  const auto saved = trial_->core->checkpoint(*trial_);
  if (!saved) return Iterator(*this, 1);
  restore(saved->bytes, trial_->forked);
  return Iterator(*this, static_cast<int>(saved->step) + 1);
}

int Epochs::after(int epoch) {
  return trial_->core->go_on(*trial_, epoch, count_, [this] { return state(); }) ? epoch + 1 : count_ + 1;
}

std::string Epochs::state() const {
  NamedTensors all;
  auto objects = objects_;
  for_each_object(objects, [&](const Stateful& object, const std::string& prefix) {
    for (auto& [name, tensor] : object.save()) all.emplace_back(prefix + name, tensor);
  });
  return to_safetensors(all);
}

void Epochs::restore(const std::string& bytes, bool own_lr) {
  const NamedTensors all = from_safetensors(bytes);
  for_each_object(objects_, [&](const Stateful& object, const std::string& prefix) {
    NamedTensors state;
    for (const auto& [name, tensor] : all)
      if (name.starts_with(prefix)) state.emplace_back(name.substr(prefix.size()), tensor);
    object.load(state, own_lr);
  });
}

}  // namespace xgrad::tune
