#pragma once
// Several transforms of one length side by side: `lanes` of them, real and imaginary parts apart, element j of line l
// at [j * lanes + l].

#include "../core/instruction_set.hpp"
#include "fft_plan.hpp"

namespace xgrad::detail {

template <class T>
inline constexpr std::int64_t lanes = 64 / static_cast<std::int64_t>(sizeof(T));

/// Real and imaginary parts in two places, between which the passes move them.
template <class T>
struct Parts {
  T *re, *im;
};

/// y = the butterflies of `radix` elements of x, times their roots.
template <class T>
struct Butterflies {
  std::int64_t blocks, width;  // width in numbers
  const T* roots;
  const T* __restrict xr, * __restrict xi;
  T* __restrict yr, * __restrict yi;

  [[gnu::always_inline]] void two() const {
    const std::int64_t next = blocks * width;
    for (std::int64_t p = 0; p < blocks; ++p) {
      const T wr = roots[2 * p], wi = roots[2 * p + 1];
      const T *ar = xr + p * width, *ai = xi + p * width;
      T *cr = yr + 2 * p * width, *ci = yi + 2 * p * width;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        const T dr = ar[i] - ar[i + next], di = ai[i] - ai[i + next];
        cr[i] = ar[i] + ar[i + next], ci[i] = ai[i] + ai[i + next];
        cr[i + width] = dr * wr - di * wi, ci[i + width] = dr * wi + di * wr;
      }
    }
  }

  [[gnu::always_inline]] void three() const {
    const std::int64_t next = blocks * width;
    const T half = T(0.5), sine = T(0.86602540378443864676);
    for (std::int64_t p = 0; p < blocks; ++p) {
      const T *w = roots + 4 * p, w1r = w[0], w1i = w[1], w2r = w[2], w2i = w[3];
      const T *ar = xr + p * width, *ai = xi + p * width;
      T *cr = yr + 3 * p * width, *ci = yi + 3 * p * width;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        const T sr = ar[i + next] + ar[i + 2 * next], si = ai[i + next] + ai[i + 2 * next];
        const T dr = sine * (ai[i + next] - ai[i + 2 * next]), di = sine * (ar[i + 2 * next] - ar[i + next]);
        const T mr = ar[i] - half * sr, mi = ai[i] - half * si;
        const T br = mr + dr, bi = mi + di, er = mr - dr, ei = mi - di;
        cr[i] = ar[i] + sr, ci[i] = ai[i] + si;
        cr[i + width] = br * w1r - bi * w1i, ci[i + width] = br * w1i + bi * w1r;
        cr[i + 2 * width] = er * w2r - ei * w2i, ci[i + 2 * width] = er * w2i + ei * w2r;
      }
    }
  }

  [[gnu::always_inline]] void four() const {
    const std::int64_t next = blocks * width;
    for (std::int64_t p = 0; p < blocks; ++p) {
      const T* w = roots + 6 * p;
      const T w1r = w[0], w1i = w[1], w2r = w[2], w2i = w[3], w3r = w[4], w3i = w[5];
      const T *ar = xr + p * width, *ai = xi + p * width;
      T *cr = yr + 4 * p * width, *ci = yi + 4 * p * width;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        const T sr = ar[i] + ar[i + 2 * next], si = ai[i] + ai[i + 2 * next];
        const T dr = ar[i] - ar[i + 2 * next], di = ai[i] - ai[i + 2 * next];
        const T tr = ar[i + next] + ar[i + 3 * next], ti = ai[i + next] + ai[i + 3 * next];
        const T er = ai[i + next] - ai[i + 3 * next], ei = ar[i + 3 * next] - ar[i + next];  // times -i
        const T br = dr + er, bi = di + ei, gr = sr - tr, gi = si - ti, hr = dr - er, hi = di - ei;
        cr[i] = sr + tr, ci[i] = si + ti;
        cr[i + width] = br * w1r - bi * w1i, ci[i + width] = br * w1i + bi * w1r;
        cr[i + 2 * width] = gr * w2r - gi * w2i, ci[i + 2 * width] = gr * w2i + gi * w2r;
        cr[i + 3 * width] = hr * w3r - hi * w3i, ci[i + 3 * width] = hr * w3i + hi * w3r;
      }
    }
  }

  /// Any odd radix: sums and differences of element j and radix - j times cosines and sines.
  template <int radix>
  [[gnu::always_inline]] void odd(const T* cosines, const T* sines) const {
    constexpr int half = radix / 2;
    const std::int64_t next = blocks * width;
    for (std::int64_t p = 0; p < blocks; ++p) {
      const T* w = roots + 2 * (radix - 1) * p;
      const T *ar = xr + p * width, *ai = xi + p * width;
      T *cr = yr + radix * p * width, *ci = yi + radix * p * width;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        T sr[half], si[half], dr[half], di[half];
        T total_r = ar[i], total_i = ai[i];
        for (int j = 0; j < half; ++j) {
          const std::int64_t low = i + (j + 1) * next, high = i + (radix - 1 - j) * next;
          sr[j] = ar[low] + ar[high], si[j] = ai[low] + ai[high];
          dr[j] = ar[low] - ar[high], di[j] = ai[low] - ai[high];
          total_r += sr[j], total_i += si[j];
        }
        cr[i] = total_r, ci[i] = total_i;
        for (int k = 1; k <= half; ++k) {
          T mr = ar[i], mi = ai[i], er = 0, ei = 0;
          for (int j = 0; j < half; ++j) {
            const int at = k * (j + 1) % radix;
            mr += cosines[at] * sr[j], mi += cosines[at] * si[j];
            er += sines[at] * di[j], ei += sines[at] * dr[j];
          }
          const int other = radix - k;
          const T br = mr + er, bi = mi - ei, gr = mr - er, gi = mi + ei;
          const T w1r = w[2 * k - 2], w1i = w[2 * k - 1], w2r = w[2 * other - 2], w2i = w[2 * other - 1];
          cr[i + k * width] = br * w1r - bi * w1i, ci[i + k * width] = br * w1i + bi * w1r;
          cr[i + other * width] = gr * w2r - gi * w2i, ci[i + other * width] = gr * w2i + gi * w2r;
        }
      }
    }
  }
};

