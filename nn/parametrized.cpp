#include "parametrized.hpp"

#include <algorithm>
#include <cmath>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/diagonal.hpp"
#include "../ops/joining.hpp"
#include "../ops/linalg/matrix_functions.hpp"
#include "../ops/linalg/qr.hpp"
#include "../ops/math.hpp"
#include "../ops/matmul.hpp"
#include "../ops/norm.hpp"
#include "../ops/reduce.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"
#include "init.hpp"

namespace xgrad::nn {

namespace {

using Own = std::map<std::string, Tensor>;

Tensor trained(const Tensor& value) { return value.detach().clone().requires_grad_(); }

/// A weight as a matrix (rows, all the rest).
Tensor as_matrix(const char* op, const Tensor& weight) {
  check(weight.dim() >= 2, op, ": a weight of at least 2 axes is needed, not shape ", weight.shape());
  check(weight.numel() > 0, op, ": a weight of shape ", weight.shape(), " has no elements");
  return weight.dim() == 2 ? weight : flatten(weight, 1);
}

Tensor unit(const Tensor& vector, double eps) { return vector / clamp(norm(vector), eps); }

}  // namespace

Parametrization weight_norm(std::int64_t axis) {
  const auto norms = [axis](const Tensor& v) {
    const auto rank = static_cast<std::int64_t>(v.dim());
    check(axis >= -rank && axis < rank, "weight_norm: shape ", v.shape(), " has no axis ", axis);
    if (rank == 1) return abs(v);
    const std::int64_t kept = (axis + rank) % rank;
    // All others, as one: those before and those after it.
    const Tensor rows = flatten(transpose(v, 0, kept), 1);
    Shape shape(std::vector<std::int64_t>(static_cast<std::size_t>(rank), 1));
    shape[static_cast<std::size_t>(kept)] = v.size(kept);
    return reshape(norm(rows, 2, 1), shape);
  };
  return {[norms](const Tensor& weight) {
            return Own{{"original0", trained(norms(weight))}, {"original1", trained(weight)}};
          },
          [norms](const Tensor&, Own& own, bool) {
            const Tensor& v = own.at("original1");
            return v * (own.at("original0") / norms(v));
          }};
}

Parametrization spectral_norm(std::int64_t n_power_iterations, double eps) {
  check(n_power_iterations >= 1, "spectral_norm: n_power_iterations must be at least 1, not ", n_power_iterations);
  check(eps > 0, "spectral_norm: eps must be above 0, not ", eps);
  const auto iterate = [eps](const Tensor& matrix, Own& own, std::int64_t count) {
    const NoGrad no_grad;
    Tensor u = own.at("_u"), v = own.at("_v");
    for (std::int64_t i = 0; i < count; ++i) {
      u = unit(matmul(matrix, v), eps);
      v = unit(matmul(transpose(matrix, 0, 1), u), eps);
    }
    own["_u"] = u;
    own["_v"] = v;
  };
  return {[iterate, eps](const Tensor& weight) {
            const Tensor matrix = as_matrix("spectral_norm", weight);
            const TensorOptions options{.dtype = weight.dtype()};
            Own own{{"original", trained(weight)},
                    {"_u", unit(randn({matrix.size(0)}, options), eps)},
                    {"_v", unit(randn({matrix.size(1)}, options), eps)}};
            iterate(matrix, own, 15);
            return own;
          },
          [iterate, n_power_iterations](const Tensor&, Own& own, bool training) {
            const Tensor& weight = own.at("original");
            const Tensor matrix = as_matrix("spectral_norm", weight);
            if (training) iterate(matrix.detach(), own, n_power_iterations);
            return weight / sum(own.at("_u") * matmul(matrix, own.at("_v")));
          }};
}

Parametrization orthogonal() {
  return {[](const Tensor& weight) {
            const NoGrad no_grad;
            Tensor matrix = as_matrix("orthogonal", weight);
            if (matrix.size(0) < matrix.size(1)) matrix = transpose(matrix, 0, 1);
            const auto [Q, R] = linalg::qr(matrix);
            return Own{{"original", trained(zeros_like(matrix))}, {"base", (Q * sign(diagonal(R))).clone()}};
          },
          [](const Tensor& weight, Own& own, bool) {
            const Tensor& original = own.at("original");
            const std::int64_t rows = original.size(0), columns = original.size(1);
            const Tensor beside = zeros({rows, rows - columns}, {.dtype = original.dtype()});
            const Tensor lower = tril(cat({original, beside}, 1), -1);
            const Tensor tall = matmul(linalg::matrix_exp(lower - transpose(lower, 0, 1)), own.at("base"));
            const bool wide = weight.size(0) < weight.numel() / weight.size(0);
            return reshape(wide ? transpose(tall, 0, 1) : tall, weight.shape());
          }};
}

Parametrization lora(const LoRAOptions& options) {
  check(options.rank >= 1, "lora: rank must be at least 1, not ", options.rank);
  check(std::isfinite(options.alpha), "lora: alpha must be finite, not ", options.alpha);
  const double scale = options.alpha / static_cast<double>(options.rank);
  return {[rank = options.rank](const Tensor& weight) {
            const Tensor matrix = as_matrix("lora", weight);
            Tensor A = empty({rank, matrix.size(1)}, {.dtype = weight.dtype(), .requires_grad = true});
            init::kaiming_uniform_(A, {.negative_slope = std::sqrt(5.0)});
            return Own{{"lora_A", A},
                       {"lora_B", zeros({matrix.size(0), rank}, {.dtype = weight.dtype(), .requires_grad = true})}};
          },
          [scale](const Tensor& original, Own& own, bool) {
            return original + reshape(matmul(own.at("lora_B"), own.at("lora_A")) * scale, original.shape());
          }};
}

namespace detail {

namespace {

/// use(name, tensor) for each parameter and buffer of a module.
template <class Use>
void for_each_entry(const Tree& tree, const std::string& prefix, const Use& use) {
  for (const TreeTensor& entry : tree.tensors) use(prefix + entry.name, *entry.tensor);
  for (const Tree& child : tree.children) for_each_entry(child, prefix + child.name + '.', use);
}

Tensor& tensor_named(const Tree& tree, const std::string& name) {
  Tensor* found = nullptr;
  for_each_entry(tree, "", [&](const std::string& each, Tensor& tensor) {
    if (each == name) found = &tensor;
  });
  check(found != nullptr, "parametrized: the module has no tensor `", name, "` any more");
  return *found;
}

}  // namespace

std::vector<std::string> parametrize(const Tree& tree, std::string_view pattern, const Parametrization& how,
                                     std::vector<ParametrizedTensor>& tensors, OwnTensors& own) {
  std::vector<std::string> names;
  std::vector<ParametrizedTensor> added;
  OwnTensors added_own;
  for (const auto& [name, tensor] : named_parameters(tree)) {
    if (!matches(name, pattern)) continue;
    check(!own.contains(name), "parametrize: `", name, "` is parametrised already");
    check(is_floating(tensor.dtype()), "parametrize: `", name, "` is of ", tensor.dtype(), ", not of floats");
    const Tensor original = tensor.detach();
    names.push_back(name);
    added.push_back(ParametrizedTensor{name, how});
    std::map<std::string, Tensor>& its = added_own[name] = how.start(original);
    const NoGrad no_grad;
    const Tensor value = how.value(original, its, false);
    check(value.shape() == tensor.shape(), "parametrize: the value for `", name, "` has shape ", value.shape(),
          ", and the tensor ", tensor.shape());
  }
  check(!names.empty(), "parametrize: no parameter has a name like `", pattern, "`");
  for (ParametrizedTensor& each : added) {
    Tensor& tensor = tensor_named(tree, each.name);
    tensor = tensor.detach();  // frozen; who else holds the parameter has one
    tensors.push_back(std::move(each));
  }
  own.merge(added_own);
  return names;
}

std::vector<std::string> unparametrize(const Tree& tree, std::string_view pattern,
                                       std::vector<ParametrizedTensor>& tensors, OwnTensors& own) {
  std::vector<std::string> names;
  for (const ParametrizedTensor& each : tensors)
    if (matches(each.name, pattern)) names.push_back(each.name);
  check(!names.empty(), "remove: nothing that is parametrised has a name like `", pattern, "`");
  for (const ParametrizedTensor& each : tensors) {
    if (!matches(each.name, pattern)) continue;
    Tensor& tensor = tensor_named(tree, each.name);
    const NoGrad no_grad;
    tensor = each.how.value(tensor, own.at(each.name), false).detach().clone().requires_grad_();
    own.erase(each.name);
  }
  std::erase_if(tensors, [&](const ParametrizedTensor& each) { return matches(each.name, pattern); });
  return names;
}

ParametrizedCall::ParametrizedCall(const Tree& tree, const std::vector<ParametrizedTensor>& tensors, OwnTensors& own,
                                   bool training) {
  for (const ParametrizedTensor& each : tensors) before_.emplace_back(&tensor_named(tree, each.name), Tensor());
  std::vector<Tensor> values;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    values.push_back(tensors[i].how.value(*before_[i].first, own.at(tensors[i].name), training));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    before_[i].second = *before_[i].first;
    *before_[i].first = std::move(values[i]);
  }
}

ParametrizedCall::~ParametrizedCall() {
  for (auto& [tensor, before] : before_) *tensor = std::move(before);
}

}  // namespace detail

}  // namespace xgrad::nn
