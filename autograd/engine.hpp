#pragma once
// Reverse-mode traversal of the graph.

#include <concepts>
#include <span>
#include <vector>

#include "node.hpp"

namespace xgrad {

struct GradOptions {
  bool retain_graph = false;
  bool create_graph = false;              // record the pass, so that the gradients have gradients; implies retain_graph
  bool allow_unused = false;              // an undefined gradient, not an Error, for an input that no output depends on
  std::vector<Tensor> grad_outputs = {};  // gradient of each output; an undefined one, or none at all, is 1
};

/// Gradients of the sum of the outputs, weighted by grad_outputs, with respect to each input, in the order of the
/// inputs. Nothing is accumulated in any leaf; only what lies between inputs and outputs is computed. Throws Error for
/// an output of several elements without its grad_output, and for an unused input.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options = {});
std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options = {});

namespace detail {

Tensor gradient_of(const Tensor& output, const Tensor& input, const GradOptions& options);

/// Gradients of the outputs, weighted by `seeds`, with respect to the targets, which are taken as independent: the part
/// of the graph between outputs and targets is run alone, without the targets' hooks. Undefined where none arrived.
std::vector<Tensor> gradients_within(std::span<const Tensor> outputs, std::span<const Tensor> seeds,
                                     std::span<const Edge> targets, bool create_graph);

}  // namespace detail

/// The gradient with respect to one input: `Tensor g = grad(loss, x);`
template <std::same_as<Tensor> Input>  // a template, so that {x} is a list of one
Tensor grad(const Tensor& output, const Input& input, const GradOptions& options = {}) {
  return detail::gradient_of(output, input, options);
}

}  // namespace xgrad
