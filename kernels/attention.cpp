#include "attention.hpp"

#include <algorithm>
#include <limits>

#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "elementary.hpp"
#include "gemm.hpp"
#include "sums.hpp"

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

/// The scores of a block of queries, (rows, columns), become their softmax where a row is visible and 0 elsewhere. Each
/// is scaled, and rounded, once and for all before the largest of its row is taken away: what cancels does so exactly.
/// Of each row, the largest scaled score and the inverse of the sum of the exponentials relative to it are found here,
/// or `known` already. As in PyTorch, a row of -inf alone gives 0.
template <bool known, class T>
void soften(const AttentionSize& size, std::int64_t first, std::int64_t rows, std::int64_t columns, T* scores,
            RowLevel<T>* levels) {
  const T scale = static_cast<T>(size.scale);
  const bool causal = size.causal;
  vectorized([=] {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    for (std::int64_t row = 0; row < rows; ++row) {
      T* const s = scores + row * columns;
      const std::int64_t visible = causal ? std::min(columns, first + row + 1) : columns;
      for (std::int64_t i = visible; i < columns; ++i) s[i] = 0;
      if constexpr (known) {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < visible; ++i) s[i] = scale * s[i];
        const T most = levels[row].most, inverse = levels[row].inverse;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < visible; ++i) s[i] = elementary::exp_of_negative(s[i] - most) * inverse;
      } else {
        constexpr std::int64_t lanes = 16;
        T largest[lanes];
        for (T& one : largest) one = -infinity;
        const std::int64_t body = visible / lanes * lanes;
        for (std::int64_t at = 0; at < body; at += lanes)
          for (std::int64_t lane = 0; lane < lanes; ++lane) {
            const T value = scale * s[at + lane];
            s[at + lane] = value;
            largest[lane] = value > largest[lane] ? value : largest[lane];
          }
        T most = largest[0];
        for (std::int64_t lane = 1; lane < lanes; ++lane) most = largest[lane] > most ? largest[lane] : most;
        for (std::int64_t i = body; i < visible; ++i) {
          s[i] = scale * s[i];
          most = s[i] > most ? s[i] : most;
        }
        most = most == -infinity ? T(0) : most;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < visible; ++i) s[i] = elementary::exp_of_negative(s[i] - most);
        double total[1] = {};
        add_terms<1, T>(0, visible, total, [=](std::int64_t i, T(&value)[1]) { value[0] = s[i]; });
        const T sum = static_cast<T>(total[0]), inverse = sum == T(0) ? T(0) : T(1) / sum;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < visible; ++i) s[i] *= inverse;
        levels[row] = {most, inverse};
      }
    }
  });
}

/// Whether all elements of `rows` rows of a matrix are finite.
template <class T>
bool is_finite(const T* x, std::int64_t ld, std::int64_t rows, std::int64_t width) {
  constexpr std::int64_t lanes = 16;
  T differences[lanes];  // sums of x - x, which is 0 or NaN
  vectorized([=, &differences] {
    T sums[lanes] = {};
    for (std::int64_t row = 0; row < rows; ++row) {
      const T* const at = x + row * ld;
      const std::int64_t body = width / lanes * lanes;
      for (std::int64_t begin = 0; begin < body; begin += lanes)
        for (std::int64_t lane = 0; lane < lanes; ++lane) sums[lane] += at[begin + lane] - at[begin + lane];
      for (std::int64_t i = body; i < width; ++i) sums[i - body] += at[i] - at[i];
    }
    for (std::int64_t lane = 0; lane < lanes; ++lane) differences[lane] = sums[lane];
  });
  return std::all_of(differences, differences + lanes, [](T difference) { return difference == 0; });
}

/// Whether all elements of rows first to last of matrix i are finite.
template <class T>
bool is_finite(const Matrices<const T>& m, std::int64_t i, std::int64_t first, std::int64_t last, std::int64_t width) {
  return is_finite(m[i] + first * m.ld, m.ld, last - first, width);
}

}  // namespace

