#pragma once
// Convolution and batch norm made one, for inference.

#include "../autograd/node.hpp"
#include "batch_norm.hpp"
#include "conv.hpp"
#include "flatten.hpp"
#include "sequential.hpp"

namespace xgrad::nn {

/// Makes a convolution compute what the batch norm that is applied to its result made of it, and the norm the identity.
/// With s = norm.weight / sqrt(running_var + eps) for each channel that the convolution gives, weight becomes s weight
/// and bias s (bias - running_mean) + norm.bias. These are new tensors: whoever shared the old ones keeps them. Throws
/// Error for a norm in training mode, without running statistics, or of another number of channels.
void fold_batch_norm(Conv& conv, BatchNorm& norm);
void fold_batch_norm(ConvTranspose& conv, BatchNorm& norm);

namespace detail {

/// A convolution, the batch norm behind it, and the place in a Sequential where that stands, if it does.
struct ConvAndNorm {
  Conv* conv = nullptr;
  ConvTranspose* transposed = nullptr;
  BatchNorm* norm = nullptr;
  AnyModule* place = nullptr;

  /// Whether there is a convolution whose results the norm could take.
  bool fits() const;
};
void fold(std::vector<ConvAndNorm>& pairs);
/// Throws Error unless both are the same but for rounding.
void check_folded(const Tensor& before, const Tensor& after);

/// Goes through the fields of a model in order of declaration.
template <class... Blocks>
class FindBatchNorms {
 public:
  template <class T>
  void visit(T& field) {
    if constexpr (std::derived_from<T, Conv>) {
      last_ = {.conv = &field};
    } else if constexpr (std::derived_from<T, ConvTranspose>) {
      last_ = {.transposed = &field};
    } else if constexpr (std::derived_from<T, BatchNorm>) {
      last_.norm = &field;
      if (last_.fits()) pairs.push_back(last_);
      last_ = {};
    } else if constexpr (std::same_as<T, AnyModule>) {
      visit_layer(field);
    } else if constexpr (std::derived_from<T, Tensor> || std::same_as<T, MarkedTensor> || std::is_const_v<T>) {
      return;
    } else if constexpr (is_handle<T>) {
      if (field) visit(*field);
    } else if constexpr (Node<T>) {
      last_ = {};
      visit_fields(field);
      last_ = {};
    }
  }
  template <class T>
  void visit_fields(T& module) {
    if constexpr (ListsFields<T> || Reflectable<T>)
      for_each_field(module, [&](std::string_view, auto& field) { visit(field); });
    else if constexpr (std::is_bounded_array_v<T> || Sequence<T>)
      for (auto& element : module) visit(element);
    else if constexpr (Map<T>)
      for (auto& element : module) visit(element.second);
    else if constexpr (is_tuple<T>)
      std::apply([&](auto&... element) { (visit(element), ...); }, module);
  }

  std::vector<ConvAndNorm> pairs;

 private:
  void visit_layer(AnyModule& layer) {
    const std::size_t before = pairs.size();
    if (visit_as<BatchNorm1d, BatchNorm2d, BatchNorm3d>(layer)) {
      if (pairs.size() > before) pairs.back().place = &layer;
    } else if (!visit_as<Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, Sequential,
                         Blocks...>(layer)) {
      last_ = {};
    }
  }
  template <class... Layers>
  bool visit_as(AnyModule& layer) {
    return ((layer.is<Layers>() && (visit(layer.as<Layers>()), true)) || ...);
  }

  ConvAndNorm last_;
};

}  // namespace detail

/// Folds every batch norm of a model in evaluation mode that stands right behind a convolution of as many channels: the
/// next layer in a Sequential or another container, or the next field of a struct that is a layer. In a struct it stays
/// as the identity, so that the struct's own code still holds; in a Sequential an Identity takes its place. Gives the
/// number of those that were folded; norms without running statistics are left. What a struct does with its fields
/// cannot be seen: give an example, or fold pairs, where fields stand in another order than they are applied in. Of
/// structs of your own inside a Sequential, whose types it has forgotten, name the types:
/// `nn::fold_batch_norm<InvertedResidual>(net)`. Throws Error, with nothing changed, in training mode, and for a layer
/// that stands in two such places.
template <class... Blocks, Module M>
std::int64_t fold_batch_norm(M& model) {
  detail::FindBatchNorms<Blocks...> found;
  found.visit_fields(model);
  detail::fold(found.pairs);
  return static_cast<std::int64_t>(found.pairs.size());
}

/// The same; throws Error, with nothing changed, unless the model still makes the same of an example input.
template <class... Blocks, Module M>
std::int64_t fold_batch_norm(M& model, const Tensor& example) {
  const NoGrad no_grad;
  M folded = clone(model);
  fold_batch_norm<Blocks...>(folded);
  detail::check_folded(model(example), folded(example));
  return fold_batch_norm<Blocks...>(model);
}

}  // namespace xgrad::nn
