#pragma once
// Roots of unity and factors for transforms of one length, computed once.

#include <cstdint>
#include <memory>
#include <vector>

namespace xgrad::detail {

/// One pass of a self-sorting transform: `blocks` butterflies of `radix` inputs, each of `width` neighbours.
struct FftPass {
  int radix;
  std::int64_t blocks, width;
  std::int64_t roots;  // where those of the pass begin
};

/// A transform of n complex numbers.
template <class T>
struct FftPlan {
  std::int64_t n;
  std::vector<FftPass> passes;
  std::vector<T> roots;  // real and imaginary parts by turns, as are all below

  // Where n has other factors: a cyclic convolution of this length with a chirp.
  std::shared_ptr<const FftPlan> convolution = {};
  std::vector<T> chirp = {}, spectrum = {};

  // A long line as a matrix of rows x columns = n.
  std::shared_ptr<const FftPlan> rows = {}, columns = {};
  std::vector<T> twiddles = {};  // for each place in the matrix

  /// How many numbers a line needs in memory.
  std::int64_t length() const { return convolution ? convolution->n : n; }
};

/// The plan for n > 0; with `split`, for a long line.
template <class T>
std::shared_ptr<const FftPlan<T>> fft_plan(std::int64_t n, bool split);

/// exp(-2 pi i k / n) for k up to n / 2, for what is done before or after a real transform.
template <class T>
std::shared_ptr<const std::vector<T>> fft_half_roots(std::int64_t n);

/// exp(-2 pi i k / n).
struct Root {
  double re, im;
};
Root root_of_unity(std::int64_t k, std::int64_t n);

}  // namespace xgrad::detail
