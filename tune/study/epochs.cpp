#include "epochs.hpp"

#include <map>

#include "../../io/safetensors.hpp"
#include "study_core.hpp"

namespace xgrad::tune {

namespace {

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
