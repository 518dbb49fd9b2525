#include "epochs.hpp"

#include <map>

#include "../../io/safetensors.hpp"
#include "study_core.hpp"

namespace xgrad::tune {

void restore_some(const std::vector<Stateful>& objects, const std::string& bytes) {
  const NamedTensors all = from_safetensors(bytes);
  std::map<std::string, int> seen;
  for (const Stateful& object : objects) {
    const std::string prefix = object.kind + std::to_string(seen[object.kind]++) + '.';
    NamedTensors state;
    for (const auto& [name, tensor] : all)
      if (name.starts_with(prefix)) state.emplace_back(name.substr(prefix.size()), tensor);
    check(!state.empty(), "restore_best: the best trial saved no ", object.kind, " of number ", seen[object.kind] - 1);
    object.load(state, false);
  }
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

std::string Epochs::state() const { return to_safetensors(save_all(objects_)); }

void Epochs::restore(const std::string& bytes, bool own_lr) { load_all(objects_, from_safetensors(bytes), own_lr); }

}  // namespace xgrad::tune
