#include "quantize.hpp"

#include "../ops/quantized_linear.hpp"

namespace xgrad::nn::detail {

namespace {

/// Gives the number of layers that became bytes.
std::int64_t quantize_layers(const Tree& tree) {
  std::int64_t count = 0;
  if (tree.linear && is_floating(tree.linear->weight.dtype())) {
    const auto [values, scales] = xgrad::detail::quantize_rows("quantize", tree.linear->weight);
    tree.linear->weight = values;
    tree.linear->weight_scale = scales;
    ++count;
  }
  for (const Tree& child : tree.children) count += quantize_layers(child);
  return count;
}

}  // namespace

void quantize(const Tree& tree) {
  xgrad::detail::with_memory_for("quantize", [&] {
    check(quantize_layers(tree) > 0, "quantize: ", tree.type, " has no Linear layer with a floating weight");
  });
}

}  // namespace xgrad::nn::detail
