// Run with XGRAD_SIMD set to what is no level: each operation, in one thread or several, throws the Error that says so.
#include <xgrad/xgrad.hpp>

#include <cstdio>
#include <functional>
#include <string>

using namespace xgrad;

int main() {
  set_num_threads(2);
  const std::pair<const char*, std::function<void()>> cases[] = {{"small elementwise", [] { exp(ones({4})); }},
                                                                 {"elementwise", [] { exp(ones({1000000})); }},
                                                                 {"arithmetic", [] { ones({1000000}) + 1.0; }},
                                                                 {"reduction", [] { sum(ones({1000000})); }},
                                                                 {"matrix product",
                                                                  [] {
                                                                    matmul(ones({300, 300}), ones({300, 300}));
                                                                  }},
                                                                 {"softmax",
                                                                  [] {
                                                                    softmax(ones({1000, 1000}), 1);
                                                                  }},
                                                                 {"copy",
                                                                  [] {
                                                                    transpose(ones({2000, 2000}), 0, 1).contiguous();
                                                                  }},
                                                                 {"batch norm",
                                                                  [] {
                                                                    nn::BatchNorm1d(100)(ones({1000, 100}));
                                                                  }},
                                                                 {"random numbers", [] { randn({1000000}); }},
                                                                 {"optimizer", [] {
                                                                    Tensor x = ones({1000000}, {.requires_grad = true});
                                                                    optim::Adam adam({x});
                                                                    x.set_grad(ones({1000000}));
                                                                    adam.step();
                                                                  }}};
  int wrong = 0;
  for (const auto& [name, run] : cases)
    for (int time = 0; time < 2; ++time) {
      try {
        run();
        std::printf("%s: no Error\n", name), ++wrong;
      } catch (const Error& error) {
        const bool says =
            std::string(error.what()).find("XGRAD_SIMD: expected baseline, avx2, avx512 or amx, got") == 0;
        if (!says) std::printf("%s: %s\n", name, error.what()), ++wrong;
      }
    }
  return wrong;
}
