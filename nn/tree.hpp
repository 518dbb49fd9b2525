#pragma once
// A module as data: its tensors and modules with their names. What needs "the parameters" is a function of this tree.

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "../autograd/named_tensors.hpp"
#include "../autograd/tensor.hpp"
#include "../core/reflect.hpp"

namespace xgrad::nn {

class AnyModule;
struct Linear;

/// A tensor in the fields() of a class, with what it is (see `parameter`, `buffer`).
struct MarkedTensor {
  Tensor& tensor;
  bool is_parameter;
};
/// Marks a tensor in the fields() of a class as a parameter, which it then stays while it is frozen:
/// `auto fields() { return xgrad::fields("weight", nn::parameter(weight)); }`.
inline MarkedTensor parameter(Tensor& tensor) { return {tensor, true}; }
/// The tensors of a field that holds any number of them, each under a name of its own: that of the field is not used.
struct MarkedTensors {
  NamedTensors& tensors;
  bool is_parameter;
};
/// The same of tensors whose names are made when the program runs, as in the recurrent layers.
inline MarkedTensors parameter(NamedTensors& tensors) { return {tensors, true}; }
/// Marks a tensor in the fields() of a class as a buffer.
inline MarkedTensor buffer(Tensor& tensor) { return {tensor, false}; }

/// Something that maps a tensor to a tensor: a layer, a model, a function.
template <class T>
concept Layer = std::is_invocable_r_v<Tensor, T&, const Tensor&>;

template <Layer M>
class Hooked;

namespace detail {

struct TreeTensor {
  std::string name;
  Tensor* tensor;
  bool is_parameter;
};

/// The module that `name` names in the one above it.
struct Tree {
  std::string name;
  std::string_view type;
  std::vector<TreeTensor> tensors;  // its own, in order of declaration
  bool* training = nullptr;         // its own field of that name
  std::vector<Tree> children;
  std::optional<double>* momentum = nullptr;  // of running statistics: its own field of that name
  Linear* linear = nullptr;                   // the module itself, where it is one
  const void* layer = nullptr;                // of a Sequential: the AnyModule that holds it
};

/// State of the walk over a module that makes its tree.
struct Walk {
  std::size_t depth = 0;
  bool unshare = false;  // replace what a shared_ptr points to by a copy, one for each object
  std::vector<std::pair<const void*, std::shared_ptr<void>>> copies = {};
};

void add_tensor(Tree& parent, std::string_view name, Tensor& tensor);
void add_tensor(Tree& parent, std::string_view name, MarkedTensor marked);
void enter(Walk& walk);  // throws Error when nested too deeply
[[noreturn]] void fail_unshare(std::string_view name, std::string_view type);

template <class T>
inline constexpr bool is_handle = false;  // owns another object, and hands on its name
template <class T>
inline constexpr bool is_handle<std::optional<T>> = true;
template <class T, class D>
inline constexpr bool is_handle<std::unique_ptr<T, D>> = std::is_object_v<T>;
template <class T>
inline constexpr bool is_handle<std::shared_ptr<T>> = std::is_object_v<T>;

template <class T>
inline constexpr bool is_shared = false;
template <class T>
inline constexpr bool is_shared<std::shared_ptr<T>> = true;

template <class T>
inline constexpr bool is_std_function = false;
template <class F>
inline constexpr bool is_std_function<std::function<F>> = true;

template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;

// Objects by name: std::map<std::string, T>.
template <class T>
concept Map = requires(T& map) {
  typename T::mapped_type;
  requires std::convertible_to<const typename T::key_type&, std::string_view>;
  requires std::is_class_v<typename T::mapped_type>;
  map.begin();
};

// Objects in a row: std::vector<T>, std::array<T, n>, Sequential.
template <class T>
concept Sequence = requires(T& sequence) {
  requires std::is_class_v<typename T::value_type>;
  requires !std::same_as<typename T::value_type, T>;
  requires !requires { typename T::key_type; };
  sequence.begin();
  sequence.end();
};

// A container of numbers or the like.
template <class T>
concept Plain = requires {
  requires !std::is_class_v<typename T::value_type>;
};

// What has a place of its own in the tree.
template <class T>
concept Node = Layer<T> || ListsFields<T> || Sequence<T> || Map<T> || is_tuple<T> || std::is_bounded_array_v<T> ||
    (Reflectable<T> && !Plain<T>);

template <class T, int depth>
consteval bool holds_tensors();

template <class... Fields, int depth>
consteval bool any_holds_tensors(std::type_identity<std::tuple<xgrad::detail::FieldPointer<Fields>...>>,
                                 std::integral_constant<int, depth>) {
  return (holds_tensors<Fields, depth>() || ...);
}

/// Whether a T is a tensor or a module, or contains one or a pointer to one.
template <class T, int depth = 5>
consteval bool holds_tensors() {
  if constexpr (depth == 0)
    return false;
  else if constexpr (std::is_pointer_v<T> || std::is_bounded_array_v<T>)
    return holds_tensors<std::remove_cv_t<std::remove_pointer_t<std::decay_t<T>>>, depth - 1>();
  else if constexpr (!std::is_class_v<T> || is_std_function<T> || !requires { sizeof(T); })
    return false;
  else if constexpr (std::derived_from<T, Tensor>)
    return true;
  else if constexpr (is_handle<T>)
    return holds_tensors<std::remove_cvref_t<decltype(*std::declval<T&>())>, depth - 1>();
  else if constexpr (ListsFields<T> || (Layer<T> && !std::is_empty_v<T>))
    return true;
  else if constexpr (requires { typename T::mapped_type; })
    return holds_tensors<typename T::mapped_type, depth - 1>();
  else if constexpr (requires { typename T::value_type; })
    return holds_tensors<typename T::value_type, depth - 1>();
  else if constexpr (std::is_aggregate_v<T> && !std::is_trivially_copyable_v<T>)
    return any_holds_tensors(std::type_identity<decltype(xgrad::detail::field_pointers<T>())>(),
                             std::integral_constant<int, depth - 1>());
  else
    return false;
}

/// Whether a field is a raw pointer to what holds tensors, or a container of such pointers.
template <class T>
consteval bool points_to_tensors() {
  if constexpr (std::is_pointer_v<T>)
    return holds_tensors<T>();
  else if constexpr (requires { typename T::mapped_type; })
    return points_to_tensors<typename T::mapped_type>();
  else if constexpr (requires { typename T::value_type; })
    return std::is_pointer_v<typename T::value_type> && holds_tensors<typename T::value_type>();
  else
    return false;
}

template <class T>
inline constexpr std::string_view node_type = std::is_class_v<T>   ? type_name<T>
                                              : std::is_array_v<T> ? std::string_view("array")
                                                                   : std::string_view("function");

template <class T>
void add(Tree& parent, std::string_view name, T& field, Walk& walk);
void add_fields(Tree& tree, AnyModule& module, Walk& walk);
template <class M>
void add_fields(Tree& tree, Hooked<M>& hooked, Walk& walk);

/// Adds what `module` holds to its tree.
template <class T>
void add_fields(Tree& tree, T& module, Walk& walk) {
  enter(walk);
  if constexpr (std::same_as<T, Linear>) tree.linear = &module;
  if constexpr (ListsFields<T>) {
    for_each_field(module, [&](std::string_view name, auto& field) { add(tree, name, field, walk); });
  } else if constexpr (std::is_bounded_array_v<T> || Sequence<T>) {
    std::size_t index = 0;
    for (auto& element : module) add(tree, std::to_string(index++), element, walk);
  } else if constexpr (Map<T>) {
    for (auto& [key, element] : module) add(tree, key, element, walk);
  } else if constexpr (is_tuple<T>) {
    std::size_t index = 0;
    std::apply([&](auto&... element) { (add(tree, std::to_string(index++), element, walk), ...); }, module);
  } else if constexpr (Reflectable<T>) {
    for_each_field(module, [&](std::string_view name, auto& field) { add(tree, name, field, walk); });
  } else {
    static_assert(
        !Layer<T> || std::is_empty_v<T> || is_std_function<T> || !std::is_class_v<T> || type_name<T> == "lambda",
        "nn: the parameters of a class that is no aggregate cannot be found; list its fields: "
        "auto fields() { return xgrad::fields(\"weight\", weight, \"bias\", bias); }");
  }
  --walk.depth;
}

/// Adds a field to the tree of the module it stands in. What is neither tensor nor module is passed over.
template <class T>
void add(Tree& parent, std::string_view name, T& field, Walk& walk) {
  using Value = std::remove_const_t<T>;
  static_assert(
      !points_to_tensors<Value>(),
      "nn: a field is a raw pointer to a module or a tensor, which would not be trained, saved or cloned; hold it "
      "by value, std::unique_ptr or std::shared_ptr, or list the fields without it in a function fields()");
  if constexpr (std::derived_from<Value, Tensor> || std::same_as<Value, MarkedTensor>) {
    static_assert(!std::is_const_v<T> || std::same_as<Value, MarkedTensor>, "nn: a module's tensors cannot be const");
    add_tensor(parent, name, field);
  } else if constexpr (std::same_as<Value, MarkedTensors>) {
    for (auto& [own_name, tensor] : field.tensors) add_tensor(parent, own_name, {tensor, field.is_parameter});
  } else if constexpr (std::same_as<T, bool>) {
    if (name == "training") parent.training = &field;
  } else if constexpr (std::same_as<T, std::optional<double>>) {
    if (name == "momentum") parent.momentum = &field;
  } else if constexpr (is_handle<Value>) {
    if (!field) return;
    if constexpr (is_shared<Value>) {
      if (walk.unshare) unshare(name, field, walk);
    }
    add(parent, name, *field, walk);
  } else if constexpr (Node<Value>) {
    static_assert(!std::is_const_v<T>, "nn: a module's modules cannot be const");
    Tree child{std::string(name), node_type<Value>, {}, nullptr, {}};
    add_fields(child, field, walk);
    if (Layer<T> || child.training || !child.tensors.empty() || !child.children.empty())
      parent.children.push_back(std::move(child));
  }
}

/// Points `field` to a copy of what it pointed to; the same copy for all that point to it.
template <class T>
void unshare(std::string_view name, std::shared_ptr<T>& field, Walk& walk) {
  for (const auto& [original, copy] : walk.copies) {
    if (original == field.get() || copy.get() == field.get()) {
      field = std::static_pointer_cast<T>(copy);
      return;
    }
  }
  if constexpr (std::is_copy_constructible_v<T> && !std::is_polymorphic_v<T>) {
    auto copy = std::make_shared<T>(*field);
    walk.copies.emplace_back(field.get(), copy);
    field = std::move(copy);
  } else {
    fail_unshare(name, type_name<T>);
  }
}

/// The tree of a module, which points into the module.
template <class M>
Tree tree_of(M& module, bool unshare = false) {
  Walk walk{.unshare = unshare};
  Tree tree{{}, node_type<M>, {}, nullptr, {}};
  add_fields(tree, module, walk);
  return tree;
}
/// The same for functions that change nothing.
template <class M>
Tree tree_of(const M& module) {
  return tree_of(const_cast<M&>(module));
}

}  // namespace detail

/// What the functions of nn take: any struct with tensors and modules as fields, a container of modules, or a layer.
/// See nn/module.hpp.
template <class M>
concept Module = detail::Node<std::remove_const_t<M>> && !std::derived_from<M, Tensor>;

}  // namespace xgrad::nn
