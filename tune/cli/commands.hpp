#pragma once
// What the commands of xgrad-tune do. All print to standard output, and throw Error where they fail.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace xgrad::tune::cli {

/// What stands on the command line; each command heeds the part that it has options for.
struct Arguments {
  std::string url, study, file, target;
  std::vector<std::string> parameters, states, directions;
  std::vector<double> values;
  std::int64_t trial = -1;
  std::optional<std::size_t> top;
  bool errors = false, exact = false;
  double interval = 2;
  std::string evaluator = "ped-anova", space = "{}", sampler = "auto", state;
  std::uint64_t seed = 0;
  bool skip_if_finished = false;
};

/// A word that its option does not take.
struct WrongUsage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// These only read.
void list(const Arguments& arguments);
void show(const Arguments& arguments);
void best(const Arguments& arguments);
void importance(const Arguments& arguments);
void watch(const Arguments& arguments);
void write_checkpoint(const Arguments& arguments);
void write_export(const Arguments& arguments);
void write_page(const Arguments& arguments);

// These write.
void create(const Arguments& arguments);
void ask(const Arguments& arguments);
void tell(const Arguments& arguments);
void enqueue(const Arguments& arguments);
void retry(const Arguments& arguments);
void clean(const Arguments& arguments);
void copy(const Arguments& arguments);
void remove(const Arguments& arguments);

}  // namespace xgrad::tune::cli
