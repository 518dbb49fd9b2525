// Programs that must not compile, and must say why in the first error.
#include <functional>
#include <map>
#include <memory>

#include <xgrad/autograd/anomaly.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/nn/module.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/reduce.hpp>

using namespace xgrad;

namespace {

struct Twice {
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return input * 2.0;
  }
  Tensor backward(const Tensor& grad) const { return grad * 2.0; }
};

struct NoForward {
  Tensor backward(const Tensor& grad) const { return grad; }
};
struct MisspeltForward {
  Tensor foward(const Tensor& x) { return x; }
  Tensor backward(const Tensor& grad) const { return grad; }
};
class PrivateForward {
  Tensor forward(const Tensor& x) { return x; }

 public:
  Tensor backward(const Tensor& grad) const { return grad; }
};
struct GivesNumber {
  double forward(const Tensor& x) { return x.item(); }
  Tensor backward(const Tensor& grad) const { return grad; }
};
struct NoBackward {
  Tensor forward(const Tensor& x) { return x; }
};
struct BackwardOfNumber {
  Tensor forward(const Tensor& x) { return x; }
  Tensor backward(double factor) const { return full({}, factor); }
};
struct BackwardGivesNothing {
  Tensor forward(const Tensor& x) { return x; }
  void backward(const Tensor&) const {}
};
struct OneGradientForTwo {
  Tensor forward(const Tensor& x, const Tensor&) { return x; }
  Tensor backward(const Tensor& grad) const { return grad; }
};
struct ThreeGradientsForTwo {
  Tensor forward(const Tensor& x, const Tensor&) { return x; }
  std::array<Tensor, 3> backward(const Tensor& grad) const { return {grad, grad, grad}; }
};

template <class Member>
struct Keeps {
  Member member = {};
  Tensor forward(const Tensor& x) { return x; }
  Tensor backward(const Tensor& grad) const { return grad; }
};
struct Inner {
  int count = 0;
  Tensor mask = {};
};

struct Part {
  Tensor weight;
};
template <class Field>
struct Model {
  Field field = {};
  Part own;
};

}  // namespace

int main() {
  const Tensor x = ones({3});
#if MISUSE == 0
  apply(Twice{}, x);
  apply(Keeps<std::vector<Saved>>{}, x);
  apply(Keeps<std::function<double(double)>>{}, x);
  elementwise("scale", [s = 2.0](auto v) { return s * v; })(x);
  x.data<float>();
  sum(x).item<int>();
#elif MISUSE == 1
  apply(OneGradientForTwo{}, x, x);
#elif MISUSE == 2
  apply(BackwardOfNumber{}, x);
#elif MISUSE == 3
  apply(Twice{}, x, x);
#elif MISUSE == 4
  apply(NoForward{}, x);
#elif MISUSE == 5
  apply(MisspeltForward{}, x);
#elif MISUSE == 6
  apply(PrivateForward{}, x);
#elif MISUSE == 7
  apply(GivesNumber{}, x);
#elif MISUSE == 8
  const Tensor y = apply(NoBackward{}, x);
#elif MISUSE == 9
  apply(BackwardGivesNothing{}, x);
#elif MISUSE == 10
  apply(ThreeGradientsForTwo{}, x, x);
#elif MISUSE == 11
  apply(Twice{}, 3.0);
#elif MISUSE == 12
  apply(Keeps<Tensor>{}, x);
#elif MISUSE == 13
  apply(Keeps<std::vector<Tensor>>{}, x);
#elif MISUSE == 14
  apply(Keeps<std::optional<Tensor>>{}, x);
#elif MISUSE == 15
  apply(Keeps<std::shared_ptr<Tensor>>{}, x);
#elif MISUSE == 16
  apply(Keeps<Inner>{}, x);
#elif MISUSE == 17
  apply(Keeps<std::map<std::string, std::pair<int, Tensor>>>{}, x);
#elif MISUSE == 18
  elementwise("scale", [x](auto v) { return v * x; })(x);
#elif MISUSE == 19
  elementwise("scale", [&x](auto v) { return v * x; })(x);
#elif MISUSE == 20
  elementwise("scale", [&x](auto v) { return 1.0 - x / v; })(x);
#elif MISUSE == 21
  elementwise("constant", [] { return 1.0; })(x);
#elif MISUSE == 22
  x.data<char>();
#elif MISUSE == 23
  x.item<std::string>();
#elif MISUSE == 24
  const std::vector<unsigned> values = {1, 2, 3};
  from_values<unsigned>(values, {3});
#elif MISUSE == 25
  NoGrad();
#elif MISUSE == 26
  EnableGrad();
#elif MISUSE == 27
  GradMode(false);
#elif MISUSE == 28
  AnomalyMode();
#elif MISUSE == 29
  Profile("trace.json");
#elif MISUSE == 30
  nn::parameters(Model<Part*>());
#elif MISUSE == 31
  nn::parameters(Model<std::vector<const nn::Linear*>>());
#elif MISUSE == 32
  nn::parameters(Model<std::map<std::string, Tensor*>>());
#endif
}
