#include "recurrent.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <vector>

#include "../array/transpose.hpp"
#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "elementary.hpp"
#include "gemm.hpp"
#include "rounded_gemm.hpp"

namespace xgrad::detail {

namespace {

/// Numbers that live as long as the object.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t count)
      : memory_(Storage::make(static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) * sizeof(T))) {}
  T* data() const { return reinterpret_cast<T*>(memory_->data()); }

 private:
  Reference<Storage> memory_;
};

std::int64_t at_least_one(std::int64_t size) { return std::max<std::int64_t>(size, 1); }

/// f(row) for the rows of a batch, in parallel; each is worth `hidden` gates.
template <class F>
void for_rows(const RecurrentSize& size, const F& f) {
  parallel_for(size.batch, 4096 / at_least_one(size.hidden) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) f(row);
  });
}

/// The steps in the order in which they run.
std::int64_t step_at(const RecurrentSize& size, std::int64_t i) { return size.reverse ? size.steps - 1 - i : i; }

bool is_active(const RecurrentSize& size, std::int64_t step, std::int64_t row) {
  return !size.lengths || step < size.lengths[row];
}

/// A product of m rows with the part of the recurrent weights that belongs to some gates: of a GRU the last is apart.
struct GateBlock {
  std::int64_t weight_row, gate_column, rows;
};
template <class F>
void for_state_blocks(const RecurrentSize& size, const F& f) {
  const std::int64_t h = size.hidden;
  if (size.cell != Cell::gru) return f(GateBlock{0, 0, size.blocks() * h});
  f(GateBlock{0, 0, 2 * h});
  f(GateBlock{2 * h, 3 * h, h});
}

/// The gates of a row, which hold their sums, become their values, and the next state follows.
template <class T>
void step_row(Cell cell, std::int64_t hidden, T* gates, const T* before, const T* cell_before, T* cell_now, T* state) {
  T *const first = gates, *const second = gates + hidden, *const third = second + hidden, *const last = third + hidden;
  vectorized([=] {
    using elementary::sigmoid;
    using elementary::tanh;
    if (cell == Cell::lstm) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < hidden; ++i) {
        const T in = sigmoid(first[i]), forget = sigmoid(second[i]), fresh = tanh(third[i]), out = sigmoid(last[i]);
        const T now = forget * cell_before[i] + in * fresh;
        first[i] = in, second[i] = forget, third[i] = fresh, last[i] = out;
        cell_now[i] = now;
        state[i] = out * tanh(now);
      }
    } else if (cell == Cell::gru) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < hidden; ++i) {
        const T reset = sigmoid(first[i]), keep = sigmoid(second[i]), fresh = tanh(third[i] + reset * last[i]);
        first[i] = reset, second[i] = keep, third[i] = fresh;
        state[i] = fresh + keep * (before[i] - fresh);
      }
    } else if (cell == Cell::tanh) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < hidden; ++i) state[i] = first[i] = tanh(first[i]);
    } else {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < hidden; ++i) state[i] = first[i] = first[i] < 0 ? T(0) : first[i];
    }
  });
}

/// The gradients of the sums of the gates of a row, given that of its state, which becomes what goes to the state
/// before by other ways than the gates; the gradient of the cell becomes that of the cell before.
template <class T>
void step_row_backward(Cell cell, std::int64_t hidden, const T* gates, const T* before, const T* cell_before,
                       const T* cell_now, T* state_grad, T* cell_grad, T* sum_grads) {
  const T *const first = gates, *const second = gates + hidden, *const third = second + hidden,
                 *const last = third + hidden;
  T *const to_first = sum_grads, *const to_second = sum_grads + hidden, *const to_third = to_second + hidden,
           *const to_last = to_third + hidden;
  vectorized([=] {
    if (cell == Cell::lstm) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < hidden; ++i) {
        const T in = first[i], forget = second[i], fresh = third[i], out = last[i], g = state_grad[i];
        const T shown = elementary::tanh(cell_now[i]), of_cell = cell_grad[i] + g * out * (1 - shown * shown);
        to_first[i] = of_cell * fresh * in * (1 - in);
        to_second[i] = of_cell * cell_before[i] * forget * (1 - forget);
        to_third[i] = of_cell * in * (1 - fresh * fresh);
        to_last[i] = g * shown * out * (1 - out);
        cell_grad[i] = of_cell * forget;
        state_grad[i] = 0;
      }
    } else if (cell == Cell::gru) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < hidden; ++i) {
        const T reset = first[i], keep = second[i], fresh = third[i], inner = last[i], g = state_grad[i];
        const T of_fresh = g * (1 - keep) * (1 - fresh * fresh);
        to_first[i] = of_fresh * inner * reset * (1 - reset);
        to_second[i] = g * (before[i] - fresh) * keep * (1 - keep);
        to_third[i] = of_fresh;
        to_last[i] = of_fresh * reset;
        state_grad[i] = g * keep;
      }
    } else {
      const bool is_tanh = cell == Cell::tanh;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < hidden; ++i) {
        const T y = first[i], g = state_grad[i], slope = 1 - y * y;
        to_first[i] = is_tanh ? g * slope : y > 0 ? g : T(0);
        state_grad[i] = 0;
      }
    }
  });
}

