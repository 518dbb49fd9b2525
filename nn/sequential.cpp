#include "sequential.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "../array/random.hpp"
#include "module_error.hpp"

namespace xgrad::nn::detail {

namespace {

struct DrawnTensor {
  Tensor* tensor;
  std::size_t layer;
};

void collect(const Tree& tree, std::size_t layer, std::unordered_map<const void*, DrawnTensor>& tensors) {
  for (const TreeTensor& entry : tree.tensors)
    if (entry.tensor->numel() > 0) tensors.emplace(entry.tensor->impl().data, DrawnTensor{entry.tensor, layer});
  for (const Tree& child : tree.children) collect(child, layer, tensors);
}

// Whether the draw filled this tensor, which nothing else holds.
bool filled(const xgrad::detail::Draw& draw, Tensor& tensor) {
  return tensor.impl().unique() && tensor.impl().storage->unique() && tensor.is_contiguous() &&
         tensor.numel() == draw.n && tensor.dtype() == (draw.is_double ? float64 : float32);
}

}  // namespace

void add_fields(Tree& tree, AnyModule& module, Walk& walk) {
  tree.type = module.held().type();
  tree.layer = &module;
  module.held().add_fields(tree, walk);
}

void rethrow_from_layer(const AnyModule& layer, std::size_t index, const Error& error) {
  Tree tree;
  try {
    tree = tree_of(layer);
  } catch (const Error&) {  // it has no parameters by which to find where
  }
  rethrow_from(tree, std::to_string(index), error);
}

void draw_in_order(std::span<AnyModule> layers, std::span<const bool> handed_over) {
  const auto draws = xgrad::detail::last_draws();
  if (draws.size() < 2) return;
  std::unordered_map<const void*, DrawnTensor> tensors;
  try {
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (handed_over[i]) collect(tree_of(layers[i]), i, tensors);
  } catch (const Error&) {  // one has no parameters; whoever asks for them is told
    return;
  }

  std::unordered_set<const void*> seen;  // of a tensor that was filled twice, the latest counts
  std::vector<xgrad::detail::Draw> drawn;
  for (auto draw = draws.rbegin(); draw != draws.rend(); ++draw) {
    const auto found = tensors.find(draw->out);
    if (found == tensors.end() || !filled(*draw, *found->second.tensor)) break;
    if (seen.insert(draw->out).second && !xgrad::detail::holds(*draw)) break;
    drawn.push_back(*draw);
  }
  std::reverse(drawn.begin(), drawn.end());
  const auto earlier = [&](const xgrad::detail::Draw& x, const xgrad::detail::Draw& y) {
    return tensors.at(x.out).layer < tensors.at(y.out).layer;
  };
  if (std::is_sorted(drawn.begin(), drawn.end(), earlier)) return;
  std::stable_sort(drawn.begin(), drawn.end(), earlier);
  xgrad::detail::draw_again(drawn);
  for (const void* out : seen)
    if (const auto found = tensors.find(out); found != tensors.end())
      found->second.tensor->impl().storage->raise_version("Sequential");
}

}  // namespace xgrad::nn::detail
