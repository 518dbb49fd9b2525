#pragma once
// Reductions over axes of dense memory. The tree in which elements are combined depends on the shape alone, never on
// the number of threads, and is about as flat as that of pairwise summation, so its rounding errors are as small.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../array/dtype.hpp"
#include "../array/shape.hpp"
#include "../core/allocator.hpp"
#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "stored.hpp"

namespace xgrad::detail {

/// Sums `from`, dense and row-major of shape `shape`, over the axes where `result` has size 1 and `shape` has not
/// (`result` has as many axes as `shape`), into `to`, dense and row-major. Integers and bool are summed as int64, so
/// `to` is int64 for them; floating types of 16 bits are summed as float and rounded once. A floating sum is divided by
/// `divisor`, and finite where that is, whatever is met on the way.
void sum_axes(DType dtype, const Shape& shape, const Shape& result, const std::byte* from, std::byte* to,
              double divisor = 1);

// A reduction is a struct of numbers:
//
//   struct Sum {
//     using Element = float;                       // of the memory that is read
//     using Partial = float;                       // of what is reduced so far, and of the result
//     static constexpr bool centred = false;       // whether lift depends on its second argument
//     static constexpr Partial identity = 0;       // neutral in combine
//     static Partial lift(Element x, Element c);   // from an element; c is a number given for each result
//     static Partial combine(Partial a, Partial b);
//   };
//
// lift and combine are always-inline, free of branches and calls, so that loops over them are vectorised.

/// What the sums of something have in common: partial results of type P from elements of type T.
template <class T, class P = T>
struct Adding {
  using Element = T;
  using Partial = P;
  static constexpr bool centred = false;
  static constexpr P identity = 0;
  [[gnu::always_inline]] static P combine(P a, P b) { return a + b; }
};

/// The sum of the elements themselves.
template <class T, class P = T>
struct Sum : Adding<T, P> {
  [[gnu::always_inline]] static P lift(T x, T) { return static_cast<P>(x); }
};

/// `reduction` on what it has reduced so far.
template <class Reduction>
struct Again {
  using Element = typename Reduction::Partial;
  using Partial = typename Reduction::Partial;
  static constexpr bool centred = false;
  static constexpr Partial identity = Reduction::identity;
  [[gnu::always_inline]] static Partial lift(Element x, Element) { return x; }
  [[gnu::always_inline]] static Partial combine(Partial a, Partial b) { return Reduction::combine(a, b); }
};
template <class Reduction>
Again<Reduction> again(const Reduction&) {
  return {};
}
template <class Reduction>
Again<Reduction> again(const Again<Reduction>&) {
  return {};
}

/// Dense memory as (outer, reduced, inner), of which the middle axis is reduced.
struct ReducedSize {
  std::int64_t outer = 1, reduced = 1, inner = 1;
};

/// The innermost reduced axes of a reduction, and what is left to reduce after them.
struct ReductionStep {
  ReducedSize size;
  bool last = true;             // nothing is left
  Shape shape, result;          // what is left, neighbours of one kind merged
  Shape outer, center_strides;  // sizes behind size.outer, and the step of the centre of each (in units of size.inner)
};
ReductionStep innermost_step(const Shape& shape, const Shape& result);

/// How the results of a step are cut into parts that are computed independently: a part is `columns` of size.inner, of
/// one index of size.outer, over `rows` of size.reduced.
struct ReductionParts {
  std::int64_t columns, rows;      // in each part but the last ones
  std::int64_t in_inner, in_rows;  // number of parts along the two axes
  std::int64_t grain;              // parts worth a thread
};
ReductionParts reduction_parts(const ReducedSize& size, std::size_t partial_size);

/// Memory for the length of a scope.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t count) : bytes_(static_cast<std::size_t>(count) * sizeof(T)) {
    if (count > 0) data_ = static_cast<T*>(allocate(bytes_));
  }
  ~Scratch() { deallocate(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_ = nullptr;
};

inline constexpr std::size_t column_bytes = 4096;    // of partial results of neighbouring columns, computed together
inline constexpr std::int64_t few_columns = 64;      // less than this are taken several rows at a time,
inline constexpr std::int64_t regrouped_width = 64;  // as rows of about this many columns
inline constexpr std::int64_t short_row = 256;       // less than this are taken `row_tile` rows at a time
inline constexpr std::int64_t row_tile = 8;

/// to[i] = to[i] combined with the elements below it in `rows` rows. With a `fixed` width the rows are one after the
/// other in memory and read in that order, which is what the processor's prefetching expects: from memory, a third of
/// the time.
template <std::int64_t fixed = 0, class R>
[[gnu::always_inline]] inline void combine_rows(const R& reduction, const typename R::Element* from,
                                                std::int64_t stride, std::int64_t rows, std::int64_t width,
                                                const typename R::Element* centers, typename R::Partial* to) {
  const auto lift = [=](const typename R::Element* row, std::int64_t i) __attribute__((always_inline)) {
    if constexpr (R::centred)
      return reduction.lift(row[i], centers[i]);
    else
      return reduction.lift(row[i], typename R::Element{});
  };
  if constexpr (fixed > 0) {
    typename R::Partial sums[fixed];
    for (std::int64_t i = 0; i < fixed; ++i) sums[i] = to[i];
    for (std::int64_t row = 0; row < rows; ++row) {
      const typename R::Element* const at = from + row * fixed;
      for (std::int64_t i = 0; i < fixed; i += stream_step) prefetch(at + i + stream_ahead);
      for (std::int64_t i = 0; i < fixed; ++i) sums[i] = R::combine(sums[i], lift(at, i));
    }
    for (std::int64_t i = 0; i < fixed; ++i) to[i] = sums[i];
    return;
  }
  std::int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    const auto *a = from + row * stride, *b = a + stride, *c = b + stride, *d = c + stride;
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < width; ++i)
      to[i] = R::combine(to[i], R::combine(R::combine(lift(a, i), lift(b, i)), R::combine(lift(c, i), lift(d, i))));
  }
  for (; row < rows; ++row) {
    const auto* a = from + row * stride;
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < width; ++i) to[i] = R::combine(to[i], lift(a, i));
  }
}