template <class T>
void attention(const AttentionSize& size, Matrices<const T> q, Matrices<const T> k, Matrices<const T> v,
               Matrices<T> out, RowLevel<T>* levels) {
  for_batch<T>(size, block * size.keys, [&](std::int64_t i, T* scores) {
    for (std::int64_t first = 0; first < size.queries; first += block) {
      const std::int64_t rows = std::min(block, size.queries - first), keys = keys_seen(size, first + rows);
      gemm_in_thread<T>(false, true, rows, keys, size.width, q[i] + first * q.ld, q.ld, k[i], k.ld, 0, scores, keys);
      soften<false>(size, first, rows, keys, scores, levels + i * size.queries + first);
      // A product with the 0 of a key that is hidden would give NaN for a value that is not finite.
      const bool together = !size.causal || is_finite(v, i, first, keys, size.value_width);
      const std::int64_t step = together ? rows : 1;
      for (std::int64_t row = 0; row < rows; row += step)
        gemm_in_thread<T>(false, false, step, size.value_width, keys_seen(size, first + row + step),
                          scores + row * keys, keys, v[i], v.ld, 0, out[i] + (first + row) * out.ld, out.ld);
    }
  });
}

template <class T>
void attention_backward(const AttentionSize& size, Matrices<const T> q, Matrices<const T> k, Matrices<const T> v,
                        Matrices<const T> out, Matrices<const T> grad, const RowLevel<T>* levels, Matrices<T> q_grad,
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
      gemm_in_thread<T>(false, true, rows, keys, size.width, queries, q.ld, k[i], k.ld, 0, p, keys);
      soften<true>(size, first, rows, keys, p, const_cast<RowLevel<T>*>(levels) + i * size.queries + first);
      gemm_in_thread<T>(false, true, rows, keys, size.value_width, g, grad.ld, v[i], v.ld, 0, p_grad, keys);
      vectorized([=, &size, &grad, &out] {
        const T scale = static_cast<T>(size.scale);
        const std::int64_t width = size.value_width;
        const bool causal = size.causal;
        for (std::int64_t row = 0; row < rows; ++row) {
          const T *const g_row = g + row * grad.ld, *const o_row = o + row * out.ld;
          double total[1] = {};  // of p * p_grad over the row
          add_terms<1, T>(0, width, total, [=](std::int64_t c, T(&value)[1]) { value[0] = g_row[c] * o_row[c]; });
          const T level = static_cast<T>(total[0]);
          const T* const p_row = p + row * keys;
          T* const d = p_grad + row * keys;
          const std::int64_t visible = causal ? std::min(keys, first + row + 1) : keys;
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t c = 0; c < keys; ++c) d[c] = scale * p_row[c] * (d[c] - level);
          for (std::int64_t c = visible; c < keys; ++c) d[c] = 0;
        }
      });
      const std::int64_t seen_last = first + rows;
      const bool together =
          !size.causal ||
          (is_finite(q, i, first, seen_last, size.width) && is_finite(grad, i, first, seen_last, size.value_width) &&
           is_finite(k, i, first, keys, size.width) && is_finite(v, i, first, keys, size.value_width));
      const std::int64_t step = together ? rows : 1;
      for (std::int64_t row = rows - step; row >= 0; row -= step) {
        const std::int64_t end = first + row + step, visible = keys_seen(size, end);
        const T before = end == size.queries ? T(0) : T(1);
        const T *const p_row = p + row * keys, *const d = p_grad + row * keys;
        gemm_in_thread<T>(true, false, visible, size.value_width, step, p_row, keys, g + row * grad.ld, grad.ld, before,
                          v_grad[i], v_grad.ld);
        gemm_in_thread<T>(false, false, step, size.width, visible, d, keys, k[i], k.ld, 0,
                          q_grad[i] + (first + row) * q_grad.ld, q_grad.ld);
        gemm_in_thread<T>(true, false, visible, size.width, step, d, keys, queries + row * q.ld, q.ld, before,
                          k_grad[i], k_grad.ld);
      }
    }
  });
}

#define XGRAD_INSTANTIATE(T)                                                                                           \
  template void attention(const AttentionSize&, Matrices<const T>, Matrices<const T>, Matrices<const T>, Matrices<T>,  \
                          RowLevel<T>*);                                                                               \
  template void attention_backward(const AttentionSize&, Matrices<const T>, Matrices<const T>, Matrices<const T>,      \
                                   Matrices<const T>, Matrices<const T>, const RowLevel<T>*, Matrices<T>, Matrices<T>, \
                                   Matrices<T>);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
