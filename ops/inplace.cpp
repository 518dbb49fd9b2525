#include "../autograd/inplace.hpp"
#include "../autograd/apply.hpp"
#include "../kernels/numbers.hpp"
#include "arithmetic.hpp"
#include "map.hpp"

// The members of Tensor that change it in place. While nothing is recorded they are one pass over memory. Otherwise the
// operation is recorded as if out of place, its result is written over the tensor, and the tensor becomes that result.

namespace xgrad {

namespace {

using namespace detail;

bool is_recorded(const Tensor& self) { return is_grad_enabled() && self.requires_grad(); }
bool is_recorded(const Tensor& self, const Tensor& other) {
  return is_grad_enabled() && (self.requires_grad() || other.requires_grad());
}

void expect_broadcast(const char* op, const Tensor& self, const Tensor& other) {
  check(broadcasts_to(other.shape(), self.shape()), op, ": a tensor of shape ", other.shape(),
        " does not broadcast to this one's shape ", self.shape());
}

void expect_result_dtype(const char* op, const Tensor& self, DType result) {
  check(self.dtype() == result, op, ": the result is ", result, " and this tensor ", self.dtype(),
        "; convert it with .to(", result, ") and use the operation that is not in place");
}

bool shares_memory(const Tensor& a, const Tensor& b) { return a.impl().storage == b.impl().storage; }

/// The elements as they are now, at the same place in the graph.
Tensor snapshot(const Tensor& x) {
  Tensor copy = detail::empty_like(x, x.dtype());
  overwrite(copy, x);
  copy.impl().node = x.impl().node;
  copy.impl().output_index = x.impl().output_index;
  return copy;
}

/// `other`, such that writing to `self` element by element does not change what is still to be read.
Tensor unaffected(const Tensor& self, const Tensor& other) {
  const bool same_elements =
      self.impl().data == other.impl().data && self.shape() == other.shape() && self.strides() == other.strides();
  return shares_memory(self, other) && !same_elements ? snapshot(other) : other;
}

/// Makes `self` the tensor `result`, in the memory it has.
void become(const char* op, Tensor& self, const Tensor& result) {
  Rebase rebase(self);
  overwrite(self, result);
  self.impl().storage->raise_version(op);
  self = rebase.onto(result);
}

void assign(const char* op, const Tensor& self, const Tensor& other) {
  overwrite(self, other);
  self.impl().storage->raise_version(op);
}

template <class F>
void write(const char* op, const F& f, const Tensor& self, const std::same_as<Tensor> auto&... others) {
  const std::array<const Array*, 1 + sizeof...(others)> inputs = {&self.array(), &others.array()...};
  dispatch_compute(self.dtype(), [&]<class T>(T) {
    run_map_into(make_map_loop<F, T, std::conditional_t<true, T, decltype(others)>...>(op, f), self, inputs);
  });
  self.impl().storage->raise_version(op);
}

/// self = f(self, other), where `recorded` is the same as an operation that is recorded. `saves` says whether its
/// gradient by `other` needs the value of self.
template <class F, class Recorded>
Tensor& update(const char* op, const F& f, Recorded recorded, bool saves, Tensor& self, const Tensor& other) {
  expect_result_dtype(op, self, promote(self.dtype(), other.dtype()));
  expect_broadcast(op, self, other);
  expect_writable(op, self);
  if (is_recorded(self, other)) {
    expect_recordable(op, self);
    const Tensor before = saves && other.requires_grad() ? snapshot(self) : self;
    become(op, self, recorded(before, shares_memory(self, other) ? snapshot(other) : other));
  } else if (self.dtype() == DType::bool_) {
    assign(op, self, recorded(self, other));
  } else {
    const NoGrad no_grad;
    write(op, f, self, unaffected(self, other).to(self.dtype()));
  }
  return self;
}

template <class F, class Recorded>
Tensor& update(const char* op, const F& f, Recorded recorded, Tensor& self, const Scalar& number) {
  expect_result_dtype(op, self, promote(self.dtype(), number));
  expect_writable(op, self);
  if (is_recorded(self)) {
    expect_recordable(op, self);
    become(op, self, recorded(self, number));
  } else if (self.dtype() == DType::bool_) {
    assign(op, self, recorded(self, number));
  } else {
    write(op, WithNumber{f, number}, self);
  }
  return self;
}

Tensor& replace(const char* op, Tensor& self, const Tensor& other) {
  expect_broadcast(op, self, other);
  expect_writable(op, self);
  if (is_recorded(self, other)) {
    expect_recordable(op, self);
    const Tensor converted = expand(other.to(self.dtype()), self.shape());
    const bool apart = converted.reference() != other.reference() && !shares_memory(self, converted);
    become(op, self, apart ? converted : converted.clone());
  } else {
    assign(op, self, unaffected(self, other));
  }
  return self;
}

/// other * alpha, as the operations with an alpha take it.
Tensor scaled(const char* op, const Tensor& self, const Tensor& other, const Scalar& alpha) {
  check(is_floating(self.dtype()) || !is_floating(alpha.kind()), op, ": alpha is ", alpha, " and this tensor ",
        self.dtype(), "; it must be an integer");
  return mul(other, alpha);
}

constexpr auto recorded_add = [](const Tensor& a, const auto& b) { return add(a, b); };
constexpr auto recorded_sub = [](const Tensor& a, const auto& b) { return sub(a, b); };
constexpr auto recorded_mul = [](const Tensor& a, const auto& b) { return mul(a, b); };
constexpr auto recorded_div = [](const Tensor& a, const auto& b) { return div(a, b); };

}  // namespace

Tensor& Tensor::add_(const Tensor& other, CallSite site) {
  const CallSiteScope scope(site);
  return update("add_", Plus{}, recorded_add, false, *this, other);
}
Tensor& Tensor::add_(const Scalar& other, CallSite site) {
  const CallSiteScope scope(site);
  return update("add_", Plus{}, recorded_add, *this, other);
}
Tensor& Tensor::sub_(const Tensor& other, CallSite site) {
  const CallSiteScope scope(site);
  return update("sub_", Minus{}, recorded_sub, false, *this, other);
}
Tensor& Tensor::sub_(const Scalar& other, CallSite site) {
  const CallSiteScope scope(site);
  return update("sub_", Minus{}, recorded_sub, *this, other);
}
Tensor& Tensor::add_(const Tensor& other, const AlphaOptions& options, CallSite site) {
  const CallSiteScope scope(site);
  return update("add_", Plus{}, recorded_add, false, *this, scaled("add_", *this, other, options.alpha));
}
Tensor& Tensor::sub_(const Tensor& other, const AlphaOptions& options, CallSite site) {
  const CallSiteScope scope(site);
  return update("sub_", Minus{}, recorded_sub, false, *this, scaled("sub_", *this, other, options.alpha));
}
Tensor& Tensor::mul_(const Tensor& other, CallSite site) {
  const CallSiteScope scope(site);
  return update("mul_", Times{}, recorded_mul, true, *this, other);
}
Tensor& Tensor::mul_(const Scalar& other, CallSite site) {
  const CallSiteScope scope(site);
  return update("mul_", Times{}, recorded_mul, *this, other);
}
Tensor& Tensor::div_(const Tensor& other, CallSite site) {
  const CallSiteScope scope(site);
  expect_result_dtype("div_", *this, at_least(dtype(), DType::float32));
  return update("div_", Over{}, recorded_div, true, *this, other);
}
Tensor& Tensor::div_(const Scalar& other, CallSite site) {
  const CallSiteScope scope(site);
  expect_result_dtype("div_", *this, at_least(dtype(), DType::float32));
  return update("div_", Over{}, recorded_div, *this, other);
}

Tensor& Tensor::copy_(const Tensor& other, CallSite site) {
  const CallSiteScope scope(site);
  return replace("copy_", *this, other);
}

Tensor& Tensor::fill_(const Scalar& value, CallSite site) {
  const CallSiteScope scope(site);
  const Tensor number = empty({}, dtype());
  store("fill_", value, dtype(), number.impl().data);
  return replace("fill_", *this, number);
}

}  // namespace xgrad