/// to[i] = the reduction of the elements from[i], from[i + stride], ..., for i < width <= column_bytes /
/// sizeof(Partial); with a `fixed` width, that is the width and the stride.
template <std::int64_t fixed = 0, class R>
[[gnu::always_inline]] inline void reduce_columns(const R& reduction, const typename R::Element* from,
                                                  std::int64_t stride, std::int64_t rows, std::int64_t width,
                                                  const typename R::Element* centers, typename R::Partial* to) {
  using Partial = typename R::Partial;
  constexpr std::int64_t block = 64, radix = 32;
  for (std::int64_t i = 0; i < width; ++i) to[i] = R::identity;
  if (rows <= block) return combine_rows<fixed>(reduction, from, stride, rows, width, centers, to);
  // levels[0] reduces a block of rows, levels[k + 1] up to `radix` results of levels[k].
  constexpr int depth = 8;  // 64 * 32^7 rows
  alignas(64) Partial levels[depth][column_bytes / sizeof(Partial)];
  int height = 0;
  for (std::int64_t number = 1, done = 0; done < rows; ++number, done += block) {
    for (std::int64_t i = 0; i < width; ++i) levels[0][i] = R::identity;
    combine_rows<fixed>(reduction, from + done * stride, stride, rows - done < block ? rows - done : block, width,
                        centers, levels[0]);
    std::int64_t count = number;
    for (int level = 0; level + 1 < depth; ++level, count /= radix) {
      if (level == height) {
        ++height;
        for (std::int64_t i = 0; i < width; ++i) levels[level + 1][i] = levels[level][i];
      } else {
        for (std::int64_t i = 0; i < width; ++i)
          levels[level + 1][i] = R::combine(levels[level + 1][i], levels[level][i]);
      }
      if (level > 0)
        for (std::int64_t i = 0; i < width; ++i) levels[level][i] = R::identity;
      if (count % radix != 0) break;
    }
  }
  for (int level = 1; level <= height; ++level)
    for (std::int64_t i = 0; i < width; ++i) to[i] = R::combine(to[i], levels[level][i]);
}

