#include "row_gradients.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "../kernels/bags.hpp"
#include "anomaly.hpp"
#include "create.hpp"

namespace xgrad {

namespace detail {

namespace {

constinit thread_local RowGradients* row_gradients = nullptr;

bool has_hooks(const Node& node) {
  Node::Extras* extras = node.extras_if_any();
  if (!extras) return false;
  const std::lock_guard lock(extras->mutex);
  return std::any_of(extras->hooks.begin(), extras->hooks.end(),
                     [](const auto& hook) { return !hook.call.expired(); }) ||
         std::any_of(extras->after_accumulation.begin(), extras->after_accumulation.end(),
                     [](const auto& hook) { return !hook.expired(); });
}

/// All parts as one.
SparseRows merged(const std::list<SparseRows>& parts) {
  const Tensor& first = parts.front().values;
  const std::int64_t columns = first.size(1);
  std::int64_t count = 0;
  for (const SparseRows& part : parts) count += part.indices.numel();
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(count));
  const Tensor values = empty({count, columns}, first.dtype());
  std::byte* to = values.impl().data;
  for (const SparseRows& part : parts) {
    const auto indices = part.indices.span<const std::int64_t>();
    rows.insert(rows.end(), indices.begin(), indices.end());
    const std::byte* const from = part.values.impl().data;
    to = std::copy(from, from + part.values.numel() * static_cast<std::int64_t>(item_size(first.dtype())), to);
  }
  const Bags entries{rows.data(), nullptr, count, count, columns};
  const RowGroups groups = group_by_row(entries);
  const auto used = static_cast<std::int64_t>(groups.rows.size());
  SparseRows all{tensor(groups.rows), empty({used, columns}, first.dtype())};
  dispatch_floating("sparse_grad", first.dtype(), [&](auto zero) {
    using T = decltype(zero);
    sum_groups<T>(entries, groups, values.data<T>(), nullptr, all.values.data<T>());
  });
  return all;
}

}  // namespace

RowGradientScope::RowGradientScope(RowGradients* rows) : before_(std::exchange(row_gradients, rows)) {}
RowGradientScope::~RowGradientScope() { row_gradients = before_; }

bool takes_rows(std::size_t input) {
  if (!row_gradients || !running_node) return false;
  const Node* const target = running_node->edges()[input].node.get();
  return target && target->is_leaf() && !has_hooks(*target);
}

void give_rows(std::size_t input, SparseRows rows) {
  if (anomaly_enabled) expect_finite_gradient(*running_node, input, rows.values);
  auto* const leaf = static_cast<LeafNode*>(running_node->edges()[input].node.get());
  auto& leaves = row_gradients->leaves;
  auto found = std::find_if(leaves.begin(), leaves.end(), [&](const auto& entry) { return entry.leaf == leaf; });
  if (found == leaves.end()) found = leaves.insert(leaves.end(), {leaf, {}});
  found->parts.push_back(std::move(rows));
}

void add_rows_in_place(const Tensor& sum, const std::list<SparseRows>& parts) {
  const TensorImpl& to = sum.impl();
  for (const SparseRows& part : parts)
    dispatch_floating("backward", to.dtype, [&](auto zero) {
      using T = decltype(zero);
      add_rows<T>(part.indices.span<const std::int64_t>(), part.values.size(1), part.values.data<T>(),
                  reinterpret_cast<T*>(to.data), to.strides[0], to.strides[1]);
    });
}

const Tensor& LeafNode::dense_grad() {
  if (!rows.empty()) {
    const Tensor sum = zeros(info_.shape, {.dtype = info_.dtype});
    add_rows_in_place(sum, rows);
    grad = sum;
    rows.clear();
  }
  return grad;
}

}  // namespace detail

std::optional<SparseRows> sparse_grad(const Tensor& leaf) {
  const detail::TensorImpl& self = leaf.impl();
  if (!self.leaf) return {};
  return detail::with_memory_for("sparse_grad", [&]() -> std::optional<SparseRows> {
    auto& place = static_cast<detail::LeafNode&>(*self.leaf);
    const std::lock_guard lock(place.mutex);
    if (place.rows.empty()) return {};
    if (place.rows.size() > 1) {
      std::list<SparseRows> one{detail::merged(place.rows)};
      place.rows.swap(one);
    }
    return place.rows.front();
  });
}

}  // namespace xgrad