template <class T>
void run_pass(const FftPass& pass, const T* roots, const Parts<T>& x, const Parts<T>& y) {
  const Butterflies<T> butterflies{pass.blocks, pass.width * lanes<T>, roots + pass.roots, x.re, x.im, y.re, y.im};
  T cosines[7], sines[7];
  for (int k = 0; k < pass.radix; ++k) {
    const Root root = root_of_unity(k, pass.radix);
    cosines[k] = static_cast<T>(root.re), sines[k] = static_cast<T>(-root.im);
  }
  const T *c = cosines, *s = sines;
  switch (pass.radix) {
    case 2:
      return vectorized([=] { butterflies.two(); });
    case 3:
      return vectorized([=] { butterflies.three(); });
    case 4:
      return vectorized([=] { butterflies.four(); });
    case 5:
      return vectorized([=] { butterflies.template odd<5>(c, s); });
    default:
      return vectorized([=] { butterflies.template odd<7>(c, s); });
  }
}

/// (re, im) *= factors, one complex number for each element of the lines, or its conjugate.
template <class T>
void multiply_lines(const Parts<T>& x, std::int64_t n, const T* factors) {
  vectorized([=] {
    for (std::int64_t j = 0; j < n; ++j) {
      const T wr = factors[2 * j], wi = factors[2 * j + 1];
      T *re = x.re + j * lanes<T>, *im = x.im + j * lanes<T>;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t l = 0; l < lanes<T>; ++l) {
        const T r = re[l] * wr - im[l] * wi, i = re[l] * wi + im[l] * wr;
        re[l] = r, im[l] = i;
      }
    }
  });
}

