#include "cross_entropy.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "elementary.hpp"
#include "reduce.hpp"
#include "sums.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t elements = 8192;  // worth a thread's attention
// Rows shorter than this are turned into columns, `tile` rows at a time, to be worked on side by side.
constexpr std::int64_t short_classes = 64, tile = 32;

template <class T>
[[gnu::always_inline]] inline T weight_of(const ClassTargets<T>& targets, std::int64_t c) {
  return targets.weights ? targets.weights[c] : T(1);
}

/// The logarithm of a sum of exponentials, relative to the largest, from the label's and the sum of the others.
template <class T>
[[gnu::always_inline]] inline T log_of_sum(T own, T others) {
  return elementary::log1p(own == T(1) ? others : (others + own) - T(1));
}

/// The loss of a row of scores x, of which `most` is the largest.
template <class T>
[[gnu::always_inline]] inline T row_loss(const ClassTargets<T>& targets, std::int64_t classes, const T* x,
                                         std::int64_t stride, std::int64_t label, T most, T log_sum) {
  const T own = static_cast<T>(targets.kept) * weight_of(targets, label),
          loss = -own * ((x[label * stride] - most) - log_sum);
  if (targets.spread == 0) return loss;
  double everywhere[1] = {};
  add_terms<1, T>(
      0, classes, everywhere, [&](std::int64_t c, T(&value)[1]) __attribute__((always_inline)) {
        value[0] = weight_of(targets, c) * ((x[c * stride] - most) - log_sum);
      });
  return loss - static_cast<T>(targets.spread * everywhere[0]);
}

/// What a row's targets add up to, and what is subtracted at the label and at every class, for a gradient.
template <class T>
struct RowTargets {
  T mass, own, spread;
};

template <class T>
[[gnu::always_inline]] inline RowTargets<T> row_targets(const ClassTargets<T>& targets, T all, double scale,
                                                        std::int64_t label) {
  const T own = static_cast<T>(targets.kept * scale) * weight_of(targets, label),
          spread = static_cast<T>(targets.spread * scale);
  return {own + spread * all, own, spread};
}

/// The gradient at the label, made of the probability of all others: what 1 less its own probability rounds away.
template <class T>
[[gnu::always_inline]] inline T gradient_at_label(const RowTargets<T>& row, T all, T weight, T others, T sum) {
  const T rest = others / sum, gradient = -row.own * rest;
  return row.spread == 0 ? gradient : gradient + row.spread * ((all - weight) - all * rest);
}

template <class T>
[[gnu::always_inline]] inline void long_row(std::int64_t classes, const T* x, const ClassTargets<T>& targets, T all,
                                            double scale, std::int64_t label, bool ahead, T* scratch, T* loss,
                                            T* gradient) {
  if (label == targets.ignored) {
    *loss = 0;
    if (gradient) std::fill_n(gradient, classes, T(0));
    return;
  }
  const T most = largest(x, classes);
  T* const powers = gradient ? gradient : scratch;
  double total[1] = {};
  constexpr std::int64_t piece = 2048, line = 64 / sizeof(T);
  for (std::int64_t begin = 0; begin < classes; begin += piece) {
    const std::int64_t end = std::min(classes, begin + piece);
    for (std::int64_t i = begin; ahead && i < end; i += line) {
      __builtin_prefetch(x + classes + i, 0, 2);
      if (gradient) __builtin_prefetch(gradient + classes + i, 1, 2);
    }
    add_terms<1, T>(begin, end, total, [=](std::int64_t i, T(&value)[1]) {
      value[0] = powers[i] = elementary::exp_of_negative(x[i] - most);
    });
  }
  const T sum = static_cast<T>(total[0]);
  T others = sum - powers[label];
  if (x[label] == most && sum < T(2)) {  // the others may be too small to be seen beside the 1 of the label
    double rest[1] = {};
    powers[label] = 0;
    add_terms<1, T>(0, classes, rest, [=](std::int64_t i, T(&value)[1]) { value[0] = powers[i]; });
    others = static_cast<T>(rest[0]);
  }
  const T log_sum = x[label] == most ? elementary::log1p(others) : elementary::log(sum);
  *loss = row_loss(targets, classes, x, 1, label, most, log_sum);
  if (!gradient) return;
  const RowTargets<T> row = row_targets(targets, all, scale, label);
  const T factor = row.mass / sum;
  if (row.spread != 0) {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < classes; ++i) gradient[i] = factor * gradient[i] - row.spread * weight_of(targets, i);
  } else {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < classes; ++i) gradient[i] *= factor;
  }
  gradient[label] = gradient_at_label(row, all, weight_of(targets, label), others, sum);
}

