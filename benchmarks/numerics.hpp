#pragma once
// xgrad's side of the workloads `numerics` of benchmarks/compare: linear algebra, sorting, indexing, contractions and
// Fourier transforms, each of them one call without gradients. numerics.py has the same in torch.

#include <xgrad/xgrad.hpp>

#include "worker.hpp"

namespace benchmarks {

namespace numerics {

using namespace xgrad;

inline Tensor numbers(const Shape& shape, std::uint32_t stream) {
  Tensor t = empty(shape);
  fill(t.data<float>(), t.numel(), stream);
  return t;
}

/// Integers from 0 to `end` - 1.
inline Tensor positions(std::int64_t n, std::int64_t end) {
  Tensor t = empty({n}, {.dtype = int64});
  fill_labels(t.data<std::int64_t>(), n, end);
  return t;
}

/// Symmetric, positive definite matrices.
inline Tensor definite(std::int64_t batch, std::int64_t n) {
  const Tensor x = numbers({batch, n, n}, inputs_stream);
  return matmul(x, transpose(x, 1, 2)) / static_cast<double>(n) + eye(n);
}

using Call = std::function<Tensor()>;

inline Call linear_algebra(std::string_view name) {
  const auto of_batch = [&](std::string_view kind, std::int64_t batch, std::int64_t n) -> Call {
    const Tensor a = definite(batch, n), b = numbers({batch, n, 1}, upstream_stream);
    if (kind == "cholesky") return [=] { return linalg::cholesky(a); };
    return [=] { return linalg::solve(a, b); };
  };
  for (const std::string_view kind : {"cholesky", "solve"})
    for (const auto& [sizes, batch, n] :
         {std::tuple("-10000x4", 10000, 4), {"-10000x8", 10000, 8}, {"-10000x16", 10000, 16}, {"-64x128", 64, 128}})
      if (name == std::string(kind) + sizes) return of_batch(kind, batch, n);
  const Tensor x = numbers({256, 256}, inputs_stream), symmetric = x + transpose(x, 0, 1);
  if (name == "svd-256") return [=] { return linalg::svd(x).S; };
  if (name == "eigh-256") return [=] { return linalg::eigh(symmetric).eigenvalues; };
  return {};
}

inline Call of_a_million(std::string_view name) {
  constexpr std::int64_t n = 1'000'000;
  const Tensor x = numbers({n}, inputs_stream), rows = reshape(x, {1000, 1000}), at = positions(n, n);
  if (name == "sort") return [=] { return sort(x).values; };
  if (name == "topk") return [=] { return topk(x, 100).values; };
  if (name == "topk-rows") return [=] { return topk(rows, 10).values; };
  if (name == "median") return [=] { return median(x); };
  if (name == "cumsum") return [=] { return cumsum(x, 0); };
  if (name == "cumsum-rows") return [=] { return cumsum(rows, 1); };
  if (name == "gather") return [=] { return gather(x, 0, at); };
  if (name == "scatter-add") return [=] { return scatter_add(zeros({n}), 0, at, x); };
  return {};
}

inline Call contraction(std::string_view name) {
  const Tensor q = numbers({8, 6, 128, 32}, inputs_stream), k = numbers({8, 6, 128, 32}, upstream_stream),
               scores = numbers({8, 6, 128, 128}, upstream_stream), x = numbers({8, 128, 192}, inputs_stream),
               heads = numbers({192, 6, 32}, upstream_stream);
  if (name == "einsum-scores") return [=] { return einsum("bhqd,bhkd->bhqk", {q, k}); };
  if (name == "einsum-values") return [=] { return einsum("bhqk,bhkd->bqhd", {scores, q}); };
  if (name == "einsum-heads") return [=] { return einsum("btc,chd->bhtd", {x, heads}); };
  return {};
}

inline Call transform(std::string_view name) {
  if (name == "rfft-2^20") return [x = numbers({1 << 20}, inputs_stream)] { return fft::rfft(x); };
  if (name == "rfft2-1000") return [x = numbers({1000, 1000}, inputs_stream)] { return fft::rfft2(x); };
  if (name == "fft2-1000") return [x = numbers({1000, 1000, 2}, inputs_stream)] { return fft::fft2(x); };
  return {};
}

/// `name` without the prefix "num-".
inline Workload make(std::string_view name) {
  for (const auto find : {linear_algebra, of_a_million, contraction, transform}) {
    const Call call = find(name);
    if (!call) continue;
    auto result = std::make_shared<Tensor>();
    return {[=] {
              const NoGrad no_grad;
              *result = call();
            },
            [=] {
              const Tensor y = reshape(result->contiguous(), {-1});
              std::vector<float> values{*y.data<float>()};
              values.insert(values.end(), y.data<float>(), y.data<float>() + y.numel());
              return values;
            }};
  }
  return {};
}

}  // namespace numerics

}  // namespace benchmarks
