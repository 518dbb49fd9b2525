#include "fold_batch_norm.hpp"

#include <algorithm>

#include "../autograd/create.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/extrema.hpp"
#include "../ops/math.hpp"
#include "../ops/shape.hpp"

namespace xgrad::nn {

namespace {

std::int64_t channels_of(const Conv& conv) { return conv.weight.size(0); }
std::int64_t channels_of(const ConvTranspose& conv) { return conv.weight.size(1) * conv.options.groups; }

/// The weight with the channels that it gives multiplied by a factor each, (channels,).
Tensor scaled(const Conv& conv, const Tensor& factors) {
  Shape column = Shape::filled(conv.weight.dim(), 1);
  column[0] = factors.numel();
  return conv.weight.to(float64) * reshape(factors, column);
}
Tensor scaled(const ConvTranspose& conv,
              const Tensor& factors) {  // (in, out / groups, ...), groups one after the other
  const std::int64_t groups = conv.options.groups, in = conv.weight.size(0), out = conv.weight.size(1);
  const Tensor cut = reshape(conv.weight.to(float64), {groups, in / groups, out, -1});
  return reshape(cut * reshape(factors, {groups, 1, out, 1}), conv.weight.shape());
}

void check_norm(const BatchNorm& norm) {
  check(!norm.training, "fold_batch_norm: a batch norm is in training mode; call nn::eval(model) first");
  check(norm.running_mean.defined() && norm.running_var.defined(),
        "fold_batch_norm: the batch norm keeps no running statistics");
}

void fill(Tensor& tensor, double value) {
  if (tensor.defined()) tensor = full_like(tensor, value).requires_grad_(tensor.requires_grad());
}

template <class C>
void fold_pair(C& conv, BatchNorm& norm) {
  check_norm(norm);
  const std::int64_t channels = channels_of(conv);
  check(norm.running_mean.numel() == channels, "fold_batch_norm: a batch norm of ", norm.running_mean.numel(),
        " channels behind a convolution that gives ", channels);
  const NoGrad no_grad;
  const DType dtype = conv.weight.dtype();
  Tensor factors = rsqrt(norm.running_var.to(float64) + norm.eps);
  if (norm.weight.defined()) factors = factors * norm.weight.to(float64);
  Tensor bias = -norm.running_mean.to(float64);
  if (conv.bias.defined()) bias = bias + conv.bias.to(float64);
  bias = bias * factors;
  if (norm.bias.defined()) bias = bias + norm.bias.to(float64);
  const bool trained = conv.weight.requires_grad();
  conv.weight = scaled(conv, factors).to(dtype).requires_grad_(trained);
  conv.bias = bias.to(dtype).requires_grad_(trained);
  fill(norm.weight, 1);
  fill(norm.bias, 0);
  fill(norm.running_mean, 0);
  fill(norm.running_var, 1);
  norm.eps = 0;
}

}  // namespace

void fold_batch_norm(Conv& conv, BatchNorm& norm) { fold_pair(conv, norm); }
void fold_batch_norm(ConvTranspose& conv, BatchNorm& norm) { fold_pair(conv, norm); }

namespace detail {

bool ConvAndNorm::fits() const {
  if (!norm->running_mean.defined() || (!conv && !transposed)) return false;
  return norm->running_mean.numel() == (conv ? channels_of(*conv) : channels_of(*transposed));
}

void fold(std::vector<ConvAndNorm>& pairs) {
  for (auto pair = pairs.begin(); pair != pairs.end(); ++pair) {
    check_norm(*pair->norm);
    check(std::none_of(pairs.begin(), pair,
                       [&](const ConvAndNorm& other) {
                         return other.norm == pair->norm || (pair->conv && other.conv == pair->conv) ||
                                (pair->transposed && other.transposed == pair->transposed);
                       }),
          "fold_batch_norm: a convolution or a batch norm stands in two places of the model");
  }
  for (const ConvAndNorm& pair : pairs) {
    if (pair.conv)
      fold_pair(*pair.conv, *pair.norm);
    else
      fold_pair(*pair.transposed, *pair.norm);
    if (pair.place) *pair.place = Identity();
  }
}

void check_folded(const Tensor& before, const Tensor& after) {
  check(before.shape() == after.shape(), "fold_batch_norm: results of shape ", before.shape(), " became ",
        after.shape());
  if (before.numel() == 0) return;
  const double difference = amax(abs(after - before)).item(), largest = amax(abs(before)).item();
  check(difference <= 1e-3 * largest, "fold_batch_norm: results of up to ", largest, " changed by ", difference,
        "; a batch norm stands behind a convolution to whose results it is not applied: fold the others by pairs, ",
        "fold_batch_norm(conv, norm)");
}

}  // namespace detail

}  // namespace xgrad::nn
