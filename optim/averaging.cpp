#include "averaging.hpp"

#include <algorithm>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"

namespace xgrad::optim::detail {

namespace {

void expect_same_names(const NamedTensors& average, const NamedTensors& now) {
  check(average.size() == now.size(), "update: the average has ", average.size(), " tensors, the model ", now.size());
  for (std::size_t i = 0; i < now.size(); ++i)
    check(average[i].first == now[i].first && average[i].second.shape() == now[i].second.shape() &&
              average[i].second.dtype() == now[i].second.dtype(),
          "update: the average has ", average[i].first, " of shape ", average[i].second.shape(), " and dtype ",
          average[i].second.dtype(), " where the model has ", now[i].first, " of shape ", now[i].second.shape(),
          " and dtype ", now[i].second.dtype());
}

void move_towards(Tensor& average, const Tensor& now, double part) {
  using namespace xgrad::detail;
  const Array numbers = as_dtype(average, compute_dtype(average.dtype())),
              towards = laid_like(as_dtype(now, numbers.dtype), numbers);
  dispatch_floating("update", numbers.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* const a = first_element<T>(numbers);
    const T* const b = first_element<T>(towards);
    const T weight = static_cast<T>(part);
    parallel_for(average.numel(), 8192, [=](std::int64_t begin, std::int64_t end) {
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = begin; i < end; ++i) a[i] += weight * (b[i] - a[i]);
      });
    });
  });
  if (numbers.dtype != average.dtype()) overwrite(average, numbers);
}

/// Calls f(module) for each that has running statistics and a momentum.
template <class F>
void for_each_norm(const nn::detail::Tree& tree, const F& f) {
  const auto has = [&](std::string_view name) {
    return std::any_of(tree.tensors.begin(), tree.tensors.end(), [&](const auto& entry) { return entry.name == name; });
  };
  if (tree.momentum && has("running_mean") && has("running_var")) f(tree);
  for (const nn::detail::Tree& child : tree.children) for_each_norm(child, f);
}

}  // namespace

void update_average(const nn::detail::Tree& average, const nn::detail::Tree& now, double part) {
  NamedTensors parameters = nn::detail::named_parameters(average), buffers = nn::detail::named_buffers(average);
  const NamedTensors new_parameters = nn::detail::named_parameters(now), new_buffers = nn::detail::named_buffers(now);
  expect_same_names(parameters, new_parameters);
  expect_same_names(buffers, new_buffers);
  const NoGrad no_grad;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (part == 1)
      parameters[i].second.copy_(new_parameters[i].second);
    else
      move_towards(parameters[i].second, new_parameters[i].second, part);
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].second.copy_(new_buffers[i].second);
}

RenewedStatistics::RenewedStatistics(const nn::detail::Tree& tree) {
  for_each_norm(tree, [&](const nn::detail::Tree& norm) {
    for (const nn::detail::TreeTensor& entry : norm.tensors) {
      if (entry.is_parameter) continue;
      entry.tensor->fill_(entry.name == "running_var" ? 1 : 0);
    }
    momenta_.emplace_back(norm.momentum, std::exchange(*norm.momentum, std::nullopt));
  });
}

RenewedStatistics::~RenewedStatistics() {
  for (const auto& [momentum, before] : momenta_) *momentum = before;
}

}  // namespace xgrad::optim::detail
