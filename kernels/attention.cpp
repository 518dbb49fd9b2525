#include "attention.hpp"

#include <algorithm>
#include <limits>

#include "../array/random.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "elementary.hpp"
#include "gemm.hpp"
#include "sums.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t block_rows = 64;  // queries

struct Range {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

/// The keys that some of the queries from `first` on, before `last`, see by their place.
Range keys_seen(const AttentionSize& size, std::int64_t first, std::int64_t last) {
  const std::int64_t begin = std::clamp<std::int64_t>(first + size.from, 0, size.keys);
  return {begin, std::clamp<std::int64_t>(last - 1 + size.to, begin, size.keys)};
}

/// Whether a key may be hidden from a query.
template <class T>
bool hides(const AttentionSize& size, const AttentionMask<T>& mask) {
  return size.from > -unbounded || size.to < unbounded || mask.visible;
}

/// Part of one matrix of the batch: the queries of a block, and the keys that some of them see.
template <class T>
struct Block {
  const AttentionSize& size;
  const AttentionMask<T>& mask;
  std::int64_t matrix, first, rows;
  Range keys = keys_seen(size, first, first + rows);

  /// The keys that a row sees by its place, counted from the first of the block.
  Range seen(std::int64_t row) const {
    const Range all = keys_seen(size, first + row, first + row + 1);
    return {all.begin - keys.begin, all.end - keys.begin};
  }
  /// Where the mask of a row begins.
  std::int64_t mask_at(std::int64_t row) const {
    return mask.offsets ? mask.offsets[matrix] + (first + row) * mask.row_stride + keys.begin * mask.column_stride : 0;
  }
  bool sees(std::int64_t row, std::int64_t key) const {
    const Range range = seen(row);
    return key >= range.begin && key < range.end &&
           (!mask.visible || mask.visible[mask_at(row) + key * mask.column_stride]);
  }
};

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

/// scores[i] = scale scores[i], with what is added, or -infinity where the key is hidden. Each is rounded once and for
/// all before the largest of its row is taken away: what cancels does so exactly.
template <class T>
[[gnu::always_inline]] inline void scale_row(std::int64_t count, T scale, const bool* visible, const T* added,
                                             std::int64_t stride, T* scores) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  if (visible && stride == 1) {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < count; ++i) scores[i] = visible[i] ? scale * scores[i] : -infinity;
  } else if (visible) {
    for (std::int64_t i = 0; i < count; ++i) scores[i] = visible[i * stride] ? scale * scores[i] : -infinity;
  } else if (added && stride == 1) {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < count; ++i) scores[i] = scale * scores[i] + added[i];
  } else if (added) {
    for (std::int64_t i = 0; i < count; ++i) scores[i] = scale * scores[i] + added[i * stride];
  } else {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < count; ++i) scores[i] = scale * scores[i];
  }
}

template <class T>
[[gnu::always_inline]] inline T largest_of(std::int64_t count, const T* s) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  constexpr std::int64_t lanes = 16;
  T largest[lanes];
  for (T& one : largest) one = -infinity;
  const std::int64_t body = count / lanes * lanes;
  for (std::int64_t at = 0; at < body; at += lanes)
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      largest[lane] = s[at + lane] > largest[lane] ? s[at + lane] : largest[lane];
  T most = largest[0];
  for (std::int64_t lane = 1; lane < lanes; ++lane) most = largest[lane] > most ? largest[lane] : most;
  for (std::int64_t i = body; i < count; ++i) most = s[i] > most ? s[i] : most;
  return most;
}

/// The scores of a block, (rows, keys), become their softmax where a key is visible and 0 elsewhere. Of each row, the
/// largest scaled score and the inverse of the sum of the exponentials relative to it are found here, or `known`
/// already. As in PyTorch, a row of -inf alone gives 0.
template <bool known, class T>
void soften(const Block<T>& block, T* scores, RowLevel<T>* levels) {
  const T scale = static_cast<T>(block.size.scale);
  const std::int64_t columns = block.keys.size(), stride = block.mask.column_stride;
  for (std::int64_t row = 0; row < block.rows; ++row) {
    const Range seen = block.seen(row);
    const std::int64_t first_of_mask = block.mask_at(row) + seen.begin * stride, begin = seen.begin, end = seen.end;
    const bool* const visible = block.mask.visible ? block.mask.visible + first_of_mask : nullptr;
    const T* const added = block.mask.added ? block.mask.added + first_of_mask : nullptr;
    T *const all = scores + row * columns, *const s = all + begin;
    RowLevel<T>* const level = levels + row;
    vectorized([=] {
      const std::int64_t count = end - begin;
      for (std::int64_t i = 0; i < begin; ++i) all[i] = 0;
      for (std::int64_t i = end; i < columns; ++i) all[i] = 0;
      scale_row(count, scale, visible, added, stride, s);
      if constexpr (known) {
        const T most = level->most, inverse = level->inverse;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < count; ++i) s[i] = elementary::exp_of_negative(s[i] - most) * inverse;
      } else {
        const T largest = largest_of(count, s), most = largest == -std::numeric_limits<T>::infinity() ? T(0) : largest;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < count; ++i) s[i] = elementary::exp_of_negative(s[i] - most);
        double total[1] = {};
        add_terms<1, T>(0, count, total, [=](std::int64_t i, T(&value)[1]) { value[0] = s[i]; });
        const T sum = static_cast<T>(total[0]), inverse = sum == T(0) ? T(0) : T(1) / sum;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < count; ++i) s[i] *= inverse;
        *level = {most, inverse};
      }
    });
  }
}

