#pragma once
// What a Profile noted, summed up.

#include <cstdint>
#include <string>
#include <vector>

namespace xgrad::train {

/// An operation, forward or backward, with those that it calls itself, all calls together; or all operations of a
/// module.
struct ProfileRow {
  std::string operation;  // "linear", "linear backward", "optimizer step", "copy"; of a module "forward" or "backward"
  std::string called_at;  // the line of the program, where rows are by line
  std::string module;     // its path, where rows are by module; empty for what is part of none
  std::int64_t calls = 0;
  double milliseconds = 0;  // without copies, which are rows of their own; of a module with them
  std::int64_t bytes = 0;   // of its results: the memory that it filled
  double flops = 0;         // of products and convolutions, a multiply-add counting two; 0 for others
};

/// Modules are those whose paths the Profile was given, by nn::module_paths.
enum class ProfileBy { operation, line, module };

/// The operations of a trace that a Profile wrote, those that took longest first. Throws Error where the file is
/// missing or is no trace.
std::vector<ProfileRow> profile_rows(const std::string& trace, ProfileBy by = ProfileBy::operation);

/// The first `most` of them as a table, with their part of the time and what they computed a second.
///
///     {
///       const Profile profile("trace.json");
///       train_one_step();
///     }
///     std::cout << train::profile_table("trace.json");
std::string profile_table(const std::string& trace, ProfileBy by = ProfileBy::operation, std::size_t most = 20);

namespace detail {

/// A bar of a flame chart, in microseconds from the first.
struct ProfileBar {
  std::string name, category, module;
  int thread, depth;
  double begin, duration;
};
/// The bars of a trace, by thread and by time.
std::vector<ProfileBar> profile_bars(const std::string& trace);

}  // namespace detail

}  // namespace xgrad::train
