#pragma once
// Modules some of whose tensors are computed from others: norms of weights, adapters.

#include <functional>
#include <map>

#include "module.hpp"
#include "name_patterns.hpp"

namespace xgrad::nn {

/// How a tensor of a module is computed. One of one's own is a struct of two functions.
struct Parametrization {
  /// The tensors that this one is computed from, by name, so that it begins with the value `weight`. Those that require
  /// a gradient are trained, others are kept as buffers.
  std::function<std::map<std::string, Tensor>(const Tensor& weight)> start;
  /// The tensor. `original` is what it was; `own` may be changed, where `training` is true, as statistics are.
  std::function<Tensor(const Tensor& original, std::map<std::string, Tensor>& own, bool training)> value;
};

/// weight = g v / |v|, with a norm for each index of `axis`: `original0` is g, `original1` is v. Salimans and Kingma,
/// https://arxiv.org/abs/1602.07868, as torch.nn.utils.parametrizations.weight_norm.
Parametrization weight_norm(std::int64_t axis = 0);
/// weight / s, with s the largest singular value of the weight as a matrix (rows, all the rest), estimated by
/// `n_power_iterations` steps in each call in training: `original`; `_u` and `_v` are the estimates of the singular
/// vectors. Miyato et al., https://arxiv.org/abs/1802.05957, as torch.nn.utils.parametrizations.spectral_norm.
Parametrization spectral_norm(std::int64_t n_power_iterations = 1, double eps = 1e-12);
/// A matrix with orthonormal rows or columns, whichever are fewer; of more axes the matrix (rows, all the rest). It is
/// exp(A) Q, with A = L - L^T of the strictly lower triangle L of `original`, which begins as 0, and `base`, Q: the
/// orthogonal factor of what the weight was. As torch.nn.utils.parametrizations.orthogonal with matrix_exp.
Parametrization orthogonal();

struct LoRAOptions {
  std::int64_t rank = 8;
  double alpha = 8;
};
/// weight + alpha / rank B A, with A (rank, columns), uniform at the beginning, and B (rows, rank), which begins as 0:
/// `lora_A` and `lora_B`. The weight itself is frozen; of more than 2 axes the matrix (rows, all the rest). Hu et al.,
/// https://arxiv.org/abs/2106.09685.
Parametrization lora(const LoRAOptions& options = {});

namespace detail {

struct ParametrizedTensor {
  std::string name;
  Parametrization how;
};
using OwnTensors = std::map<std::string, std::map<std::string, Tensor>>;  // by the name of what they are for

std::vector<std::string> parametrize(const Tree& tree, std::string_view pattern, const Parametrization& how,
                                     std::vector<ParametrizedTensor>& tensors, OwnTensors& own);
std::vector<std::string> unparametrize(const Tree& tree, std::string_view pattern,
                                       std::vector<ParametrizedTensor>& tensors, OwnTensors& own);

/// While it lives, the tensors of a module have their computed values; then they are again what they were.
class ParametrizedCall {
 public:
  ParametrizedCall(const Tree& tree, const std::vector<ParametrizedTensor>& tensors, OwnTensors& own, bool training);
  ParametrizedCall(const ParametrizedCall&) = delete;
  ParametrizedCall& operator=(const ParametrizedCall&) = delete;
  ~ParametrizedCall();

 private:
  std::vector<std::pair<Tensor*, Tensor>> before_;
};

}  // namespace detail

/// A module of any type, some of whose tensors are computed anew in each call. Its parameters are those of the module,
/// under `module.`, with what was parametrised frozen, and what that is computed from, under
/// `parametrizations.NAME.`. Make the optimizer afterwards.
///
///     nn::Parametrized net{Net{}};
///     net.parametrize("*.weight", nn::lora({.rank = 4}));  // all weights of the module with such names
///     optim::Adam adam(net, {.lr = 1e-3});                 // trains the adapters, and biases that are not frozen
///     ...
///     net.remove("*");                                     // the module as it is now, without adapters
///
/// A call changes the module for as long as it lasts: one thread at a time.
template <Module M>
class Parametrized {
 public:
  explicit Parametrized(M inner) : module(std::move(inner)) {}

  /// Parametrises all parameters with matching names (see nn::matches), and returns these. Throws Error, with nothing
  /// changed, where no name matches, where a tensor is parametrised already, or does not fit.
  std::vector<std::string> parametrize(std::string_view pattern, const Parametrization& how) {
    return detail::parametrize(detail::tree_of(module), pattern, how, tensors_, own_);
  }
  /// Makes those with matching names parameters again, of the value that they have. Returns the names; throws Error
  /// where there are none.
  std::vector<std::string> remove(std::string_view pattern) {
    return detail::unparametrize(detail::tree_of(module), pattern, tensors_, own_);
  }

  template <class... Args>
  auto operator()(Args&&... args) -> decltype(std::declval<M&>()(std::forward<Args>(args)...)) {
    const detail::ParametrizedCall call(detail::tree_of(module), tensors_, own_, training);
    return module(std::forward<Args>(args)...);
  }

  auto fields() { return xgrad::fields("module", module, "parametrizations", own_, "training", training); }

  M module;
  bool training = true;

 private:
  std::vector<detail::ParametrizedTensor> tensors_;
  detail::OwnTensors own_;
};

}  // namespace xgrad::nn
