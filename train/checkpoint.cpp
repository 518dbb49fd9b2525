#include "checkpoint.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "../io/file.hpp"
#include "../io/safetensors.hpp"

namespace xgrad::train {

namespace {

constexpr const char* metric_key = "metric";  // in the metadata of the best

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// Gives the file that is about to be replaced the name `path.1`, beside its own, and older ones the next number. A
/// file that has both names already is left over from a save that failed.
void keep_older(const std::string& path, std::int64_t count) {
  const auto older = [&](std::int64_t number) { return path + '.' + std::to_string(number); };
  std::error_code ignored;
  if (count < 2 || !std::filesystem::is_regular_file(path, ignored) ||
      std::filesystem::equivalent(path, older(1), ignored))
    return;
  for (std::int64_t number = count - 1; number > 1; --number)
    if (::rename(older(number - 1).c_str(), older(number).c_str()) != 0 && errno != ENOENT)
      io::fail_with_errno("Checkpoint", older(number), errno);
  if (::unlink(older(1).c_str()) != 0 && errno != ENOENT) io::fail_with_errno("Checkpoint", older(1), errno);
  if (::linkat(AT_FDCWD, path.c_str(), AT_FDCWD, older(1).c_str(), AT_SYMLINK_FOLLOW) != 0)
    io::atomic_write(older(1), io::read_file(path));  // some file systems have no links
}

std::string text_of(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// The metric of the best so far; NaN without one.
double metric_of(const std::string& path) {
  double metric = std::nan("");
  if (!exists(path)) return metric;
  const auto metadata = load_safetensors_metadata(path);
  const auto found = metadata.find(metric_key);
  if (found != metadata.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), metric);
  return metric;
}

}  // namespace

Checkpoint::Checkpoint(std::string path, const CheckpointOptions& options, std::vector<Stateful> objects)
    : path_(std::move(path)), options_(options), objects_(std::move(objects)) {
  check(options.keep_last >= 1, "Checkpoint: keep_last must be at least 1, not ", options.keep_last);
}

Checkpoint::~Checkpoint() {
  try {
    wait();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
}

void Checkpoint::save() {
  write(path_, options_.keep_last, {});
  saved_ = Clock::now();
}

bool Checkpoint::save_every(std::chrono::nanoseconds interval) {
  if (Clock::now() - saved_ < interval) return false;
  save();
  return true;
}

bool Checkpoint::save_best(double metric) {
  wait();
  if (!best_) best_ = metric_of(best_path());
  const bool better = std::isnan(*best_) || (options_.better == Better::larger ? metric > *best_ : metric < *best_);
  if (std::isnan(metric) || !better) return false;
  write(best_path(), 1, metric);
  best_ = metric;
  return true;
}

void Checkpoint::write(const std::string& path, std::int64_t keep_last, std::optional<double> metric) {
  wait();
  NamedTensors state = save_all(objects_);
  std::map<std::string, std::string> metadata;
  if (metric) metadata[metric_key] = text_of(*metric);
  if (!options_.asynchronous) {
    keep_older(path, keep_last);
    return save_safetensors(path, state, metadata);
  }
  for (auto& [name, tensor] : state) tensor = tensor.detach().clone();
  const auto write_copy = [path, keep_last, state = std::move(state), metadata = std::move(metadata)] {
    keep_older(path, keep_last);
    save_safetensors(path, state, metadata);
  };
  try {
    writing_ = std::async(std::launch::async, write_copy);
  } catch (const std::system_error& error) {
    fail("Checkpoint: ", path, ": no thread can be started to write it: ", error.code().message());
  }
}

void Checkpoint::wait() {
  if (!writing_.valid()) return;
  try {
    writing_.get();
  } catch (...) {
    best_.reset();
    throw;
  }
}

void Checkpoint::restore_from(const std::string& path) {
  wait();
  const NamedTensors state = load_safetensors(path);
  try {
    load_all(objects_, state);
  } catch (const Error& error) {
    throw Error("Checkpoint: " + path + ": " + error.what());
  }
}

void Checkpoint::restore() { restore_from(path_); }

bool Checkpoint::restore_if_there() {
  wait();
  if (!exists(path_)) return false;
  restore();
  return true;
}

void Checkpoint::restore_best() { restore_from(best_path()); }

}  // namespace xgrad::train
