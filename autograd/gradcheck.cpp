#include "gradcheck.hpp"

#include <cmath>
#include <ostream>

#include "../array/random.hpp"
#include "create.hpp"
#include "engine.hpp"
#include "primitives.hpp"

namespace xgrad {

std::ostream& operator<<(std::ostream& out, const GradcheckResult& result) { return out << result.message; }

namespace detail {

namespace {

/// Leaves of their own with the values of `inputs`, so that the check neither sees nor changes the caller's graph.
std::vector<Tensor> fresh_leaves(const char* op, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool wanted = inputs[i].requires_grad();
    check(!wanted || inputs[i].dtype() == float64, op, ": input ", i, " is ", inputs[i].dtype(),
          "; central differences need float64, so make it with {.dtype = float64}");
    leaves.push_back(inputs[i].detach().clone(MemoryFormat::contiguous).requires_grad_(wanted));
  }
  return leaves;
}

double weighted_sum(const std::vector<Tensor>& outputs, const std::vector<Tensor>& weights) {
  double sum = 0;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!weights[k].defined()) continue;
    const Tensor memory = dense(outputs[k]);
    for (std::int64_t i = 0; i < memory.numel(); ++i) sum += memory.data<double>()[i] * weights[k].data<double>()[i];
  }
  return sum;
}

std::string index_text(std::int64_t flat, const Shape& shape) {
  Shape index = shape;
  for (std::size_t axis = shape.size(); axis-- > 0; flat /= shape[axis]) index[axis] = flat % shape[axis];
  return index.str();
}

}  // namespace

GradcheckResult gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  const EnableGrad enable_grad;
  const std::vector<Tensor> leaves = fresh_leaves("gradcheck", inputs);
  const std::vector<Tensor> outputs = f(leaves);
  Generator generator(options.seed);
  std::vector<Tensor> weights, differentiable, seeds, wanted;
  for (const Tensor& output : outputs) {
    weights.emplace_back();
    if (!output.requires_grad()) continue;
    check(output.dtype() == float64, "gradcheck: an output is ", output.dtype(), "; central differences need float64");
    weights.back() = empty(output.shape(), float64);
    generator.normal(weights.back().data<double>(), output.numel(), 0, 1);
    differentiable.push_back(output);
    seeds.push_back(weights.back());
  }
  for (const Tensor& leaf : leaves)
    if (leaf.requires_grad()) wanted.push_back(leaf);
  check(!wanted.empty(), "gradcheck: no input requires a gradient");
  check(!differentiable.empty(), "gradcheck: no output depends on an input that requires a gradient");
  const std::vector<Tensor> gradients =
      grad(differentiable, wanted, {.retain_graph = true, .allow_unused = true, .grad_outputs = seeds});

  GradcheckResult result;
  const NoGrad no_grad;
  std::size_t next = 0;
  std::int64_t checked = 0;
  double worst_excess = 0;
  for (std::size_t input = 0; input < leaves.size(); ++input) {
    if (!leaves[input].requires_grad()) continue;
    const Tensor gradient = gradients[next].defined() ? *dense(gradients[next]) : zeros_like(leaves[input]);
    ++next;
    auto* x = leaves[input].data<double>();
    for (std::int64_t i = 0; i < leaves[input].numel(); ++i, ++checked) {
      const double before = x[i];
      x[i] = before + options.step;
      const double above = weighted_sum(f(leaves), weights);
      x[i] = before - options.step;
      const double below = weighted_sum(f(leaves), weights);
      x[i] = before;
      const double numeric = (above - below) / (2 * options.step), analytic = gradient.data<double>()[i];
      const double difference = std::abs(analytic - numeric);
      const double excess = difference - (options.atol + options.rtol * std::abs(numeric));
      result.worst = std::max(result.worst, difference);
      if (excess <= 0) continue;
      if (!result.ok && !(excess > worst_excess)) continue;
      result.ok = false;
      worst_excess = excess;
      result.message = "gradcheck: input ";
      append(result.message, input);
      result.message += " of shape " + leaves[input].shape().str() + " at " + index_text(i, leaves[input].shape()) +
                        ": backward gives ";
      append(result.message, analytic);
      result.message += ", central differences ";
      append(result.message, numeric);
      result.message += " (off by ";
      append(result.message, difference);
      result.message += ")";
    }
  }
  if (result.ok) {
    result.message = "gradcheck: ";
    append(result.message, checked);
    result.message += " derivatives agree, the worst to ";
    append(result.message, result.worst);
  }
  return result;
}

GradcheckResult gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  const EnableGrad enable_grad;
  std::vector<Tensor> all = fresh_leaves("gradgradcheck", inputs);
  std::vector<bool> differentiable;
  Generator generator(options.seed + 1);
  for (const Tensor& output : f(all)) {
    differentiable.push_back(output.requires_grad());
    if (!output.requires_grad()) continue;
    Tensor upstream = empty(output.shape(), float64);
    generator.normal(upstream.data<double>(), upstream.numel(), 0, 1);
    all.push_back(upstream.requires_grad_());
  }
  check(all.size() > inputs.size(), "gradgradcheck: no output depends on an input that requires a gradient");
  const std::size_t count = inputs.size();
  const TensorFunction gradient = [&f, &differentiable, count](const std::vector<Tensor>& tensors) {
    const EnableGrad record;
    std::vector<Tensor> xs, wanted, outputs;
    for (std::size_t i = 0; i < count; ++i) {
      xs.push_back(tensors[i]);
      if (tensors[i].requires_grad()) wanted.push_back(tensors[i]);
    }
    const std::vector<Tensor> ys = f(xs);
    for (std::size_t k = 0; k < ys.size(); ++k)
      if (differentiable[k]) outputs.push_back(ys[k]);
    std::vector<Tensor> gradients =
        grad(outputs, wanted,
             {.create_graph = true,
              .allow_unused = true,
              .grad_outputs = {tensors.begin() + static_cast<std::ptrdiff_t>(count), tensors.end()}});
    std::erase_if(gradients, [](const Tensor& g) { return !g.defined(); });
    return gradients;
  };
  GradcheckResult result = gradcheck(gradient, all, options);
  result.message.insert(0, "grad");
  return result;
}

}  // namespace detail

}  // namespace xgrad