/// to[k] = the reduction of row k of `from`, for `count` rows of n elements one after the other, n < short_row.
template <std::int64_t count, class R>
[[gnu::always_inline]] inline void reduce_short_rows(const R& reduction, const typename R::Element* from,
                                                     std::int64_t n, const typename R::Element* centers,
                                                     typename R::Partial* to) {
  typename R::Partial total[count];
  for (std::int64_t k = 0; k < count; ++k) total[k] = R::identity;
  const auto lift = [=](std::int64_t k, std::int64_t i) __attribute__((always_inline)) {
    return reduction.lift(from[k * n + i], centers[k]);
  };
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (std::int64_t k = 0; k < count; ++k)
      total[k] = R::combine(
          total[k], R::combine(R::combine(lift(k, i), lift(k, i + 1)), R::combine(lift(k, i + 2), lift(k, i + 3))));
  for (; i < n; ++i)
    for (std::int64_t k = 0; k < count; ++k) total[k] = R::combine(total[k], lift(k, i));
  for (std::int64_t k = 0; k < count; ++k) to[k] = total[k];
}

/// What a pass over a row asks memory for: one line for every `share` lines it reads, from `from` on.
template <class T>
struct Ahead {
  const T* from;
  std::int64_t share = 1;
};

/// The reduction of n consecutive elements, for n up to some thousand; with fewer lanes, little is done for few.
template <std::int64_t lanes = 64, class R>
[[gnu::always_inline]] inline typename R::Partial reduce_row(const R& reduction, const typename R::Element* from,
                                                             std::int64_t n, typename R::Element center,
                                                             const Ahead<typename R::Element>& ahead) {
  typename R::Partial partial[lanes];
  for (std::int64_t lane = 0; lane < lanes; ++lane) partial[lane] = R::identity;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (std::int64_t lane = 0; lane < lanes / ahead.share; lane += stream_step)
      prefetch(ahead.from + i / ahead.share + lane);
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      partial[lane] = R::combine(partial[lane], reduction.lift(from[i + lane], center));
  }
  for (std::int64_t lane = 0; lane < n - i; ++lane)
    partial[lane] = R::combine(partial[lane], reduction.lift(from[i + lane], center));
  for (std::int64_t width = lanes / 2; width > 0; width /= 2)
    for (std::int64_t lane = 0; lane < width; ++lane) partial[lane] = R::combine(partial[lane], partial[lane + width]);
  return partial[0];
}

/// to[i] for i < width, the reduction of from[row * inner + i] over all rows; width = inner where inner < few_columns.
template <class R>
[[gnu::always_inline]] inline void reduce_block(const R& reduction, const typename R::Element* from, std::int64_t rows,
                                                std::int64_t inner, std::int64_t width,
                                                const typename R::Element* centers, typename R::Partial* to,
                                                const Ahead<typename R::Element>& ahead) {
  using Element = typename R::Element;
  using Partial = typename R::Partial;
  if (inner == 1 && rows < 2048) {
    *to = reduce_row(reduction, from, rows, R::centred ? *centers : Element{}, ahead);
    return;
  }
  const std::int64_t together = inner < few_columns ? regrouped_width / inner : 1;
  if (together == 1 || rows < 4 * together) return reduce_columns(reduction, from, inner, rows, width, centers, to);
  alignas(64) Partial sums[regrouped_width];
  Element repeated[R::centred ? regrouped_width : 1];
  const std::int64_t wide = together * inner, left = rows % together * inner;
  if constexpr (R::centred)
    for (std::int64_t i = 0; i < wide; ++i) repeated[i] = centers[i % inner];
  if (wide == regrouped_width)
    reduce_columns<regrouped_width>(reduction, from, wide, rows / together, wide, repeated, sums);
  else
    reduce_columns(reduction, from, wide, rows / together, wide, repeated, sums);
  combine_rows(reduction, from + rows / together * wide, 0, 1, left, repeated, sums);
  for (std::int64_t count = together; count > 1;) {
    const std::int64_t half = count / 2;
    count -= half;
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < half * inner; ++i) sums[i] = R::combine(sums[i], sums[count * inner + i]);
  }
  for (std::int64_t i = 0; i < inner; ++i) to[i] = sums[i];
}

