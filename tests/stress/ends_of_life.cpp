// Training in the destructors of static and thread_local objects, when those of the library may be gone.
#include <xgrad/xgrad.hpp>

#include <cstdio>
#include <filesystem>
#include <thread>

using namespace xgrad;

namespace {

struct Doubled {  // without a name of its own
  Tensor forward(const Tensor& x) { return x * 2.0; }
  Tensor backward(const Tensor& gradient) const { return gradient * 2.0; }
};

void train_once(const Tensor& w) {
  const AnomalyMode anomaly;
  optim::Adam adam({w});
  for (int step = 0; step < 3; ++step) {
    adam.zero_grad();
    Tensor h = matmul(randn({200, 64}), w);  // transposed factors in backward, more than one thread
    h = checkpoint([](const Tensor& t) { return dropout(apply(Doubled{}, tanh(t)), 0.5); }, h);
    h.retain_grad();
    const auto hook = h.register_hook([](const Tensor& gradient) { return gradient * 0.5; });
    const Tensor loss = mean(square(h)) + sum(select(w, 0, 1)) + sum(unbind(w)[2]);
    loss.backward({}, {.create_graph = step == 1});
    if (!w.grad().defined()) std::abort();
    adam.step();
    sum(grad([](const Tensor& t) { return sum(t * t * t); }, w.detach())).item();
  }
  try {
    matmul(w, ones({3, 3}));
    std::abort();
  } catch (const Error&) {
  }
}

struct Last {
  Tensor w;
  ~Last() {
    if (!w.defined()) return;
    train_once(w);
    std::thread([this] { train_once(w.detach().requires_grad_()); }).join();
    const std::string path = std::filesystem::temp_directory_path() / "xgrad-ends-of-life.json";
    {
      Profile profile(path);
      train_once(w);
      profile.finish();
    }
    std::filesystem::remove(path);
    memory_stats();
    release_cached_memory();
  }
};

Last first_static;  // before anything of the library was used
thread_local Last of_thread;

}  // namespace

int main() {
  first_static.w = full({64, 64}, 0.1, {.requires_grad = true});
  of_thread.w = full({64, 64}, 0.1, {.requires_grad = true});
  static Last last_static;
  last_static.w = full({64, 64}, 0.1, {.requires_grad = true});
  for (int i = 0; i < 5; ++i)
    std::thread([] {
      of_thread.w = full({64, 64}, 0.1, {.requires_grad = true});
      train_once(of_thread.w);
    }).join();
  train_once(last_static.w);
  std::puts("main ends");
}
