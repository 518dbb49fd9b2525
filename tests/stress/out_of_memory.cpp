// Each allocation of a training step fails once, those of containers too: an Error, no gradient changed, nothing left
// behind, and the step that succeeds gives what it gives without failures.
#include <xgrad/xgrad.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

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
  int failures = 0;
  for (bool done = false; !done; ++failures) {
    until_failure = failures + 1;
    try {
      step();
      done = true;
    } catch (const Error&) {
      until_failure = 0;
      twice[0] = twice[1] = Tensor();
      if (w.grad().defined()) return std::puts("a gradient changed"), 1;
      if (live_nodes() != nodes) return std::puts("nodes are left"), 1;
      if (memory_stats().live_blocks != blocks) return std::puts("memory is left"), 1;
    } catch (const std::exception& error) {
      until_failure = 0;
      return std::printf("allocation %d: %s\n", failures + 1, error.what()), 1;
    }
    until_failure = 0;
  }
  std::printf("%d failures\n", failures - 1);
  return all(w.grad() == right).item<bool>() && failures > 10 ? 0 : 1;
}