/// Transforms the lines in x; `other` is memory for as much, and both have room for plan.length() elements. The result
/// is in x, which may change places with `other`.
template <class T>
void run_plan(const FftPlan<T>& plan, Parts<T>& x, Parts<T>& other) {
  if (!plan.convolution) {
    for (const FftPass& pass : plan.passes) {
      run_pass(pass, plan.roots.data(), x, other);
      std::swap(x, other);
    }
    return;
  }
  const std::int64_t n = plan.n, length = plan.length();
  multiply_lines(x, n, plan.chirp.data());
  for (T* part : {x.re, x.im}) std::fill(part + n * lanes<T>, part + length * lanes<T>, T(0));
  run_plan(*plan.convolution, x, other);
  multiply_lines(x, length, plan.spectrum.data());
  std::swap(x.re, x.im), std::swap(other.re, other.im);  // the inverse transform
  run_plan(*plan.convolution, x, other);
  std::swap(x.re, x.im), std::swap(other.re, other.im);
  multiply_lines(x, n, plan.chirp.data());
}

/// Asks for what lies so many rows further on: rows that lie far apart the processor does not foresee.
template <class T>
[[gnu::always_inline]] inline void prefetch_row(const T* row, std::int64_t step) {
  constexpr std::int64_t ahead = 16, line = 64 / static_cast<std::int64_t>(sizeof(T));
  __builtin_prefetch(row + 2 * ahead * step);
  __builtin_prefetch(row + 2 * ahead * step + line);
}

/// Reads `count` lines of n complex numbers, element j of line l at from[l * line + j * step]. Lines beyond `count` are
/// zeros.
template <class T>
void load_lines(const T* from, std::int64_t line, std::int64_t step, std::int64_t count, std::int64_t n,
                const Parts<T>& x) {
  constexpr std::int64_t width = lanes<T>, tile = 8;
  if (line == 1 && count == width)
    return vectorized([=] {
      for (std::int64_t j = 0; j < n; ++j) {
        const T* const row = from + 2 * j * step;
        prefetch_row(row, step);
        T *const re = x.re + j * width, *const im = x.im + j * width;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t l = 0; l < width; ++l) re[l] = row[2 * l], im[l] = row[2 * l + 1];
      }
    });
  vectorized([=] {
    struct Number {
      T re, im;
    };
    Number block[tile * width] = {};
    for (std::int64_t j = 0; j < n; j += tile) {
      const std::int64_t rows = n - j < tile ? n - j : tile;
      for (std::int64_t l = 0; l < count; ++l) {
        const T* const at = from + 2 * (l * line + j * step);
        for (std::int64_t k = 0; k < rows; ++k)
          __builtin_memcpy(&block[k * width + l], at + 2 * k * step, sizeof(Number));
      }
      T *const re = x.re + j * width, *const im = x.im + j * width;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < rows * width; ++i) re[i] = block[i].re, im[i] = block[i].im;
    }
  });
}

/// The other way, times scale.
template <class T>
void store_lines(const Parts<T>& x, std::int64_t line, std::int64_t step, std::int64_t count, std::int64_t n, T scale,
                 T* to) {
  constexpr std::int64_t width = lanes<T>, tile = 8;
  if (line == 1 && count == width)
    return vectorized([=] {
      for (std::int64_t j = 0; j < n; ++j) {
        T* const row = to + 2 * j * step;
        prefetch_row(row, step);
        const T *const re = x.re + j * width, *const im = x.im + j * width;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t l = 0; l < width; ++l) row[2 * l] = scale * re[l], row[2 * l + 1] = scale * im[l];
      }
    });
  vectorized([=] {
    struct Number {
      T re, im;
    };
    Number block[tile * width];
    for (std::int64_t j = 0; j < n; j += tile) {
      const std::int64_t rows = n - j < tile ? n - j : tile;
      const T *const re = x.re + j * width, *const im = x.im + j * width;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < rows * width; ++i) block[i].re = scale * re[i], block[i].im = scale * im[i];
      for (std::int64_t l = 0; l < count; ++l) {
        T* const at = to + 2 * (l * line + j * step);
        for (std::int64_t k = 0; k < rows; ++k)
          __builtin_memcpy(at + 2 * k * step, &block[k * width + l], sizeof(Number));
      }
    }
  });
}

}  // namespace xgrad::detail
