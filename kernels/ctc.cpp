#include "ctc.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "elementary.hpp"

namespace xgrad::detail {

namespace {

/// The logarithm of the sum of the exponentials; -infinity where all are.
template <class T>
[[gnu::always_inline]] inline T log_sum(T a, T b, T c) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T ab = a > b ? a : b, largest = ab > c ? ab : c, most = largest == -infinity ? T(0) : largest;
  return most + elementary::log(elementary::exp(a - most) + elementary::exp(b - most) + elementary::exp(c - most));
}

/// One sequence of the batch.
template <class T>
struct Sequence {
  const CTCSize& size;
  std::int64_t n;
  const T* log_probs;
  std::int64_t states = size.used_states[n], length = size.lengths[n];
  const std::int64_t* labels = size.labels + n * size.states;

  const T* at(std::int64_t step) const { return log_probs + (step * size.batch + n) * size.classes; }
  /// Whether a state may be reached from the one two before: not from a label to the same one.
  bool may_skip(std::int64_t state) const { return state >= 2 && state % 2 == 1 && labels[state] != labels[state - 2]; }
};

}  // namespace

template <class T>
void ctc(const CTCSize& size, const T* log_probs, T* alphas, T* losses) {
  constexpr T none = -std::numeric_limits<T>::infinity();
  parallel_for(size.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    // Two elements in front of each row, so that every state has two before it.
    const auto room = static_cast<std::size_t>(size.states) + 2;
    std::vector<T> before(room, none), skipped(room, none), now(room, none);
    for (std::int64_t n = begin; n < end; ++n) {
      const Sequence<T> sequence{size, n, log_probs};
      const std::int64_t states = sequence.states;
      std::fill(before.begin(), before.end(), none);
      if (sequence.length == 0) losses[n] = states == 1 ? T(0) : -none;
      for (std::int64_t step = 0; step < sequence.length; ++step) {
        T *const old = before.data() + 2, *const over = skipped.data(), *const to = now.data();
        const T* const seen = sequence.at(step);
        if (step == 0) {
          for (std::int64_t s = 0; s < states; ++s) to[s] = s < 2 ? T(0) : none;
        } else {
          for (std::int64_t s = 0; s < states; ++s) over[s] = sequence.may_skip(s) ? old[s - 2] : none;
          vectorized([=] {
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t s = 0; s < states; ++s) to[s] = log_sum(old[s], old[s - 1], over[s]);
          });
        }
        for (std::int64_t s = 0; s < states; ++s) old[s] = to[s] + seen[sequence.labels[s]];
        std::copy_n(old, states, alphas + (n * size.steps + step) * size.states);
        if (step + 1 == sequence.length)
          losses[n] = -log_sum(old[states - 1], states > 1 ? old[states - 2] : none, none);
      }
    }
  });
}

template <class T>
void ctc_backward(const CTCSize& size, const T* log_probs, const T* alphas, const T* losses, const T* grad,
                  T* log_probs_grad) {
  constexpr T none = -std::numeric_limits<T>::infinity();
  parallel_for(size.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    // betas[s]: the sums over what follows a state; two elements behind the row, so that every state has two after it.
    const auto room = static_cast<std::size_t>(size.states) + 2;
    std::vector<T> betas(room, none), next(room, none), skipped(room, none), shares(room);
    for (std::int64_t n = begin; n < end; ++n) {
      const Sequence<T> sequence{size, n, log_probs};
      const std::int64_t states = sequence.states;
      const T factor = grad[n], loss = losses[n];
      if (factor == 0) continue;
      std::fill(betas.begin(), betas.end(), none);
      std::fill(next.begin(), next.end(), none);
      for (std::int64_t step = sequence.length - 1; step >= 0; --step) {
        T *const beta = betas.data(), *const after = next.data(), *const over = skipped.data(),
                 *const share = shares.data();
        if (step == sequence.length - 1) {
          for (std::int64_t s = 0; s < states; ++s) beta[s] = s + 2 >= states ? T(0) : none;
        } else {
          const T* const seen = sequence.at(step + 1);
          for (std::int64_t s = 0; s < states; ++s) after[s] = beta[s] + seen[sequence.labels[s]];
          for (std::int64_t s = 0; s < states; ++s)
            over[s] = s + 2 < states && sequence.may_skip(s + 2) ? after[s + 2] : none;
          vectorized([=] {
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t s = 0; s < states; ++s) beta[s] = log_sum(after[s], after[s + 1], over[s]);
          });
        }
        const T* const alpha = alphas + (n * size.steps + step) * size.states;
        vectorized([=] {
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t s = 0; s < states; ++s) share[s] = factor * elementary::exp(alpha[s] + beta[s] + loss);
        });
        T* const to = log_probs_grad + (step * size.batch + n) * size.classes;
        for (std::int64_t s = 0; s < states; ++s) to[sequence.labels[s]] -= share[s];
      }
    }
  });
}

#define XGRAD_INSTANTIATE(T)                           \
  template void ctc(const CTCSize&, const T*, T*, T*); \
  template void ctc_backward(const CTCSize&, const T*, const T*, const T*, const T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
