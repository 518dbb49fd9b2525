#include "attention.hpp"

#include <algorithm>
#include <limits>

#include "../../core/parallel.hpp"
#include "../../core/storage.hpp"
#include "gemm.hpp"
#include "lane_math.hpp"
#include "lane_sums.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t block = 64;  // queries

/// How many keys the queries of a block that ends at `last` see.
std::int64_t keys_seen(const AttentionSize& size, std::int64_t last) {
  return size.causal ? std::min(size.keys, last) : size.keys;
}

/// Calls f(matrix, scratch), in parallel over the batch; scratch has `count` numbers.
template <class T, class F>
void for_batch(const AttentionSize& size, std::int64_t count, const F& f) {
  const std::int64_t work = size.queries * size.keys * (size.width + size.value_width);
  const std::int64_t grain = (1 << 16) / std::max<std::int64_t>(work, 1) + 1;
  const std::int64_t parts = (size.batch + grain - 1) / grain;
  const Reference<Storage> memory = Storage::make(static_cast<std::size_t>(parts * count) * sizeof(T));
  T* const scratch = reinterpret_cast<T*>(memory->data());
  parallel_for(size.batch, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) f(i, scratch + begin / grain * count);
  });
}

/// scores, of (rows, columns), become exp(scale scores - log_sum) where a row is visible and 0 elsewhere. With
/// `log_sum` not known yet it is found here, and the rows are normalised.
template <bool known, class T>
void soften(const AttentionSize& size, std::int64_t first, std::int64_t rows, std::int64_t columns, T* scores,
            T* log_sum) {
  const T scale = static_cast<T>(size.scale);
  const bool causal = size.causal;
  vectorized([=] {
    for (std::int64_t row = 0; row < rows; ++row) {
      T* const s = scores + row * columns;
      const std::int64_t visible = causal ? std::min(columns, first + row + 1) : columns;
      for (std::int64_t i = visible; i < columns; ++i) s[i] = 0;
      if constexpr (known) {
        const T level = log_sum[row];
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < visible; ++i) s[i] = lane_math::exp(scale * s[i] - level);
      } else {
        constexpr std::int64_t lanes = 16;
        T largest[lanes];
        for (T& one : largest) one = -std::numeric_limits<T>::infinity();
        const std::int64_t body = visible / lanes * lanes;
        for (std::int64_t at = 0; at < body; at += lanes)
          for (std::int64_t lane = 0; lane < lanes; ++lane) {
            const T value = scale * s[at + lane];
            largest[lane] = value > largest[lane] ? value : largest[lane];
          }
        T most = largest[0];
        for (std::int64_t lane = 1; lane < lanes; ++lane) most = largest[lane] > most ? largest[lane] : most;
        for (std::int64_t i = body; i < visible; ++i) most = scale * s[i] > most ? scale * s[i] : most;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < visible; ++i) s[i] = lane_math::exp(scale * s[i] - most);
        double total[1] = {};
        add_terms<1, T>(0, visible, total, [=](std::int64_t i, T(&value)[1]) { value[0] = s[i]; });
        const T sum = static_cast<T>(total[0]), inverse = T(1) / sum;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < visible; ++i) s[i] *= inverse;
        log_sum[row] = most + lane_math::log(sum);
      }
    }
  });
}

}  // namespace

template <class T>
void attention(const AttentionSize& size, Matrices<const T> q, Matrices<const T> k, Matrices<const T> v,
               Matrices<T> out, T* log_sum) {
  for_batch<T>(size, block * size.keys, [&](std::int64_t i, T* scores) {
    for (std::int64_t first = 0; first < size.queries; first += block) {
      const std::int64_t rows = std::min(block, size.queries - first), keys = keys_seen(size, first + rows);
      gemm_in_thread<T>(false, true, rows, keys, size.width, q[i] + first * q.ld, q.ld, k[i], k.ld, 0, scores, keys);
      soften<false>(size, first, rows, keys, scores, log_sum + i * size.queries + first);
      gemm_in_thread<T>(false, false, rows, size.value_width, keys, scores, keys, v[i], v.ld, 0,
                        out[i] + first * out.ld, out.ld);
    }
  });
}