/// Multiplies the elements of a block, (rows, keys), by the factors of dropout; `factors` has room for all keys.
template <class T>
void drop(const Block<T>& block, float* factors, T* x) {
  const std::int64_t columns = block.keys.size(), begin = block.keys.begin;
  for (std::int64_t row = 0; row < block.rows; ++row, x += columns) {
    attention_dropout(block.size, block.matrix, block.first + row, block.keys.end, factors);
    vectorized([=] {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < columns; ++i) x[i] *= static_cast<T>(factors[begin + i]);
    });
  }
}

/// to += factor x
template <class T>
void add_multiple(std::int64_t count, T factor, const T* x, T* to) {
  vectorized([=] {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < count; ++i) to[i] += factor * x[i];
  });
}

template <class T>
void clear(const Matrices<T>& m, std::int64_t i, Range rows, std::int64_t width) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) std::fill_n(m[i] + row * m.ld, width, T(0));
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

/// Whether all elements of these rows of matrix i are finite.
template <class T>
bool is_finite(const Matrices<const T>& m, std::int64_t i, Range rows, std::int64_t width) {
  return is_finite(m[i] + rows.begin * m.ld, m.ld, rows.size(), width);
}

}  // namespace

void attention_dropout(const AttentionSize& size, std::int64_t matrix, std::int64_t query, std::int64_t count,
                       float* factors) {
  const double kept = 1 - size.dropout;
  Generator(size.seed, static_cast<std::uint64_t>(matrix * size.queries + query)).bernoulli(factors, count, kept);
  const float factor = kept > 0 ? static_cast<float>(1 / kept) : 0.0F;
  for (std::int64_t i = 0; i < count; ++i) factors[i] *= factor;
}

template <class T>
void attention(const AttentionSize& size, const AttentionMask<T>& mask, Matrices<const T> q, Matrices<const T> k,
               Matrices<const T> v, Matrices<T> out, RowLevel<T>* levels) {
  for_batch<T>(size, (block_rows + 1) * size.keys, [&](std::int64_t i, T* scores) {
    float* const factors = reinterpret_cast<float*>(scores + block_rows * size.keys);
    for (std::int64_t first = 0; first < size.queries; first += block_rows) {
      const Block<T> block{size, mask, i, first, std::min(block_rows, size.queries - first)};
      const std::int64_t rows = block.rows, columns = block.keys.size();
      RowLevel<T>* const row_levels = levels + i * size.queries + first;
      T* const to = out[i] + first * out.ld;
      if (columns == 0) {
        clear(out, i, {first, first + rows}, size.value_width);
        std::fill_n(row_levels, rows, RowLevel<T>{0, 0});
        continue;
      }
      const T *const keys = k[i] + block.keys.begin * k.ld, *const values = v[i] + block.keys.begin * v.ld;
      gemm_in_thread<T>(false, true, rows, columns, size.width, q[i] + first * q.ld, q.ld, keys, k.ld, 0, scores,
                        columns);
      soften<false>(block, scores, row_levels);
      if (size.dropout > 0) drop(block, factors, scores);
      // A product with the 0 of a key that is hidden would give NaN for a value that is not finite.
      if (!hides(size, mask) || is_finite(v, i, block.keys, size.value_width)) {
        gemm_in_thread<T>(false, false, rows, size.value_width, columns, scores, columns, values, v.ld, 0, to, out.ld);
        continue;
      }
      clear(out, i, {first, first + rows}, size.value_width);
      for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t key = 0; key < columns; ++key)
          if (block.sees(row, key))
            add_multiple(size.value_width, scores[row * columns + key], values + key * v.ld, to + row * out.ld);
    }
  });
}

