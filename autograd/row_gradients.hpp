#pragma once
// Gradients that go from an operation to a leaf as rows, past the tensors that backward passes on.

#include <list>
#include <vector>

#include "node.hpp"
#include "sparse_rows.hpp"

namespace xgrad::detail {

/// What a backward pass has collected of rows, by leaf.
struct RowGradients {
  struct OfLeaf {
    LeafNode* leaf;
    std::list<SparseRows> parts;  // in the order in which they came
  };
  std::vector<OfLeaf> leaves;
};

/// While it lives, operations whose backward runs in this thread may give rows; none may where `rows` is null.
class RowGradientScope {
 public:
  [[nodiscard]] explicit RowGradientScope(RowGradients* rows);
  ~RowGradientScope();
  RowGradientScope(const RowGradientScope&) = delete;
  RowGradientScope& operator=(const RowGradientScope&) = delete;

 private:
  RowGradients* before_;
};

/// Whether the operation whose backward runs may give the gradient of this input as rows: the input is a leaf without
/// hooks, and the pass neither is recorded nor has other targets than leaves.
bool takes_rows(std::size_t input);
/// Gives it; backward then returns an undefined gradient for the input. The values belong to no one else.
void give_rows(std::size_t input, SparseRows rows);

/// Adds the rows to a dense tensor of the same dtype, float32 or float64, with two axes in any order. Cannot fail.
void add_rows_in_place(const Tensor& sum, const std::list<SparseRows>& parts);

}  // namespace xgrad::detail
