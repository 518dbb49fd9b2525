#include "checkpoint.hpp"

#include <filesystem>

#include "../io/safetensors.hpp"

namespace xgrad::train {

void Checkpoint::save() {
  save_safetensors(path_, save_all(objects_));
  saved_ = Clock::now();
}

bool Checkpoint::save_every(std::chrono::nanoseconds interval) {
  if (Clock::now() - saved_ < interval) return false;
  save();
  return true;
}

void Checkpoint::restore() {
  const NamedTensors state = load_safetensors(path_);
  try {
    load_all(objects_, state);
  } catch (const Error& error) {
    throw Error("Checkpoint: " + path_ + ": " + error.what());
  }
}

bool Checkpoint::restore_if_there() {
  std::error_code ignored;
  if (!std::filesystem::exists(path_, ignored)) return false;
  restore();
  return true;
}

}  // namespace xgrad::train
