// Graphs of extreme depth and width, built, differentiated and freed under a small stack (ctest runs this under
// `ulimit -s 256`). Nothing may be left behind and, at full depth, time must grow linearly.
#include <xgrad/xgrad.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>

using namespace xgrad;

namespace {

void expect(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "deep_graph: %s\n", what);
  std::exit(1);
}

double chain(std::int64_t depth) {
  const std::clock_t start = std::clock();  // processor time: other programs do not count
  Tensor x = full({1}, 1, {.dtype = float64, .requires_grad = true});
  {
    Tensor y = x;
    for (std::int64_t i = 0; i < depth; ++i) y = y * 1.0;
    y.backward();
  }
  expect(x.grad().item<double>() == 1, "the gradient through a chain is wrong");
  {
    Tensor y = x;  // freed without a backward pass
    for (std::int64_t i = 0; i < depth; ++i) y = y * 1.0;
  }
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

struct Same {
  Saved y = {};
  Tensor forward(const Tensor& x) {
    y = x;
    return x.clone();
  }
  Tensor backward(const Tensor& grad) const { return grad * y.get(); }
};

// Checkpoints, operations of one's own, changes in place and hooks, one after the other.
void mixed_chain(std::int64_t depth) {
  Tensor x = full({1}, 1, {.dtype = float64, .requires_grad = true});
  Tensor y = x;
  std::vector<HookHandle> hooks;
  for (std::int64_t i = 0; i < depth; ++i) {
    y = checkpoint([](const Tensor& t) { return t * 1.0; }, y);
    y = apply(Same{}, y);
    hooks.push_back(y.register_hook([](const Tensor&) { return Tensor(); }));
    y.add_(0);
  }
  y.backward();
  expect(x.grad().item<double>() == 1, "the gradient through a mixed chain is wrong");
  expect(to_dot(y).size() > static_cast<std::size_t>(depth), "a deep graph has no picture");
}

void fan_in(std::int64_t width) {
  Tensor x = full({1}, 1, {.dtype = float64, .requires_grad = true});
  std::vector<Tensor> terms;
  for (std::int64_t i = 0; i < width; ++i) terms.push_back(x * 2.0);
  sum(concat(terms, 0)).backward();
  expect(x.grad().item<double>() == 2 * static_cast<double>(width), "the gradient of a wide sum is wrong");
}

void diamond(int levels) {  // 2^levels paths, 2 * levels nodes
  Tensor x = full({1}, 1, {.dtype = float64, .requires_grad = true});
  Tensor y = x;
  for (int i = 0; i < levels; ++i) y = 0.5 * y + 0.5 * y;
  y.backward();
  expect(x.grad().item<double>() == 1, "the gradient through a diamond is wrong");
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t depth = argc > 1 ? std::atoll(argv[1]) : 1000000;
  chain(depth / 10);
  const auto before = memory_stats();
  const double whole = chain(depth);
  double parts = 0;  // as many operations, in a hundred chains
  for (int i = 0; i < 100; ++i) parts += chain(depth / 100);
  std::printf("chain of %lld operations: %.2f s; as many in a hundred chains: %.2f s\n", static_cast<long long>(depth),
              whole, parts);
  expect(depth < 1000000 || whole <= 10 * parts, "time grows faster than the chain");
  mixed_chain(depth / 10);
  fan_in(depth);
  diamond(40);
  expect(memory_stats().live_blocks == before.live_blocks, "memory is left behind");
}