/// What is added to the gates of every step.
template <class T>
void fill_bias(const RecurrentSize& size, const RecurrentWeights<const T>& weights, T* bias) {
  std::fill_n(bias, size.width(), T(0));
  const std::int64_t h = size.hidden;
  if (weights.input_bias) std::copy_n(weights.input_bias, size.blocks() * h, bias);
  if (!weights.state_bias) return;
  for_state_blocks(size, [&](const GateBlock& block) {
    for (std::int64_t i = 0; i < block.rows; ++i)
      bias[block.gate_column + i] += weights.state_bias[block.weight_row + i];
  });
}

/// sums[column] = the sums of the columns of a matrix (rows, columns).
template <class T>
void add_up_rows(std::int64_t rows, std::int64_t columns, const T* x, T* sums) {
  constexpr std::int64_t block = 64;
  const std::int64_t blocks = (rows + block - 1) / block;
  const Scratch<T> partial(blocks * columns);
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      T* const sum = partial.data() + b * columns;
      const std::int64_t first = b * block, last = std::min(rows, first + block);
      vectorized([=] {
        for (std::int64_t i = 0; i < columns; ++i) sum[i] = 0;
        for (std::int64_t row = first; row < last; ++row) {
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < columns; ++i) sum[i] += x[row * columns + i];
        }
      });
    }
  });
  for (std::int64_t i = 0; i < columns; ++i) {
    double total = 0;
    for (std::int64_t b = 0; b < blocks; ++b) total += static_cast<double>(partial.data()[b * columns + i]);
    sums[i] = static_cast<T>(total);
  }
}

/// The right factor op(b), (k, n), of products.
template <class T>
class Factor {
 public:
  Factor(const RecurrentSize& size, bool transpose, std::int64_t k, std::int64_t n, const T* b, std::int64_t ldb)
      : transposed_(transpose), k_(k), n_(n), b_(b), ldb_(ldb) {
    if constexpr (std::is_same_v<T, float>)
      if (size.rounds && k > 0 && n > 0) rounded_.emplace(transpose, k, n, b, ldb);
  }
  /// c = op(a) op(b) + beta c, or bias in the place of beta c.
  void multiply(bool transpose, std::int64_t m, const T* a, std::int64_t lda, T beta, T* c, std::int64_t ldc,
                const T* bias = nullptr) const {
    if constexpr (std::is_same_v<T, float>)
      if (rounded_) return rounded_->multiply(transpose, m, a, lda, beta, c, ldc, bias);
    gemm<T>(transpose, transposed_, m, n_, k_, 1, a, lda, b_, ldb_, beta, c, ldc, bias);
  }

 private:
  bool transposed_;
  std::int64_t k_, n_;
  const T* b_;
  std::int64_t ldb_;
  std::optional<RoundedFactor> rounded_;
};

}  // namespace

