#pragma once
// Discrete Fourier transforms.
//
// A complex number is two neighbours, real and imaginary part. Transforms run along the middle axis of dense memory
// seen as (outer, n, inner). They are not scaled but by `scale`. Sixteen lines (eight in float64) are transformed at a
// time, side by side in split real and imaginary parts, so that every loop is over neighbours: a self-sorting Stockham
// algorithm with radices 4, 2, 3, 5 and 7; other lengths by Bluestein's convolution. Long lines are cut into the
// columns and rows of a matrix, which are such lines again. Roots of unity are computed in double and kept. (FFTW has a
// licence that does not fit, and pocketfft is no Debian package.)

#include "reduce.hpp"

namespace xgrad::detail {

/// The sums over j of from[j] exp(-2 pi i j k / n), or with `inverse` exp(+2 pi i j k / n), times scale. `from` may be
/// `to`.
template <class T>
void fft_complex(const ReducedSize& size, bool inverse, double scale, const T* from, T* to);
/// The first n / 2 + 1 of these of real numbers: `to` is (outer, n / 2 + 1, inner) complex ones.
template <class T>
void fft_real(const ReducedSize& size, double scale, const T* from, T* to);
/// The real numbers which are the inverse transform of n complex ones of which the first n / 2 + 1 are given, and the
/// others are their conjugates. The imaginary parts of those that are their own conjugates do not count.
template <class T>
void fft_half_complex(const ReducedSize& size, double scale, const T* from, T* to);

extern template void fft_complex(const ReducedSize&, bool, double, const float*, float*);
extern template void fft_complex(const ReducedSize&, bool, double, const double*, double*);
extern template void fft_real(const ReducedSize&, double, const float*, float*);
extern template void fft_real(const ReducedSize&, double, const double*, double*);
extern template void fft_half_complex(const ReducedSize&, double, const float*, float*);
extern template void fft_half_complex(const ReducedSize&, double, const double*, double*);

}  // namespace xgrad::detail