template <class T>
void attention_backward(const AttentionSize& size, const AttentionMask<T>& mask, Matrices<const T> q,
                        Matrices<const T> k, Matrices<const T> v, Matrices<const T> out, Matrices<const T> grad,
                        const RowLevel<T>* levels, Matrices<T> q_grad, Matrices<T> k_grad, Matrices<T> v_grad) {
  for_batch<T>(size, (2 * block_rows + 1) * size.keys, [&](std::int64_t i, T* scratch) {
    T *const p = scratch, *const p_grad = p + block_rows * size.keys;
    float* const factors = reinterpret_cast<float*>(p_grad + block_rows * size.keys);
    // From the last block to the first: it writes the gradients of its keys, to which others add.
    const std::int64_t last = (size.queries - 1) / block_rows * block_rows;
    const Range written = keys_seen(size, last, size.queries);
    for (const Range rest : {Range{0, written.begin}, Range{written.end, size.keys}}) {
      clear(k_grad, i, rest, size.width);
      clear(v_grad, i, rest, size.value_width);
    }
    for (std::int64_t first = last; first >= 0; first -= block_rows) {
      const Block<T> block{size, mask, i, first, std::min(block_rows, size.queries - first)};
      const std::int64_t rows = block.rows, columns = block.keys.size(), begin = block.keys.begin;
      if (columns == 0) {
        clear(q_grad, i, {first, first + rows}, size.width);
        continue;
      }
      const T *const g = grad[i] + first * grad.ld, *const o = out[i] + first * out.ld,
                     *const queries = q[i] + first * q.ld, *const keys = k[i] + begin * k.ld,
                     *const values = v[i] + begin * v.ld;
      gemm_in_thread<T>(false, true, rows, columns, size.width, queries, q.ld, keys, k.ld, 0, p, columns);
      soften<true>(block, p, const_cast<RowLevel<T>*>(levels) + i * size.queries + first);
      gemm_in_thread<T>(false, true, rows, columns, size.value_width, g, grad.ld, values, v.ld, 0, p_grad, columns);
      if (size.dropout > 0) drop(block, factors, p_grad);
      for (std::int64_t row = 0; row < rows; ++row) {
        const Range seen = block.seen(row);
        const std::int64_t from = seen.begin, to = seen.end, width = size.value_width, stride = mask.column_stride;
        const bool* const visible = mask.visible ? mask.visible + block.mask_at(row) : nullptr;
        const T *const g_row = g + row * grad.ld, *const o_row = o + row * out.ld, *const p_row = p + row * columns;
        T* const d = p_grad + row * columns;
        const T scale = static_cast<T>(size.scale);
        vectorized([=] {
          double total[1] = {};  // of p * p_grad over the row
          add_terms<1, T>(0, width, total, [=](std::int64_t c, T(&value)[1]) { value[0] = g_row[c] * o_row[c]; });
          const T level = static_cast<T>(total[0]);
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t c = from; c < to; ++c) d[c] = scale * p_row[c] * (d[c] - level);
          for (std::int64_t c = 0; c < from; ++c) d[c] = 0;
          for (std::int64_t c = to; c < columns; ++c) d[c] = 0;
          if (visible)
            for (std::int64_t c = from; c < to; ++c) d[c] = visible[c * stride] ? d[c] : T(0);
        });
      }
      if (size.dropout > 0) drop(block, factors, p);
      T *const k_to = k_grad[i] + begin * k_grad.ld, *const v_to = v_grad[i] + begin * v_grad.ld,
               *const q_to = q_grad[i] + first * q_grad.ld;
      const Range own{first, first + rows};
      if (!hides(size, mask) ||
          (is_finite(q, i, own, size.width) && is_finite(grad, i, own, size.value_width) &&
           is_finite(k, i, block.keys, size.width) && is_finite(v, i, block.keys, size.value_width))) {
        const T before = first == last ? T(0) : T(1);
        gemm_in_thread<T>(true, false, columns, size.value_width, rows, p, columns, g, grad.ld, before, v_to,
                          v_grad.ld);
        gemm_in_thread<T>(false, false, rows, size.width, columns, p_grad, columns, keys, k.ld, 0, q_to, q_grad.ld);
        gemm_in_thread<T>(true, false, columns, size.width, rows, p_grad, columns, queries, q.ld, before, k_to,
                          k_grad.ld);
        continue;
      }
      if (first == last) {
        clear(k_grad, i, block.keys, size.width);
        clear(v_grad, i, block.keys, size.value_width);
      }
      clear(q_grad, i, own, size.width);
      for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t key = 0; key < columns; ++key)
          if (block.sees(row, key)) {
            const T weight = p[row * columns + key], d = p_grad[row * columns + key];
            add_multiple(size.value_width, weight, g + row * grad.ld, v_to + key * v_grad.ld);
            add_multiple(size.width, d, keys + key * k.ld, q_to + row * q_grad.ld);
            add_multiple(size.width, d, queries + row * q.ld, k_to + key * k_grad.ld);
          }
    }
  });
}

#define XGRAD_INSTANTIATE(T)                                                                                   \
  template void attention(const AttentionSize&, const AttentionMask<T>&, Matrices<const T>, Matrices<const T>, \
                          Matrices<const T>, Matrices<T>, RowLevel<T>*);                                       \
  template void attention_backward(const AttentionSize&, const AttentionMask<T>&, Matrices<const T>,           \
                                   Matrices<const T>, Matrices<const T>, Matrices<const T>, Matrices<const T>, \
                                   const RowLevel<T>*, Matrices<T>, Matrices<T>, Matrices<T>);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
