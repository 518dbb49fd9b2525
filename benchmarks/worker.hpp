#pragma once
// What the contestants written in C++ share: workloads' sizes and numbers, and the loop that serves benchmarks/compare.
// Python's contestants have the same in worker.py.

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace benchmarks {

/// Number `i` of a stream, in [-1, 1), a multiple of 2^-23: the same in every contestant.
inline float number(std::uint32_t stream, std::uint32_t i) {
  std::uint32_t h = i * 2654435761u + stream * 2246822519u;
  h = (h ^ (h >> 15)) * 739982445u;
  h = (h ^ (h >> 12)) * 695872825u;
  h ^= h >> 15;
  return static_cast<float>(h >> 8) * 0x1p-23f - 1;
}

inline void fill(float* values, std::int64_t n, std::uint32_t stream, float scale = 1, float offset = 0) {
  for (std::int64_t i = 0; i < n; ++i) values[i] = number(stream, static_cast<std::uint32_t>(i)) * scale + offset;
}

/// Class indices in [0, classes).
inline void fill_labels(std::int64_t* labels, std::int64_t n, std::int64_t classes) {
  for (std::int64_t i = 0; i < n; ++i)
    labels[i] =
        static_cast<std::int64_t>((number(2, static_cast<std::uint32_t>(i)) + 1) / 2 * static_cast<float>(classes));
}

/// Initial values of parameter `index` of a model: its matrices and kernels uniform within 1/sqrt(inputs), the weights
/// of its normalisations near 1, its biases near 0.
inline void fill_parameter(float* values, std::int64_t n, std::uint32_t index, std::int64_t inputs, bool matrix,
                           bool is_weight) {
  if (matrix)
    fill(values, n, 100 + index, static_cast<float>(1 / std::sqrt(static_cast<double>(inputs))));
  else
    fill(values, n, 100 + index, 0.125f, is_weight ? 1.f : 0.f);
}

constexpr std::uint32_t inputs_stream = 1, upstream_stream = 3;

/// So small that weights hardly move: otherwise the loss of a batch that is learnt by heart goes to 0, and Adam's
/// moments to numbers so small that arithmetic on them is slow.
constexpr double learning_rate = 1e-6;

struct Workload {
  std::function<void()> step;
  /// What the last step gave, on which all contestants must agree: the loss (where there is none the first element of
  /// the output), then the gradients in the order of PyTorch's parameters, then those of inputs.
  std::function<std::vector<float>()> results;
};

/// Makes a workload by name; one without a step is unknown to this contestant.
using Maker = std::function<Workload(std::string_view name)>;

inline long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/// A number of kilobytes that the kernel tells about this process: "VmHWM", "VmRSS".
inline long kilobytes(std::string_view key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.compare(0, key.size(), key) == 0) return std::stol(line.substr(key.size() + 1));
  return -1;
}

/// Relative difference of the first numbers, and of the others in the Euclidean norm.
inline std::string compare(const std::vector<float>& ours, const std::vector<float>& theirs) {
  if (ours.size() != theirs.size())
    return "error " + std::to_string(ours.size()) + " numbers against " + std::to_string(theirs.size());
  double difference = 0, norm = 0;
  for (std::size_t i = 1; i < ours.size(); ++i) {
    const double a = ours[i], b = theirs[i];
    difference += (a - b) * (a - b);
    norm += b * b;
  }
  std::ostringstream text;
  text << (ours[0] == theirs[0] ? 0 : std::abs(ours[0] - theirs[0]) / std::abs(theirs[0])) << ' '
       << std::sqrt(difference / norm);
  return text.str();
}

/// Serves commands from standard input, one a line, with an answer of one line each, until the input ends:
///   load NAME     makes a workload in the place of the one before     ok, or unknown
///   write FILE    one step; its results go to a file of float32       ok
///   compare FILE  one step; against the results of another            relative difference of losses, of gradients
///   run K         one step, then K that count                         nanoseconds a step, page faults a step
///   memory        since the start of the process                      kilobytes at the peak, and before the first load
/// What fails is answered with `error` and why.
inline int serve(const Maker& make) {
  Workload workload;
  const long at_start = kilobytes("VmRSS:");
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, argument, answer = "ok";
    words >> command >> argument;
    try {
      if (command == "load") {
        workload = {};
        workload = make(argument);
        if (!workload.step) answer = "unknown";
      } else if (command == "write") {
        workload.step();
        const std::vector<float> results = workload.results();
        std::ofstream(argument, std::ios::binary)
            .write(reinterpret_cast<const char*>(results.data()),
                   static_cast<std::streamsize>(results.size() * sizeof(float)));
      } else if (command == "compare") {
        workload.step();
        std::ifstream file(argument, std::ios::binary | std::ios::ate);
        std::vector<float> ours(static_cast<std::size_t>(file.tellg()) / sizeof(float));
        file.seekg(0);
        file.read(reinterpret_cast<char*>(ours.data()), static_cast<std::streamsize>(ours.size() * sizeof(float)));
        answer = compare(ours, workload.results());
      } else if (command == "run") {
        const long steps = std::stol(argument);
        workload.step();
        const long faults = page_faults();
        const auto start = std::chrono::steady_clock::now();
        for (long i = 0; i < steps; ++i) workload.step();
        const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
        std::ostringstream text;
        text << time.count() / static_cast<double>(steps) << ' '
             << static_cast<double>(page_faults() - faults) / static_cast<double>(steps);
        answer = text.str();
      } else if (command == "memory") {
        answer = std::to_string(kilobytes("VmHWM:")) + ' ' + std::to_string(at_start);
      } else {
        answer = "error: no such command: " + line;
      }
    } catch (const std::exception& error) {
      answer = std::string("error: ") + error.what();
      for (char& c : answer)
        if (c == '\n') c = ' ';
    }
    std::cout << answer << std::endl;
  }
  return 0;
}

}  // namespace benchmarks