template <class R>
[[gnu::always_inline]] inline void reduce_block(const R& reduction, const typename R::Element* from, std::int64_t rows,
                                                std::int64_t inner, std::int64_t width,
                                                const typename R::Element* centers, typename R::Partial* to) {
  reduce_block(reduction, from, rows, inner, width, centers, to, {from + stream_ahead});
}

/// Reduces the middle axis of `from` into `to`, of size (outer, inner). `centers`, where the reduction is centred, has
/// `inner` numbers for each combination of outer indices that `step` does not leave to be reduced.
template <class R>
void reduce_innermost(const R& reduction, const ReductionStep& step, const typename R::Element* from,
                      typename R::Partial* to, const typename R::Element* centers) {
  const ReducedSize size = step.size;
  const ReductionParts parts = reduction_parts(size, sizeof(typename R::Partial));
  const Scratch<typename R::Partial> cut(parts.in_rows > 1 ? size.outer * parts.in_rows * size.inner : 0);
  typename R::Partial* const results = parts.in_rows > 1 ? cut.data() : to;
  parallel_for(size.outer * parts.in_rows * parts.in_inner, parts.grain, [&](std::int64_t begin, std::int64_t end) {
    const Shape outer = step.outer, strides = step.center_strides;
    vectorized([=] {
      const auto center_of = [=](std::int64_t index) __attribute__((always_inline)) {
        std::int64_t at = 0;
        for (std::size_t axis = outer.size(); axis-- > 0; index /= outer[axis])
          at += index % outer[axis] * strides[axis];
        return centers + at * size.inner;
      };
      std::int64_t part = begin;
      if (size.inner == 1 && size.reduced < short_row) {
        typename R::Element center[row_tile] = {};
        for (; part < end; part += row_tile) {
          const std::int64_t rows = end - part < row_tile ? end - part : row_tile;
          if constexpr (R::centred)
            for (std::int64_t k = 0; k < rows; ++k) center[k] = *center_of(part + k);
          if (rows == row_tile)
            reduce_short_rows<row_tile>(reduction, from + part * size.reduced, size.reduced, center, results + part);
          else
            for (std::int64_t k = 0; k < rows; ++k)
              reduce_short_rows<1>(reduction, from + (part + k) * size.reduced, size.reduced, center + k,
                                   results + part + k);
        }
        return;
      }
      for (; part < end; ++part) {
        const std::int64_t column = part % parts.in_inner * parts.columns, block = part / parts.in_inner,
                           row = block % parts.in_rows * parts.rows, index = block / parts.in_rows;
        const typename R::Element* center = nullptr;
        if constexpr (R::centred) center = center_of(index) + column;
        reduce_block(reduction, from + (index * size.reduced + row) * size.inner + column,
                     size.reduced - row < parts.rows ? size.reduced - row : parts.rows, size.inner,
                     size.inner - column < parts.columns ? size.inner - column : parts.columns, center,
                     results + block * size.inner + column);
      }
    });
  });
  if (parts.in_rows > 1) {
    ReductionStep together;
    together.size = {size.outer, parts.in_rows, size.inner};
    reduce_innermost(again(reduction), together, cut.data(), to, nullptr);
  }
}

/// Reduces `from`, dense and row-major of shape `shape`, over the axes where `result` has size 1 and `shape` has not,
/// into `to`, dense and row-major; `result` has as many axes as `shape`. `centers` has the layout of `to`.
template <class R>
void reduce_axes(const R& reduction, const Shape& shape, const Shape& result, const typename R::Element* from,
                 typename R::Partial* to, const typename R::Element* centers = nullptr) {
  const std::int64_t results = result.numel();
  if (results == 0) return;
  if (shape.numel() == 0) {
    for (std::int64_t i = 0; i < results; ++i) to[i] = R::identity;
    return;
  }
  const ReductionStep step = innermost_step(shape, result);
  if (step.last) return reduce_innermost(reduction, step, from, to, centers);
  const Scratch<typename R::Partial> inner(step.size.outer * step.size.inner);
  reduce_innermost(reduction, step, from, inner.data(), centers);
  reduce_axes(again(reduction), step.shape, step.result, inner.data(), to);
}

