#pragma once
// Functions that are called whenever a module is.

#include <functional>
#include <memory>
#include <vector>

#include "module.hpp"

namespace xgrad::nn {

/// A module with functions that see what goes in and what comes out, and may replace it. It stands where the module
/// stood: names, train() and clone() see through it.
///
///     nn::Hooked<nn::Linear> fc{nn::Linear(10, 10)};               // a field of a model
///     net[2] = nn::Hooked(nn::AnyModule(net[2]));                  // a layer of a Sequential
///     fc.register_forward_hook([](const Tensor& x, const Tensor& y) { std::cout << y.shape() << '\n'; });
///
/// Hooks are called in the order in which they were registered, and by copies of this as well.
template <Layer M>
class Hooked {
 public:
  using Observer = std::function<void(const Tensor& input, const Tensor& output)>;
  using Replacement = std::function<Tensor(const Tensor&)>;

  explicit Hooked(M layer) : module(std::move(layer)) {}

  /// hook(input, output) after each call; what it throws ends the call.
  void register_forward_hook(Observer hook) {
    after_.push_back([hook = std::move(hook)](const Tensor& input, const Tensor& output) {
      hook(input, output);
      return output;
    });
  }
  /// The output of each call becomes what hook(output) returns.
  void replace_output(Replacement hook) {
    after_.push_back([hook = std::move(hook)](const Tensor&, const Tensor& output) { return hook(output); });
  }
  /// The input of each call becomes what hook(input) returns.
  void replace_input(Replacement hook) { before_.push_back(std::move(hook)); }
  void clear_hooks() {
    before_.clear();
    after_.clear();
  }

  Tensor operator()(const Tensor& input) {
    Tensor x = input;
    for (const auto& hook : before_) x = hook(x);
    Tensor y = module(x);
    for (const auto& hook : after_) y = hook(x, y);
    return y;
  }

  M& operator*() { return module; }
  M* operator->() { return &module; }

  M module;

 private:
  std::vector<Replacement> before_;
  std::vector<std::function<Tensor(const Tensor&, const Tensor&)>> after_;
};

namespace detail {
template <class M>
void add_fields(Tree& tree, Hooked<M>& hooked, Walk& walk) {
  add_fields(tree, hooked.module, walk);
}
}  // namespace detail

}  // namespace xgrad::nn
