#pragma once
// Losses of scores: that what belongs together, or to a class, is ahead of the rest by a margin. As
// torch.nn.functional. Shapes that do not fit are an Error.

#include <functional>

#include "loss.hpp"

namespace xgrad {

struct HingeEmbeddingLossOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};

/// x where the target is 1, max(0, margin - x) where it is -1: of distances x. Target and input have one shape.
Tensor hinge_embedding_loss(Operand input, const Tensor& target, const HingeEmbeddingLossOptions& options = {});

struct CosineEmbeddingLossOptions {
  double margin = 0;  // in [-1, 1]
  Reduction reduction = Reduction::mean;
};

/// 1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1. x1 and x2: (N, D) or (D,);
/// target: (N,) or ().
Tensor cosine_embedding_loss(Operand x1, const Tensor& x2, const Tensor& target,
                             const CosineEmbeddingLossOptions& options = {});

struct MarginRankingLossOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};

/// max(0, -target (x1 - x2) + margin): where the target is 1, x1 should be above x2, where it is -1 below. All three
/// have one shape.
Tensor margin_ranking_loss(Operand x1, const Tensor& x2, const Tensor& target,
                           const MarginRankingLossOptions& options = {});

struct TripletMarginLossOptions {
  double margin = 1;  // above 0
  double p = 2;       // of the distance
  double eps = 1e-6;  // is added to each difference
  bool swap = false;  // whether the negative may be compared with the positive instead, where it is nearer to that
  Reduction reduction = Reduction::mean;
};

/// max(0, d(anchor, positive) - d(anchor, negative) + margin) with d = pairwise_distance. (N, D) or (D,), all of one
/// shape.
Tensor triplet_margin_loss(Operand anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& options = {});

struct TripletMarginWithDistanceLossOptions {
  /// Of two tensors of N examples, N distances that are not negative; by default pairwise_distance.
  std::function<Tensor(const Tensor& a, const Tensor& b)> distance_function = {};
  double margin = 1;  // above 0
  bool swap = false;
  Reduction reduction = Reduction::mean;
};

/// triplet_margin_loss with a distance of one's own.
Tensor triplet_margin_with_distance_loss(Operand anchor, const Tensor& positive, const Tensor& negative,
                                         const TripletMarginWithDistanceLossOptions& options = {});

/// log(1 + e^(-target x)) for targets 1 and -1, without overflow. Target and input have one shape.
Tensor soft_margin_loss(Operand input, const Tensor& target, Reduction reduction = Reduction::mean);

struct MultiMarginLossOptions {
  std::int64_t p = 1;  // 1 or 2
  double margin = 1;
  Tensor weight = {};  // of each class, (C,); 1 where undefined
  Reduction reduction = Reduction::mean;
};

/// The sum over the classes i other than the target y of weight[y] max(0, margin - x[y] + x[i])^p / C. input: (N, C) or
/// (C,); target: class indices (N,) or ().
Tensor multi_margin_loss(Operand input, const Tensor& target, const MultiMarginLossOptions& options = {});

/// The sum over the classes j of the target and i not of it of max(0, 1 - x[j] + x[i]) / C. input: (N, C) or (C,);
/// target: of that shape, each row class indices up to the first -1.
Tensor multilabel_margin_loss(Operand input, const Tensor& target, Reduction reduction = Reduction::mean);

struct MultilabelSoftMarginLossOptions {
  Tensor weight = {};  // of each class, broadcast to the input; 1 where undefined
  Reduction reduction = Reduction::mean;
};

/// The mean over the last axis, the classes, of -(target log sigmoid(x) + (1 - target) log sigmoid(-x)). Target and
/// input have one shape and dtype.
Tensor multilabel_soft_margin_loss(Operand input, const Tensor& target,
                                   const MultilabelSoftMarginLossOptions& options = {});

}  // namespace xgrad
