#include "engine.hpp"

#include <utility>

#include "backward_observer.hpp"
#include "create.hpp"
#include "inplace.hpp"
#include "pass.hpp"

namespace xgrad {

namespace {

Edge place_of(const Tensor& tensor) { return {tensor.impl().node, tensor.impl().output_index}; }

Tensor seed_for(const char* op, const Tensor& root, const Tensor& seed) {
  check(root.requires_grad(), op, ": the tensor of shape ", root.shape(),
        " does not require a gradient: no operation on a tensor with requires_grad made it, or NoGrad was in force");
  detail::expect_current(op, root);
  if (!seed.defined()) {
    check(root.numel() == 1, op, ": a tensor of shape ", root.shape(),
          " has no gradient of its own; reduce it to one element, or give the gradient as a seed of this shape");
    return ones_like(root);
  }
  check(seed.shape() == root.shape(), op, ": the seed has shape ", seed.shape(), ", the tensor ", root.shape(),
        "; it is the gradient of the tensor, so it has its shape");
  return seed.to(root.dtype());
}

}  // namespace

void Tensor::backward(const Tensor& seed, const BackwardOptions& options, detail::CallSite site) const {
  detail::with_memory_for("backward", [&] {
    Tensor first = [&] {
      const detail::CallSiteScope scope(site);
      return seed_for("backward", *this, seed);
    }();
    const detail::Reference<Node> graph = impl().node;  // which a hook may take from the tensor
    if (detail::BackwardObserver::first_.load(std::memory_order_relaxed)) detail::BackwardObserver::tell_all(*this);
    detail::Pass pass(options.create_graph, options.retain_graph);
    pass.seed(*this, std::move(first));
    pass.run();
    pass.commit();
  });
}

namespace {

std::vector<Tensor> gradients_of(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                                 const GradOptions& options) {
  const auto& seeds = options.grad_outputs;
  check(seeds.empty() || seeds.size() == outputs.size(), "grad: ", seeds.size(), " grad_outputs for ", outputs.size(),
        " outputs");
  std::vector<Tensor> firsts;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    firsts.push_back(seed_for("grad", outputs[i], seeds.empty() ? Tensor() : seeds[i]));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check(inputs[i].requires_grad(), "grad: input ", i, inputs[i].defined() ? " of shape " : "",
          inputs[i].defined() ? inputs[i].shape().str() : " (undefined)",
          " does not require a gradient; make it with {.requires_grad = true}, or call requires_grad_(), before the ",
          "outputs are computed");
  std::vector<Edge> targets;
  for (const Tensor& input : inputs) targets.push_back(place_of(input));
  std::vector<Edge> roots;  // which keep the graph, whatever hooks do with the tensors
  for (const Tensor& output : outputs) roots.push_back(place_of(output));
  const bool allow_unused = options.allow_unused;

  detail::Pass pass(options.create_graph, options.retain_graph);
  pass.aim_at(outputs, targets);
  for (std::size_t i = 0; i < outputs.size(); ++i) pass.seed(outputs[i], firsts[i]);
  pass.run();
  std::vector<Tensor> gradients;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    gradients.push_back(pass.take(targets[i]));
    check(gradients.back().defined() || allow_unused, "grad: no output depends on input ", i, " of shape ",
          targets[i].node->outputs()[targets[i].index].shape,
          "; {.allow_unused = true} gives an undefined gradient for it");
  }
  return gradients;
}

}  // namespace

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  return detail::with_memory_for("grad", [&] { return gradients_of(outputs, inputs, options); });
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options) {
  return detail::with_memory_for("grad", [&] { return gradients_of({&output, 1}, inputs, options); });
}

Tensor detail::gradient_of(const Tensor& output, const Tensor& input, const GradOptions& options) {
  return detail::with_memory_for("grad", [&] { return gradients_of({&output, 1}, {&input, 1}, options)[0]; });
}

std::vector<Tensor> detail::gradients_within(std::span<const Tensor> outputs, std::span<const Tensor> seeds,
                                             std::span<const Edge> targets, bool create_graph) {
  std::vector<Edge> roots;
  for (const Tensor& output : outputs) roots.push_back(place_of(output));
  detail::Pass pass(create_graph, create_graph);
  pass.aim_at(outputs, targets, true);
  for (std::size_t i = 0; i < outputs.size(); ++i) pass.seed(outputs[i], seeds[i]);
  pass.run();
  std::vector<Tensor> gradients;
  for (const Edge& target : targets) gradients.push_back(pass.take(target));
  return gradients;
}

}  // namespace xgrad
