// Programs that must not compile, and must say why: an operation is a struct that keeps its contract, a module owns its
// parts.
#include <xgrad/autograd/apply.hpp>
#include <xgrad/nn/linear.hpp>

#include <map>

using namespace xgrad;

struct Op {
  Tensor forward(const Tensor& x, const Tensor&) { return x; }
#if MISUSE == 1  // one gradient for two inputs
  Tensor backward(const Tensor& grad) const { return grad; }
#elif MISUSE == 2  // backward takes something else
  std::array<Tensor, 2> backward(double factor) const { return {}; }
#else
  std::array<Tensor, 2> backward(const Tensor& grad) const { return {grad, grad}; }
#endif
};

struct Part {
  Tensor weight;
};
struct Model {
#if MISUSE == 4
  Part* part = nullptr;
#elif MISUSE == 5
  std::vector<const nn::Linear*> layers;
#elif MISUSE == 6
  std::map<std::string, Tensor*> tensors;
#endif
  Part own;
};

int main() {
  nn::parameters(Model());
  Tensor x;
#if MISUSE == 3  // one input for a forward of two
  apply(Op{}, x);
#else
  apply(Op{}, x, x);
#endif
}