template <class T>
[[gnu::always_inline]] inline void short_rows(std::int64_t rows, std::int64_t classes, const T* x,
                                              const ClassTargets<T>& targets, T all, double scale,
                                              const std::int64_t* labels, T* losses, T* gradient) {
  T turned[short_classes * tile], powers[short_classes * tile], most[tile], own[tile] = {}, others[tile] = {},
                                                                            log_sums[tile];
  for (std::int64_t row = 0; row < tile; ++row)
    for (std::int64_t c = 0; c < classes; ++c) turned[c * tile + row] = row < rows ? x[row * classes + c] : T(0);
  for (T& one : most) one = -std::numeric_limits<T>::infinity();
  for (std::int64_t c = 0; c < classes; ++c)
    for (std::int64_t row = 0; row < tile; ++row) {
      const T value = turned[c * tile + row];
      most[row] = value > most[row] ? value : most[row];
    }
  for (std::int64_t c = 0; c < classes; ++c)
    for (std::int64_t row = 0; row < tile; ++row)
      powers[c * tile + row] = elementary::exp_of_negative(turned[c * tile + row] - most[row]);
  // The others may be too small to be seen beside the label's: they are added up without it.
  for (std::int64_t row = 0; row < rows; ++row)
    if (labels[row] != targets.ignored) own[row] = std::exchange(powers[labels[row] * tile + row], T(0));
  for (std::int64_t c = 0; c < classes; ++c)
    for (std::int64_t row = 0; row < tile; ++row) others[row] += powers[c * tile + row];
  for (std::int64_t row = 0; row < tile; ++row) log_sums[row] = log_of_sum(own[row], others[row]);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t label = labels[row];
    T* const to = gradient ? gradient + row * classes : nullptr;
    if (label == targets.ignored) {
      losses[row] = 0;
      if (gradient) std::fill_n(to, classes, T(0));
      continue;
    }
    const T sum = others[row] + own[row];
    losses[row] = row_loss(targets, classes, turned + row, tile, label, most[row], log_sums[row]);
    if (!gradient) continue;
    const RowTargets<T> target = row_targets(targets, all, scale, label);
    const T factor = target.mass / sum;
    for (std::int64_t c = 0; c < classes; ++c) to[c] = factor * powers[c * tile + row];
    if (target.spread != 0)
      for (std::int64_t c = 0; c < classes; ++c) to[c] -= target.spread * weight_of(targets, c);
    to[label] = gradient_at_label(target, all, weight_of(targets, label), others[row], sum);
  }
}

/// `all` is the sum of all weights, which smoothing needs.
template <class T>
void run_rows(std::int64_t rows, std::int64_t classes, const T* x, const ClassTargets<T>& targets, T all, double scale,
              T* losses, T* gradient) {
  const bool is_short = classes < short_classes;
  const std::int64_t unit = is_short ? tile : 1, units = (rows + unit - 1) / unit;
  const std::int64_t grain = std::max<std::int64_t>(1, elements / std::max<std::int64_t>(classes * unit, 1));
  const bool needs_scratch = !gradient && !is_short;
  Reference<Storage> memory;
  if (needs_scratch)
    memory = Storage::make(static_cast<std::size_t>((units + grain - 1) / grain * classes) * sizeof(T));
  T* const scratch = needs_scratch ? reinterpret_cast<T*>(memory->data()) : nullptr;
  parallel_for(units, grain, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      const std::int64_t* const labels = targets.labels;
      for (std::int64_t i = begin; i < end; ++i) {
        if (is_short) {
          const std::int64_t row = i * tile;
          short_rows(std::min(tile, rows - row), classes, x + row * classes, targets, all, scale, labels + row,
                     losses + row, gradient ? gradient + row * classes : nullptr);
        } else {
          long_row(classes, x + i * classes, targets, all, scale, labels[i], i + 1 < end,
                   scratch ? scratch + begin / grain * classes : nullptr, losses + i,
                   gradient ? gradient + i * classes : nullptr);
        }
      }
    });
  });
}

}  // namespace

template <class T>
void cross_entropy(std::int64_t rows, std::int64_t classes, const Stored<T>& x, const ClassTargets<T>& targets,
                   double scale, T* losses, const Stored<T>& gradient) {
  double weights = 0;
  for (std::int64_t c = 0; targets.spread != 0 && c < classes; ++c)
    weights += static_cast<double>(weight_of(targets, c));
  const T all = static_cast<T>(weights);
  if (!x.is_converted())
    return run_rows(rows, classes, x.read(0, 0, nullptr), targets, all, scale, losses,
                    gradient ? gradient.target(0, nullptr) : nullptr);
  constexpr std::int64_t in_cache = 2048;  // elements
  const std::int64_t unit = classes < short_classes ? tile : 1,
                     together = (in_cache / std::max<std::int64_t>(classes * unit, 1) + 1) * unit,
                     grain = elements / std::max<std::int64_t>(classes * together, 1) + 1;
  parallel_for((rows + together - 1) / together, grain, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> memory((gradient ? 2 : 1) * together * classes);
    T *const scores = memory.data(), *const slopes = gradient ? scores + together * classes : nullptr;
    for (std::int64_t row = begin * together; row < std::min(rows, end * together); row += together) {
      const std::int64_t some = std::min(together, rows - row);
      ClassTargets<T> labelled = targets;
      labelled.labels += row;
      run_rows(some, classes, x.read(row * classes, some * classes, scores), labelled, all, scale, losses + row,
               slopes);
      if (gradient) gradient.written(row * classes, some * classes, slopes);
    }
  });
}

template void cross_entropy(std::int64_t, std::int64_t, const Stored<float>&, const ClassTargets<float>&, double,
                            float*, const Stored<float>&);
template void cross_entropy(std::int64_t, std::int64_t, const Stored<double>&, const ClassTargets<double>&, double,
                            double*, const Stored<double>&);

}  // namespace xgrad::detail
