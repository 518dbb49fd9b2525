// Each allocation of a training step fails once, those of containers too: an Error, no gradient changed, nothing left
// behind, and the step that succeeds gives what it gives without failures. And each allocation of the operations that
// need containers beside the graph's.
#include <xgrad/xgrad.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <utility>

using namespace xgrad;

namespace {

constinit std::atomic<long> until_failure{0};

void* allocate_or_fail(std::size_t bytes) {
  long left = until_failure.load();
  while (left != 0 && !until_failure.compare_exchange_weak(left, left - 1)) {
  }
  void* const memory = left == 1 ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (!memory) throw std::bad_alloc();
  return memory;
}

/// Calls f again and again, with the next allocation failing each time, until it succeeds: how often it failed, or -1
/// if it threw anything but Error. `after` sees to it that a failure left nothing behind.
template <class F, class After>
int failures_of(const F& f, const After& after) {
  for (int failures = 0;; ++failures) {
    until_failure = failures + 1;
    try {
      f();
      until_failure = 0;
      return failures;
    } catch (const Error&) {
      until_failure = 0;
      if (!after()) return -1;
    } catch (const std::exception& error) {
      until_failure = 0;
      return std::printf("allocation %d: %s\n", failures + 1, error.what()), -1;
    }
  }
}

/// Whether each of these fails with Error alone.
bool operations_fail_well() {
  const Tensor matrix = randn({6, 6}), images = randn({2, 3, 8, 8});
  const Tensor definite = eye(6) + matmul(matrix, transpose(matrix, 0, 1));
  const std::vector<Tensor> matrices{matrix, matrix, matrix};
  const std::vector<std::int64_t> sizes{2, 4};
  const std::pair<const char*, std::function<void()>> calls[] = {
      {"stack", [&] { stack(matrices); }},
      {"concat", [&] { concat(matrices); }},
      {"einsum", [&] { einsum("ij,jk,kl->il", matrices); }},
      {"tensordot", [&] { tensordot(matrix, matrix, 1); }},
      {"split", [&] { split(matrix, sizes); }},
      {"unbind", [&] { unbind(matrix); }},
      {"prod", [&] { prod(matrix); }},
      {"pad",
       [&] {
         pad(images, {1, 1});
       }},
      {"conv2d", [&] { conv2d(images, images); }},
      {"max_pool2d",
       [&] {
         max_pool2d(images, {2, 2});
       }},
      {"avg_pool2d",
       [&] {
         avg_pool2d(images, {2, 2});
       }},
      {"adaptive_avg_pool2d",
       [&] {
         adaptive_avg_pool2d(images, {3, 3});
       }},
      {"adaptive_max_pool2d",
       [&] {
         adaptive_max_pool2d(images, {3, 3});
       }},
      {"cdist", [&] { cdist(matrix, matrix); }},
      {"multi_dot", [&] { linalg::multi_dot(matrices); }},
      {"cross",
       [&] {
         linalg::cross(randn({2, 3}), randn({2, 3}));
       }},
      {"slogdet", [&] { linalg::slogdet(matrix); }},
      {"cholesky", [&] { linalg::cholesky(definite); }},
      {"solve", [&] { linalg::solve(definite, matrix); }},
      {"lu", [&] { linalg::lu(matrix); }},
      {"qr", [&] { linalg::qr(matrix); }},
      {"svd", [&] { linalg::svd(matrix); }},
      {"eigh", [&] { linalg::eigh(definite); }},
      {"eigvals", [&] { linalg::eigvals(matrix); }},
      {"lstsq", [&] { linalg::lstsq(matrix, matrix); }},
      {"pinv", [&] { linalg::pinv(matrix); }},
      {"matrix_exp", [&] { linalg::matrix_exp(matrix); }},
  };
  for (const auto& [name, call] : calls) {
    call();
    if (failures_of(call, [] { return true; }) < 0) return std::printf("in %s\n", name), false;
  }
  return true;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate_or_fail(bytes); }
void* operator new[](std::size_t bytes) { return allocate_or_fail(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

int main() {
  set_num_threads(1);
  manual_seed(1);
  Tensor w = randn({6, 6}, {.requires_grad = true});
  const Tensor x = randn({4, 6});
  const std::vector<Tensor> leaves{w};
  std::vector<Tensor> twice(2);
  const auto step = [&] {
    manual_seed(2);
    Tensor h = checkpoint([&](const Tensor& t) { return dropout(tanh(matmul(t, w)), 0.5); }, x);
    Tensor total = sum(w);
    for (const Tensor& row : unbind(h)) total = total + sum(square(row));
    for (const Tensor& part : split(h, 2, 1)) {
      twice[0] = twice[1] = part;
      total = total + sum(concat(twice));
    }
    twice[0] = twice[1] = Tensor();
    h = h * 1.0;
    h.retain_grad();
    h.mul_(2.0);
    const auto hook = h.register_hook([](const Tensor&) { return Tensor(); });
    const Tensor first = grad(total + sum(h * h), leaves, {.create_graph = true})[0];
    (sum(square(first)) + total).backward({}, {.retain_graph = true});
  };
  step();
  const Tensor right = w.grad().clone();
  w.zero_grad();
  const auto nodes = live_nodes();
  const auto blocks = memory_stats().live_blocks;
  const int failures = failures_of(step, [&] {
    twice[0] = twice[1] = Tensor();
    if (w.grad().defined()) return std::puts("a gradient changed"), false;
    if (live_nodes() != nodes) return std::puts("nodes are left"), false;
    if (memory_stats().live_blocks != blocks) return std::puts("memory is left"), false;
    return true;
  });
  std::printf("%d failures\n", failures);
  return failures > 10 && all(w.grad() == right).item<bool>() && operations_fail_well() ? 0 : 1;
}
