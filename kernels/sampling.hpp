#pragma once
// Random variables that take several random numbers each: every element has a stream of its own, so that its value
// depends on the key and its place alone.

#include <cstdint>

namespace xgrad::detail {

// Each fills out[0 ... n) for parameters of the same length. `key` is 64 random bits.

/// Logarithms of gamma variables of these shapes, above 0, and scale 1. Of logarithms, for small shapes give numbers
/// below the range of double.
void sample_log_gamma(std::uint64_t key, std::int64_t n, const double* shape, double* out);
/// Counts of rates that are not negative.
void sample_poisson(std::uint64_t key, std::int64_t n, const double* rate, double* out);
/// Successes of `trials`, whole numbers, with probability p in [0, 1].
void sample_binomial(std::uint64_t key, std::int64_t n, const double* trials, const double* p, double* out);
/// Classes, with probability proportional to the weights: `rows` rows of `classes` weights that are not negative, and
/// `draws` draws of each row r in out[r * draws].
void sample_categorical(std::uint64_t key, std::int64_t rows, std::int64_t classes, std::int64_t draws,
                        const double* weights, std::int64_t* out);
/// How often each class comes in `trials` such draws: n rows of counts, of weights with as many rows.
void sample_multinomial(std::uint64_t key, std::int64_t n, std::int64_t classes, std::int64_t trials,
                        const double* weights, double* out);

}  // namespace xgrad::detail
