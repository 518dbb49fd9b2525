#pragma once
// Kernels of scaled dot-product attention, blocks of queries at a time: no matrix of all scores is ever in memory.

#include <cstdint>

namespace xgrad::detail {

/// One matrix of a batch of them as it lies in memory: element (row, column) of matrix i is
/// data[offsets[i] + row * ld + column].
template <class T>
struct Matrices {
  T* data;
  const std::int64_t* offsets;
  std::int64_t ld;
  T* operator[](std::int64_t i) const { return data + offsets[i]; }
};

/// Beyond every place: bounds that hide no key.
inline constexpr std::int64_t unbounded = std::int64_t{1} << 60;

struct AttentionSize {
  std::int64_t batch, queries, keys, width, value_width;
  double scale;
  std::int64_t from = -unbounded, to = unbounded;  // query i sees keys i + from to i + to - 1
  double dropout = 0;                              // the probability that a weight is dropped,
  std::uint64_t seed = 0;                          // and what decides which are
};

/// A matrix (queries, keys) for each of the batch, which may repeat rows or columns (a stride of 0): which keys are
/// visible, or what is added to the scaled scores; neither where both are null.
template <class T>
struct AttentionMask {
  const bool* visible = nullptr;
  const T* added = nullptr;
  const std::int64_t* offsets = nullptr;
  std::int64_t row_stride = 0, column_stride = 0;
};

/// What a row of the softmax is made with: the exponentials of scaled scores less `most`, times `inverse`.
template <class T>
struct RowLevel {
  T most, inverse;
};

/// out = softmax(scale q k^T + mask) v for each matrix of the batch; `levels` gets those of (batch, queries). A key
/// that is hidden from a query does nothing to its row, and gets nothing of its gradient, be it infinite or NaN. There
/// is at least one key.
template <class T>
void attention(const AttentionSize& size, const AttentionMask<T>& mask, Matrices<const T> q, Matrices<const T> k,
               Matrices<const T> v, Matrices<T> out, RowLevel<T>* levels);

/// The gradients of q, k and v, given that of `out`.
template <class T>
void attention_backward(const AttentionSize& size, const AttentionMask<T>& mask, Matrices<const T> q,
                        Matrices<const T> k, Matrices<const T> v, Matrices<const T> out, Matrices<const T> grad,
                        const RowLevel<T>* levels, Matrices<T> q_grad, Matrices<T> k_grad, Matrices<T> v_grad);

/// The factors that dropout has for the first `count` keys of a query: 0 or 1 / (1 - dropout).
void attention_dropout(const AttentionSize& size, std::int64_t matrix, std::int64_t query, std::int64_t count,
                       float* factors);

}  // namespace xgrad::detail
