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

struct AttentionSize {
  std::int64_t batch, queries, keys, width, value_width;
  double scale;
  bool causal;  // query i sees keys 0 to i only
};

/// What a row of the softmax is made with: the exponentials of scaled scores less `most`, times `inverse`.
template <class T>
struct RowLevel {
  T most, inverse;
};

/// out = softmax(scale q k^T) v for each matrix of the batch; `levels` gets those of (batch, queries). A key that is
/// hidden from a query does nothing to its row, and gets nothing of its gradient, be it infinite or NaN. There is at
/// least one key.
template <class T>
void attention(const AttentionSize& size, Matrices<const T> q, Matrices<const T> k, Matrices<const T> v,
               Matrices<T> out, RowLevel<T>* levels);

/// The gradients of q, k and v, given that of `out`.
template <class T>
void attention_backward(const AttentionSize& size, Matrices<const T> q, Matrices<const T> k, Matrices<const T> v,
                        Matrices<const T> out, Matrices<const T> grad, const RowLevel<T>* levels, Matrices<T> q_grad,
                        Matrices<T> k_grad, Matrices<T> v_grad);

}  // namespace xgrad::detail
