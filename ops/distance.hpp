#pragma once
// Distances and angles between vectors.
//
// Norms have the gradients of norm(): 0 at the zero vector, and so between vectors that are equal. Dtypes promote;
// integers count as float32. Throws Error for axes that are not there, sizes that differ, and a negative p.

#include "reduce.hpp"

namespace xgrad {

/// The distance in the p-norm between each row of a (..., m, d) and each row of b (..., n, d): (..., m, n). Axes in
/// front broadcast. p = 2 is computed from differences, not from products, so that small distances are exact.
Tensor cdist(Operand a, Operand b, double p = 2);

struct PairwiseDistanceOptions {
  double p = 2;
  double eps = 1e-6;  // is added to each difference
  bool keepdim = false;
};
/// The p-norm of a - b + eps along the last axis. Shapes broadcast.
Tensor pairwise_distance(Operand a, Operand b, const PairwiseDistanceOptions& options = {});

struct CosineSimilarityOptions {
  double eps = 1e-8;  // lengths below it count as this
};
/// The cosine of the angle between vectors along an axis: their dot product, divided by the product of their lengths.
/// Shapes broadcast.
Tensor cosine_similarity(Operand a, Operand b, std::int64_t axis = 1, const CosineSimilarityOptions& options = {});

struct NormalizeOptions {
  double p = 2;
  double eps = 1e-12;  // norms below it count as this
};
/// x divided by its p-norm along axes; those vectors then have norm 1.
Tensor normalize(Operand x, const Axes& axes = 1, const NormalizeOptions& options = {});

}  // namespace xgrad
