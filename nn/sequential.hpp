#pragma once
// Modules of any type behind one handle, and modules in a row.

#include <span>

#include "../array/profile.hpp"
#include "../autograd/operand.hpp"
#include "module.hpp"

namespace xgrad::nn {

class AnyModule;

namespace detail {
/// Deals the random numbers with which layers were filled just before, in whatever order their expressions were
/// evaluated, in the order of the layers. Only to layers that were handed over as temporaries, and only as long as
/// nothing else was drawn, the tensors still hold their numbers, and nothing else holds the tensors.
void draw_in_order(std::span<AnyModule> layers, std::span<const bool> handed_over);
[[noreturn]] void rethrow_from_layer(const AnyModule& layer, std::size_t index, const Error& error);
}  // namespace detail

/// Holds any layer: a module or a function that maps a tensor to a tensor. It behaves as a field of that type would:
/// copying it copies the layer, and the copy shares the layer's tensors; names, train() and clone() see through it.
/// The tensors that a lambda captures are not found by parameters().
class AnyModule {
 public:
  template <class M>
  requires(!std::same_as<M, AnyModule> && Layer<M>) AnyModule(M layer)
      : held_(std::make_unique<Held<M>>(std::move(layer))) {
    static_assert(std::is_copy_constructible_v<M>, "AnyModule: a layer has to be copyable");
  }
  AnyModule(const AnyModule& other) : held_(other.held().copy()) {}
  AnyModule(AnyModule&& other) = default;
  AnyModule& operator=(AnyModule other) {
    held_ = std::move(other.held_);
    return *this;
  }

  Tensor operator()(Operand x) const { return held().forward(*x); }

  /// The layer. Throws Error if it is of another type than M.
  template <class M>
  M& as() {
    check(is<M>(), "AnyModule: this is a ", held().type(), ", not a ", type_name<M>);
    return static_cast<Held<M>&>(held()).layer;
  }
  template <class M>
  const M& as() const {
    return const_cast<AnyModule&>(*this).as<M>();
  }
  /// Whether the layer is an M.
  template <class M>
  bool is() const {
    return held().tag() == &type_tag<M>;
  }

 private:
  friend void detail::add_fields(detail::Tree& tree, AnyModule& module, detail::Walk& walk);

  template <class M>
  static constexpr char type_tag = 0;  // its address stands for the type, without RTTI

  struct Interface {
    virtual ~Interface() = default;
    virtual Tensor forward(const Tensor& x) = 0;
    virtual std::unique_ptr<Interface> copy() const = 0;
    virtual void add_fields(detail::Tree& tree, detail::Walk& walk) = 0;
    virtual const char* tag() const = 0;
    virtual std::string_view type() const = 0;
  };
  template <class M>
  struct Held final : Interface {
    explicit Held(M m) : layer(std::move(m)) {}
    Tensor forward(const Tensor& x) override { return layer(x); }
    std::unique_ptr<Interface> copy() const override { return std::make_unique<Held>(layer); }
    void add_fields(detail::Tree& tree, detail::Walk& walk) override { detail::add_fields(tree, layer, walk); }
    const char* tag() const override { return &type_tag<M>; }
    std::string_view type() const override { return detail::node_type<M>; }

    M layer;
  };

  Interface& held() const {
    check(held_ != nullptr, "AnyModule: used after it was moved from");
    return *held_;
  }

  std::unique_ptr<Interface> held_;
};

/// Layers applied one after the other; may be empty, grows, and nests.
///
///     nn::Sequential net(nn::Flatten(), nn::Linear(784, 100), nn::ReLU());
///     net.add(nn::Linear(100, 10), [](const Tensor& x) { return x * 0.5; });
///
/// Parameters are named by index: `1.weight`. A copy has layers of its own that share their tensors with the
/// original's, as a copied struct has; clone() shares nothing.
///
/// Layers made in the arguments of one call are initialised as if from left to right, although C++ leaves the order of
/// their evaluation to the compiler: the same seed gives the same weights, with parentheses and with braces. An Error
/// of a layer ends with its place: `; in 2.fc1`.
class Sequential {
 public:
  using value_type = AnyModule;

  Sequential() = default;
  /// Of one layer or more; from a single Sequential, a copy of it.
  template <class First, class... Rest>
  requires(Layer<std::decay_t<First>> && !(std::same_as<std::decay_t<First>, Sequential> && sizeof...(Rest) == 0))  //
      explicit Sequential(First&& first, Rest&&... rest) {
    add(std::forward<First>(first), std::forward<Rest>(rest)...);
  }

  /// Appends layers.
  template <class... Layers>
  Sequential& add(Layers&&... layers) {
    const std::size_t before = layers_.size();
    layers_.reserve(before + sizeof...(layers));
    (layers_.emplace_back(std::forward<Layers>(layers)), ...);
    if constexpr (sizeof...(Layers) > 1) {
      const bool handed_over[] = {!std::is_lvalue_reference_v<Layers>...};
      detail::draw_in_order(std::span(layers_).subspan(before), handed_over);
    }
    return *this;
  }

  Tensor operator()(Operand x) const {
    Tensor y = *x;
    std::size_t index = 0;
    try {
      for (; index < layers_.size(); ++index) {
        const xgrad::detail::ModuleScope scope(&layers_[index]);
        y = layers_[index](y);
      }
    } catch (const Error& error) {
      if (index < layers_.size()) detail::rethrow_from_layer(layers_[index], index, error);
      throw;
    }
    return y;
  }

  std::size_t size() const { return layers_.size(); }
  bool empty() const { return layers_.empty(); }
  /// The layer at `index`: `net[1].as<nn::Linear>().weight`. Throws Error beyond the last.
  AnyModule& operator[](std::size_t index) {
    check(index < size(), "Sequential: no layer ", index, "; there are ", size());
    return layers_[index];
  }
  const AnyModule& operator[](std::size_t index) const { return const_cast<Sequential&>(*this)[index]; }

  auto begin() { return layers_.begin(); }
  auto end() { return layers_.end(); }
  auto begin() const { return layers_.begin(); }
  auto end() const { return layers_.end(); }

 private:
  std::vector<AnyModule> layers_;
};

}  // namespace xgrad::nn
