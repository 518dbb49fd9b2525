#include "runs.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "comparison.hpp"
#include "shape.hpp"

namespace xgrad::detail {

namespace {

/// Combines elements at runs of `to`, row-major, with those of `from`, rounding once where both are of another dtype
/// than they are computed in.
void combine(Combine how, const Runs& runs, const Array& from, const Array& to) {
  const DType computed = compute_dtype(to.dtype);
  const Array sums = as_dtype(to, computed);
  combine_runs(how, runs, row_major(as_dtype(from, computed)), sums);
  if (to.dtype != computed) overwrite(to, sums);
}

struct TakeRuns {
  const char* name;
  static constexpr bool linear = true;
  Saved begins;
  std::int64_t length;
  Shape result, input = {};
  Tensor forward(const Tensor& x) {
    input = x.shape();
    const Tensor out = empty(result, x.dtype());
    copy_runs(runs_of(begins, length), row_major(x.array()), out);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return add_runs(name, input, begins, length, grad); }
};

struct AddRuns {
  const char* name;
  static constexpr bool linear = true;
  Saved begins;
  std::int64_t length;
  Shape shape, values = {};
  Tensor forward(const Tensor& x) {
    values = x.shape();
    const Tensor out = zeros(shape, {.dtype = x.dtype()});
    combine(Combine::add, runs_of(begins, length), x, out);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return take_runs(name, grad, begins, length, values); }
};

/// Writes the values at runs of `out`, row-major, or adds them.
void put(const Tensor& out, const Tensor& begins, std::int64_t length, const Tensor& values, bool accumulate) {
  if (accumulate)
    combine(Combine::add, runs_of(begins, length), values, out);
  else
    write_runs(runs_of(begins, length), row_major(values.array()), out);
}

struct PutRuns {
  const char* name;
  Saved begins;
  std::int64_t length;
  bool accumulate;
  Shape shape = {}, values = {};
  Tensor forward(const Tensor& x, const Tensor& v) {
    shape = x.shape(), values = v.shape();
    const Tensor out = empty(shape, x.dtype());
    overwrite(out, x);
    put(out, begins, length, v, accumulate);
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    std::array<Tensor, 2> gradients;
    if (needs[0]) gradients[0] = accumulate ? grad : kept(grad);
    if (needs[1]) gradients[1] = given(take_runs(name, grad, begins, length, values));
    return gradients;
  }
  Tensor jvp(const Tensor& dx, const Tensor& dv) const {
    const Tensor change = dv.defined() ? dv : zeros(values, {.dtype = dx.dtype()});
    return put_runs(name, dx.defined() ? dx : zeros(shape, {.dtype = dv.dtype()}), begins, length, change, accumulate);
  }

 private:
  /// The gradient but for what was written over.
  Tensor kept(const Tensor& grad) const {
    return put_runs(name, grad, begins, length, zeros(values, {.dtype = grad.dtype()}), false);
  }
  /// The gradient of the values, 0 for those that others were written over.
  Tensor given(const Tensor& grad) const {
    if (accumulate || grad.numel() == 0) return grad;
    const Tensor last = empty(begins.shape(), bool_), places = begins;
    find_last_runs(runs_of(places, length), shape.numel(), last.data<bool>());
    const Tensor runs = reshape(grad, {places.numel(), length});
    return reshape(where(reshape(last, {-1, 1}), runs, 0), values);
  }
};

struct PutRunsInPlace : PutRuns {
  static constexpr bool in_place = true;
  Tensor forward(Tensor& x, const Tensor& v) {
    shape = x.shape(), values = v.shape();
    const Array now = row_major(x.array());
    const Tensor out = Tensor(now), source = x.impl().storage == v.impl().storage ? v.clone() : v;
    put(out, begins, length, source, accumulate);
    if (!x.is_contiguous()) overwrite(x, out);
    return x;
  }
};

}  // namespace

Tensor take_runs(const char* name, const Tensor& x, const Tensor& begins, std::int64_t length, const Shape& result) {
  return apply(TakeRuns{name, begins, length, result}, x);
}

Tensor add_runs(const char* name, const Shape& shape, const Tensor& begins, std::int64_t length, const Tensor& values) {
  return apply(AddRuns{name, begins, length, shape}, values);
}

Tensor put_runs(const char* name, const Tensor& x, const Tensor& begins, std::int64_t length, const Tensor& values,
                bool accumulate) {
  return apply(PutRuns{name, begins, length, accumulate}, x, values);
}

void put_runs_in_place(const char* name, Tensor& x, const Tensor& begins, std::int64_t length, const Tensor& values,
                       bool accumulate) {
  x = apply(PutRunsInPlace{{name, begins, length, accumulate}}, x, values);
}

}  // namespace xgrad::detail
