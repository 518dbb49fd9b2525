#include "stateful.hpp"

#include <bit>
#include <map>
#include <set>

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
  return {"loader", [&loader] { return loader.state_dict(); },
          [&loader](const NamedTensors& state, bool) { loader.load_state_dict(state); }};
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

namespace {

/// use(object, prefix of its tensors) for each, and for the generator that is used where none is given.
template <class Use>
void for_each_object(const std::vector<Stateful>& objects, const Use& use) {
  std::map<std::string, int> seen;
  for (const Stateful& object : objects) {
    const int index = seen[object.kind]++;
    use(object, object.kind + std::to_string(index) + '.');
  }
  use(Stateful::of(default_generator()), std::string("default_generator."));
}

void load_each(const std::vector<Stateful>& objects, const NamedTensors& all, bool own_lr) {
  for_each_object(objects, [&](const Stateful& object, const std::string& prefix) {
    NamedTensors state;
    for (const auto& [name, tensor] : all)
      if (name.starts_with(prefix)) state.emplace_back(name.substr(prefix.size()), tensor);
    object.load(state, own_lr);
  });
}

}  // namespace

NamedTensors save_all(const std::vector<Stateful>& objects) {
  NamedTensors all;
  for_each_object(objects, [&](const Stateful& object, const std::string& prefix) {
    for (auto& [name, tensor] : object.save()) all.emplace_back(prefix + name, tensor);
  });
  return all;
}

void load_all(const std::vector<Stateful>& objects, const NamedTensors& state, bool own_lr) {
  std::set<std::string> known;
  for_each_object(objects, [&](const Stateful&, const std::string& prefix) { known.insert(prefix); });
  for (const auto& [name, tensor] : state)
    check(known.contains(name.substr(0, name.find('.') + 1)), "load_state_dict: the state has `", name,
          "`, but no object of that kind and number was given; nothing was changed");
  NamedTensors before = save_all(objects);
  for (auto& [name, tensor] : before) tensor = tensor.detach().clone();
  try {
    load_each(objects, state, own_lr);
  } catch (...) {
    load_each(objects, before, false);
    throw;
  }
}

}  // namespace xgrad
