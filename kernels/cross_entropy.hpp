#pragma once
// The kernel of softmax cross-entropy: losses and gradients of rows of scores, each row read from memory once.

#include <cstdint>

#include "stored.hpp"

namespace xgrad::detail {

/// What is summed for the row of a target t: own = kept * weights[t] at t, and spread * weights[c] for every class c.
template <class T>
struct ClassTargets {
  const std::int64_t* labels;  // one a row
  std::int64_t ignored;        // the label of rows that count for nothing
  const T* weights;            // one a class, or null for 1
  double kept, spread;         // of label smoothing: 1 - s and s / classes
};

/// losses[row] = -sum over classes of the targets * log softmax(x[row]); a row that is ignored has 0. With a
/// `gradient`, that of x for an upstream gradient of `scale` on each row is written there.
template <class T>
void cross_entropy(std::int64_t rows, std::int64_t classes, const Stored<T>& x, const ClassTargets<T>& targets,
                   double scale, T* losses, const Stored<T>& gradient);

}  // namespace xgrad::detail
