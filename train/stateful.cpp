#include "stateful.hpp"

#include <bit>

#include "../autograd/create.hpp"

namespace xgrad {

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
        "load_state_dict: the saved state does not fit");
  return std::bit_cast<std::uint64_t>(state[0].second.data<std::int64_t>()[index]);
}

}  // namespace

Stateful Stateful::of(optim::Optimizer& optimizer) {
  return {"optimizer", [&optimizer] { return optimizer.state_dict(); },
          [&optimizer](const NamedTensors& state, bool own_lr) {
            NamedTensors loaded = state;
            if (own_lr) {
              const auto is_rate = [](const auto& entry) {
                const std::string name = entry.first.substr(0, entry.first.find('.'));
                return name == "lr" || name == "initial_lr";
              };
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
            if (own_lr && loaded.size() >= 2) loaded[1] = scheduler.state_dict()[1];
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

}  // namespace xgrad