template <class T>
void recurrent(const RecurrentSize& size, const RecurrentWeights<const T>& weights, const T* x, const T* h0,
               const T* c0, const RecurrentRun<T>& run) {
  const std::int64_t n = size.batch, h = size.hidden, p = size.outputs, width = size.width(), rows = size.blocks() * h;
  // Rows that lie a power of two apart would share few lines of the cache.
  const std::int64_t ld_turned = rows + 16;
  const Scratch<T> bias(width), turned(ld_turned * p);
  fill_bias(size, weights, bias.data());
  if (size.cell == Cell::gru)
    parallel_for(size.steps * n, 8192 / at_least_one(h) + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        std::copy_n(bias.data() + rows, h, run.gates + row * width + rows);
    });
  Factor<T>(size, true, size.inputs, rows, weights.input, at_least_one(size.inputs))
      .multiply(false, size.steps * n, x, at_least_one(size.inputs), 0, run.gates, at_least_one(width), bias.data());
  // Products with what lies transposed would copy it across at every step.
  transpose_copy(sizeof(T), rows, p, reinterpret_cast<const std::byte*>(weights.state), p,
                 reinterpret_cast<std::byte*>(turned.data()), ld_turned);
  std::vector<Factor<T>> by_state;
  for_state_blocks(size, [&](const GateBlock& block) {
    by_state.emplace_back(size, false, p, block.rows, turned.data() + block.weight_row, ld_turned);
  });
  std::optional<Factor<T>> projection;
  if (size.projected) projection.emplace(size, true, h, p, weights.projection, at_least_one(h));
  const T *before = h0, *cell_before = c0;
  for (std::int64_t i = 0; i < size.steps; ++i) {
    const std::int64_t step = step_at(size, i);
    T *const gates = run.gates + step * n * width, *const state = run.states + step * n * p,
             *const made = size.projected ? run.unprojected + step * n * h : state,
             *const cell = run.cells ? run.cells + step * n * h : nullptr;
    std::size_t number = 0;
    for_state_blocks(size, [&](const GateBlock& block) {
      by_state[number++].multiply(false, n, before, at_least_one(p), 1, gates + block.gate_column, at_least_one(width));
    });
    for_rows(size, [&](std::int64_t row) {
      step_row(size.cell, h, gates + row * width, before + row * p, cell ? cell_before + row * h : nullptr,
               cell ? cell + row * h : nullptr, made + row * h);
    });
    if (projection) projection->multiply(false, n, made, at_least_one(h), 0, state, at_least_one(p));
    for (std::int64_t row = 0; size.lengths && row < n; ++row) {
      if (is_active(size, step, row)) continue;
      std::copy_n(before + row * p, p, state + row * p);
      if (cell) std::copy_n(cell_before + row * h, h, cell + row * h);
    }
    before = state, cell_before = cell;
  }
}

