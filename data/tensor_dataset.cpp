#include "tensor_dataset.hpp"

#include <cstring>

namespace xgrad::data {

namespace {

// The rows of a row-major tensor, one after the other.
Tensor gather_rows(const Tensor& from, std::span<const std::int64_t> rows) {
  Shape shape = from.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  Tensor out = detail::empty(shape, from.dtype());
  if (out.numel() == 0) return out;
  const std::size_t bytes = static_cast<std::size_t>(from.numel() / from.size(0)) * item_size(from.dtype());
  std::byte* to = out.impl().data;
  for (const std::int64_t row : rows) {
    std::memcpy(to, from.impl().data + static_cast<std::size_t>(row) * bytes, bytes);
    to += bytes;
  }
  return out;
}

}  // namespace

TensorDataset::TensorDataset(const Tensor& inputs, const Tensor& targets)
    : inputs_(inputs.detach().contiguous()), targets_(targets.detach().contiguous()) {
  check(inputs.dim() > 0 && targets.dim() > 0 && inputs.size(0) == targets.size(0), "TensorDataset: inputs ",
        inputs.shape(), " and targets ", targets.shape(), " differ in the number of samples, their first axis");
}

Batch TensorDataset::batch(std::span<const std::int64_t> indices) const {
  check_indices("TensorDataset", indices, size());
  return {gather_rows(inputs_, indices), gather_rows(targets_, indices)};
}

std::shared_ptr<const Dataset> TensorDataset::share() const { return std::make_shared<TensorDataset>(*this); }

}  // namespace xgrad::data
