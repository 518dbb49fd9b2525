#pragma once
// Finding the operation that made the first value that is not finite.

#include "node.hpp"

namespace xgrad {

namespace detail {

inline constinit thread_local bool anomaly_enabled = false;

void expect_finite_output(const Node& node, std::size_t index, const Tensor& output);
void expect_finite_gradient(const Node& node, std::size_t input, const Tensor& gradient);

}  // namespace detail

/// While it lives, each operation that this thread records throws Error at an output, and each backward at a gradient,
/// that is NaN or infinite; the Error names the operation, the element, and the line that called the operation. It is
/// slow.
class AnomalyMode {
 public:
  [[nodiscard]] explicit AnomalyMode(bool enabled = true) : before_(detail::anomaly_enabled) {
    detail::anomaly_enabled = enabled;
  }
  ~AnomalyMode() { detail::anomaly_enabled = before_; }
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  bool before_;
};

}  // namespace xgrad