template <class T>
void recurrent_backward(const RecurrentSize& size, const RecurrentWeights<const T>& weights, const T* x, const T* h0,
                        const T* c0, const RecurrentRun<const T>& run, const T* states_grad, T* last_cell_grad,
                        const RecurrentWeights<T>& weight_grads, T* x_grad, T* h0_grad) {
  const std::int64_t n = size.batch, h = size.hidden, p = size.outputs, width = size.width(), rows = size.blocks() * h,
                     all = size.steps * n, ld_x = at_least_one(size.inputs), ld_h = at_least_one(h),
                     ld_p = at_least_one(p), ld_g = at_least_one(width);
  const Scratch<T> sum_grads(all * width);                    // of the gates before their activation
  const Scratch<T> made_grads(size.projected ? n * h : 0);    // of what is projected
  const Scratch<T> kept_grads(size.projected ? all * p : 0);  // of the states that are projections
  std::vector<Factor<T>> by_state;
  for_state_blocks(size, [&](const GateBlock& block) {
    by_state.emplace_back(size, false, block.rows, p, weights.state + block.weight_row * p, ld_p);
  });
  std::optional<Factor<T>> projection;
  if (size.projected) projection.emplace(size, false, p, h, weights.projection, ld_h);
  T* const state_grad = h0_grad;  // of the state of the step, and then of the one before
  std::fill_n(state_grad, n * p, T(0));
  for (std::int64_t i = size.steps - 1; i >= 0; --i) {
    const std::int64_t step = step_at(size, i), previous = i == 0 ? 0 : step_at(size, i - 1);
    const T *const gates = run.gates + step * n * width, *const before = i == 0 ? h0 : run.states + previous * n * p,
                   *const cell = run.cells ? run.cells + step * n * h : nullptr,
                   *const cell_before = !run.cells ? nullptr
                                        : i == 0   ? c0
                                                   : run.cells + previous * n * h,
                   *const from_above = states_grad + step * n * p;
    T *const to = sum_grads.data() + step * n * width, *const kept = kept_grads.data() + step * n * p;
    for (std::int64_t j = 0; j < n * p; ++j) state_grad[j] += from_above[j];
    T* made = state_grad;
    if (size.projected) {
      made = made_grads.data();
      for (std::int64_t row = 0; row < n; ++row) {
        T *const g = state_grad + row * p, *const keep = kept + row * p;
        if (is_active(size, step, row)) {
          std::copy_n(g, p, keep);
          std::fill_n(g, p, T(0));
        } else {
          std::fill_n(keep, p, T(0));
        }
      }
      projection->multiply(false, n, kept, ld_p, 0, made, ld_h);
    }
    for_rows(size, [&](std::int64_t row) {
      if (!is_active(size, step, row)) return void(std::fill_n(to + row * width, width, T(0)));
      step_row_backward(size.cell, h, gates + row * width, before + row * p, cell ? cell_before + row * h : nullptr,
                        cell ? cell + row * h : nullptr, made + row * h,
                        last_cell_grad ? last_cell_grad + row * h : nullptr, to + row * width);
    });
    std::size_t number = 0;
    for_state_blocks(size, [&](const GateBlock& block) {
      by_state[number++].multiply(false, n, to + block.gate_column, ld_g, 1, state_grad, ld_p);
    });
  }
  const T* const grads = sum_grads.data();
  if (x_grad)
    Factor<T>(size, false, rows, size.inputs, weights.input, ld_x).multiply(false, all, grads, ld_g, 0, x_grad, ld_x);
  if (weight_grads.input)
    Factor<T>(size, false, all, size.inputs, x, ld_x).multiply(true, rows, grads, ld_g, 0, weight_grads.input, ld_x);
  if (weight_grads.state) {
    // Each step with the state before: those of all steps but the first to run lie one after the other.
    const std::int64_t later = (size.steps - 1) * n, first_step = step_at(size, 0) * n;
    const T *const later_grads = grads + (size.reverse ? 0 : n * width), *const states =
                                                                             run.states + (size.reverse ? n * p : 0);
    const Factor<T> by_first(size, false, n, p, h0, ld_p), by_later(size, false, later, p, states, ld_p);
    for_state_blocks(size, [&](const GateBlock& block) {
      T* const to = weight_grads.state + block.weight_row * p;
      by_first.multiply(true, block.rows, grads + first_step * width + block.gate_column, ld_g, 0, to, ld_p);
      by_later.multiply(true, block.rows, later_grads + block.gate_column, ld_g, 1, to, ld_p);
    });
  }
  if (weight_grads.projection)
    Factor<T>(size, false, all, h, run.unprojected, ld_h)
        .multiply(true, p, kept_grads.data(), ld_p, 0, weight_grads.projection, ld_h);
  if (!weight_grads.input_bias && !weight_grads.state_bias) return;
  const Scratch<T> sums(width);
  add_up_rows(all, width, grads, sums.data());
  if (weight_grads.input_bias) std::copy_n(sums.data(), rows, weight_grads.input_bias);
  if (weight_grads.state_bias)
    for_state_blocks(size, [&](const GateBlock& block) {
      std::copy_n(sums.data() + block.gate_column, block.rows, weight_grads.state_bias + block.weight_row);
    });
}

#define XGRAD_INSTANTIATE(T)                                                                                         \
  template void recurrent(const RecurrentSize&, const RecurrentWeights<const T>&, const T*, const T*, const T*,      \
                          const RecurrentRun<T>&);                                                                   \
  template void recurrent_backward(const RecurrentSize&, const RecurrentWeights<const T>&, const T*, const T*,       \
                                   const T*, const RecurrentRun<const T>&, const T*, T*, const RecurrentWeights<T>&, \
                                   T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