template <class T>
void attention_backward(const AttentionSize& size, Matrices<const T> q, Matrices<const T> k, Matrices<const T> v,
                        Matrices<const T> out, Matrices<const T> grad, const T* log_sum, Matrices<T> q_grad,
                        Matrices<T> k_grad, Matrices<T> v_grad) {
  const auto clear = [](const Matrices<T>& m, std::int64_t i, std::int64_t from, std::int64_t to, std::int64_t width) {
    for (std::int64_t row = from; row < to; ++row) std::fill_n(m[i] + row * m.ld, width, T(0));
  };
  for_batch<T>(size, 2 * block * size.keys, [&](std::int64_t i, T* scratch) {
    T *const p = scratch, *const p_grad = scratch + block * size.keys;
    // From the last block, which sees the most keys, to the first: it writes the gradients that others add to.
    const std::int64_t last = (size.queries - 1) / block * block;
    const std::int64_t seen = keys_seen(size, size.queries);
    clear(k_grad, i, seen, size.keys, size.width);
    clear(v_grad, i, seen, size.keys, size.value_width);
    for (std::int64_t first = last; first >= 0; first -= block) {
      const std::int64_t rows = std::min(block, size.queries - first), keys = keys_seen(size, first + rows);
      const T* const g = grad[i] + first * grad.ld;
      const T* const o = out[i] + first * out.ld;
      const T* const queries = q[i] + first * q.ld;
      const T before = first == last ? T(0) : T(1);
      gemm_in_thread<T>(false, true, rows, keys, size.width, queries, q.ld, k[i], k.ld, 0, p, keys);
      soften<true>(size, first, rows, keys, p, const_cast<T*>(log_sum) + i * size.queries + first);
      gemm_in_thread<T>(false, true, rows, keys, size.value_width, g, grad.ld, v[i], v.ld, 0, p_grad, keys);
      vectorized([=, &size, &grad, &out] {
        const T scale = static_cast<T>(size.scale);
        const std::int64_t width = size.value_width;
        for (std::int64_t row = 0; row < rows; ++row) {
          const T *const g_row = g + row * grad.ld, *const o_row = o + row * out.ld;
          double total[1] = {};  // of p * p_grad over the row
          add_terms<1, T>(0, width, total, [=](std::int64_t c, T(&value)[1]) { value[0] = g_row[c] * o_row[c]; });
          const T level = static_cast<T>(total[0]);
          const T* const p_row = p + row * keys;
          T* const d = p_grad + row * keys;
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t c = 0; c < keys; ++c) d[c] = scale * p_row[c] * (d[c] - level);
        }
      });
      gemm_in_thread<T>(true, false, keys, size.value_width, rows, p, keys, g, grad.ld, before, v_grad[i], v_grad.ld);
      gemm_in_thread<T>(false, false, rows, size.width, keys, p_grad, keys, k[i], k.ld, 0,
                        q_grad[i] + first * q_grad.ld, q_grad.ld);
      gemm_in_thread<T>(true, false, keys, size.width, rows, p_grad, keys, queries, q.ld, before, k_grad[i], k_grad.ld);
    }
  });
}

#define XGRAD_INSTANTIATE(T)                                                                                          \
  template void attention(const AttentionSize&, Matrices<const T>, Matrices<const T>, Matrices<const T>, Matrices<T>, \
                          T*);                                                                                        \
  template void attention_backward(const AttentionSize&, Matrices<const T>, Matrices<const T>, Matrices<const T>,     \
                                   Matrices<const T>, Matrices<const T>, const T*, Matrices<T>, Matrices<T>,          \
                                   Matrices<T>);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
