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

/// out = softmax(scale q k^T) v for each matrix of the batch; log_sum, of (batch, queries), gets the logarithm of what
/// each row of the softmax was divided by (in exponentials of the scores themselves). There is at least one key.
template <class T>
void attention(const AttentionSize& size, Matrices<const T> q, Matrices<const T> k, Matrices<const T> v,
               Matrices<T> out, T* log_sum);

/// The gradients of q, k and v, given that of `out`.
template <class T>
void attention_backward(const AttentionSize& size, Matrices<const T> q, Matrices<const T> k, Matrices<const T> v,
                        Matrices<const T> out, Matrices<const T> grad, const T* log_sum, Matrices<T> q_grad,
                        Matrices<T> k_grad, Matrices<T> v_grad);

}  // namespace xgrad::detail