/// The same of elements that have to be converted, a piece that fills the cache at a time.
template <class R>
void reduce_innermost(const R& reduction, const ReductionStep& step, const Stored<typename R::Element>& from,
                      typename R::Partial* to) {
  using Element = typename R::Element;
  using Partial = typename R::Partial;
  constexpr std::int64_t in_cache = 4096;  // elements
  const ReducedSize size = step.size;
  const auto reduce = [&](const ReducedSize& piece, const Element* elements, Partial* results) {
    ReductionStep alone;
    alone.size = piece;
    reduce_innermost(reduction, alone, elements, results, nullptr);
  };
  const std::int64_t whole = size.reduced * size.inner;
  if (whole <= in_cache) {
    const std::int64_t together = in_cache / whole;
    parallel_for((size.outer + together - 1) / together, 8, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<Element> memory(together * whole);
      for (std::int64_t at = begin * together; at < std::min(size.outer, end * together); at += together) {
        const std::int64_t some = std::min(together, size.outer - at);
        reduce({some, size.reduced, size.inner}, from.read(at * whole, some * whole, memory.data()),
               to + at * size.inner);
      }
    });
    return;
  }
  const ReductionParts parts = reduction_parts(size, sizeof(Partial));
  const Scratch<Partial> cut(parts.in_rows > 1 ? size.outer * parts.in_rows * size.inner : 0);
  Partial* const results = parts.in_rows > 1 ? cut.data() : to;
  parallel_for(size.outer * parts.in_rows * parts.in_inner, parts.grain, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<Element> memory(std::max(in_cache, parts.columns));
    const Scratch<Partial> of_piece(parts.columns);
    for (std::int64_t part = begin; part < end; ++part) {
      const std::int64_t column = part % parts.in_inner * parts.columns, block = part / parts.in_inner,
                         row = block % parts.in_rows * parts.rows, index = block / parts.in_rows;
      const std::int64_t columns = std::min(parts.columns, size.inner - column),
                         rows = std::min(parts.rows, size.reduced - row),
                         most = std::max<std::int64_t>(in_cache / columns, 1);
      Partial *const total = results + block * size.inner + column, *const more = of_piece.data();
      for (std::int64_t done = 0; done < rows; done += most) {
        const std::int64_t some = std::min(most, rows - done),
                           at = (index * size.reduced + row + done) * size.inner + column;
        if (columns == size.inner)
          from.read(at, some * columns, memory.data());
        else
          for (std::int64_t k = 0; k < some; ++k) from.read(at + k * size.inner, columns, memory.data() + k * columns);
        reduce({1, some, columns}, memory.data(), done == 0 ? total : more);
        for (std::int64_t i = 0; done > 0 && i < columns; ++i) total[i] = R::combine(total[i], more[i]);
      }
    }
  });
  if (parts.in_rows > 1) {
    ReductionStep together;
    together.size = {size.outer, parts.in_rows, size.inner};
    reduce_innermost(again(reduction), together, cut.data(), to, nullptr);
  }
}

template <class R>
void reduce_axes(const R& reduction, const Shape& shape, const Shape& result, const Stored<typename R::Element>& from,
                 typename R::Partial* to) {
  const std::int64_t results = result.numel();
  if (!from.is_converted() || results == 0 || shape.numel() == 0)
    return reduce_axes(reduction, shape, result, from.read(0, 0, nullptr), to);
  const ReductionStep step = innermost_step(shape, result);
  if (step.last) return reduce_innermost(reduction, step, from, to);
  const Scratch<typename R::Partial> inner(step.size.outer * step.size.inner);
  reduce_innermost(reduction, step, from, inner.data());
  reduce_axes(again(reduction), step.shape, step.result, inner.data(), to);
}

}  // namespace xgrad::detail
