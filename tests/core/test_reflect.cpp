#include <xgrad/core/reflect.hpp>

#include <any>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;

namespace {

template <class T>
std::string names(T& object) {
  std::string all;
  for_each_field(object, [&](std::string_view name, auto&) { all += std::string(name) + ' '; });
  return all;
}

struct LayerOptions {
  bool bias = true;
};

// No default constructor, several ways to construct it.
class Layer {
 public:
  Layer(int inputs, int outputs, LayerOptions options = {}) : size(inputs * outputs), bias(options.bias) {}
  explicit Layer(int inputs) : Layer(inputs, 1) {}
  enum class Kind { wide, deep };
  int size;
  bool bias;
};

struct Nothing {};

struct Net {
  Layer fc1{784, 256, {.bias = false}};
  Layer fc2{256, 10};
  std::vector<Layer> layers{{1, 2}, {3, 4}};
  std::optional<Layer> shortcut;
  std::optional<Layer> head = Layer(2, 2);
};

struct WithoutDefaults {
  Layer first;
  int number;
  Layer second;
};

struct Inner {
  int a = 1, b = 2, c = 3;
};
struct Nested {
  Inner inner;
  std::array<int, 3> numbers{};
  std::array<Inner, 2> inners{};
  Nothing nothing;
  int last = 7;
};

struct Arrays {
  int kernel[2] = {3, 3};
  Layer heads[3]{{1, 1}, {2, 2}, {3, 3}};
  Layer single{4, 4};
  float matrix[2][3] = {};
  Inner inners[2];
  int one[1] = {5};
  std::string texts[2];
};

struct Immovable {
  std::mutex mutex;
  std::atomic<int> count = 0;
  std::unique_ptr<Layer> owned;
};

struct Greedy {
  std::any any;
  std::function<int(int)> function;
  std::variant<int, std::string> variant;
  std::optional<std::string> text;
  std::optional<std::optional<int>> twice;
  std::tuple<int> one;
  std::tuple<Layer, int> two{Layer(1, 1), 2};
  std::pair<int, std::string> pair;
  std::map<std::string, Layer> map;
  std::shared_ptr<int> shared;
  int* pointer = nullptr;
  int (*call)(int) = nullptr;
  enum class Kind { a, b } kind = Kind::b;
  const double fixed = 1;
  std::string_view view;
};

struct EmptyBase {};
struct OtherEmptyBase {};
struct Derived : EmptyBase, OtherEmptyBase {
  Layer layer{1, 1};
  int n = 3;
};

class Private {
 public:
  explicit Private(int w) : weight(w), hidden_(2 * w) {}
  auto fields() { return xgrad::fields("weight", weight, "hidden", hidden_); }
  int weight;

 private:
  int hidden_;
};

struct Many {  // 64
  int a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3,
      d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6, f7, g0, g1, g2, g3, g4, g5, g6, g7,
      h0, h1, h2, h3, h4, h5, h6;
  Layer last{6, 4};
};

template <class T>
struct Template {
  T value;
  std::vector<T> list;
};

}  // namespace

TEST_CASE("for_each_field: the fields of an aggregate are found in order, with their names") {
  Net net;
  CHECK(names(net) == "fc1 fc2 layers shortcut head ");
  for_each_field(net, [&](std::string_view name, auto& field) {
    if constexpr (std::is_same_v<decltype(field), Layer&>) field.size = name == "fc1" ? 1 : 2;
  });
  CHECK(net.fc1.size == 1);
  CHECK(net.fc2.size == 2);
}

TEST_CASE("for_each_field: fields without default values are found") {
  WithoutDefaults object{Layer(1, 2), 3, Layer(4, 5)};
  CHECK(names(object) == "first number second ");
}

TEST_CASE("for_each_field: a nested struct and a std::array are one field each") {
  Nested object;
  CHECK(names(object) == "inner numbers inners nothing last ");
}

TEST_CASE("for_each_field: a C array is one field") {
  Arrays object;
  CHECK(names(object) == "kernel heads single matrix inners one texts ");
  for_each_field(object, [&](std::string_view, auto& field) {
    if constexpr (std::is_same_v<decltype(field), Layer(&)[3]>) CHECK(field[2].size == 9);
  });
}

TEST_CASE("for_each_field: types that cannot be moved or take anything are found") {
  Immovable immovable;
  CHECK(names(immovable) == "mutex count owned ");
  Greedy greedy;
  CHECK(names(greedy) == "any function variant text twice one two pair map shared pointer call kind fixed view ");
}

TEST_CASE("for_each_field: base classes without fields are passed over") {
  Derived object;
  CHECK(names(object) == "layer n ");
}

TEST_CASE("for_each_field: local structs, structs without fields, and templates") {
  struct Local {
    Layer layer{1, 2};
    Template<std::string> nested;
  };
  Local local;
  CHECK(names(local) == "layer nested ");
  CHECK(names(local.nested) == "value list ");
  Nothing nothing;
  CHECK(names(nothing).empty());
}

TEST_CASE("for_each_field: a struct may have 64 fields") {
  Many many{};
  int count = 0;
  for_each_field(many, [&](std::string_view name, auto& field) {
    ++count;
    if constexpr (std::is_same_v<decltype(field), Layer&>) {
      CHECK(name == "last");
      CHECK(count == 64);
    }
  });
  CHECK(count == 64);
}

TEST_CASE("for_each_field: a class lists its own fields") {
  Private object(3);
  CHECK(names(object) == "weight hidden ");
  for_each_field(object, [](std::string_view, int& field) { field = 8; });
  int sum = 0;
  const Private& constant = object;
  for_each_field(constant, [&](std::string_view, auto& field) {
    static_assert(std::is_same_v<decltype(field), const int&>);
    sum += field;
  });
  CHECK(sum == 16);
}

TEST_CASE("for_each_field: a const object gives const fields") {
  const Inner object;
  int sum = 0;
  for_each_field(object, [&](std::string_view, const int& field) { sum += field; });
  CHECK(sum == 6);
}

TEST_CASE("type_name: the name alone, without namespaces and template arguments") {
  struct Local {};
  const auto lambda = [](int) {};
  CHECK(type_name<Net> == "Net");
  CHECK(type_name<Layer::Kind> == "Kind");
  CHECK(type_name<Local> == "Local");
  CHECK(type_name<std::vector<Layer>> == "vector");
  CHECK(type_name<Template<std::vector<Net>>> == "Template");
  CHECK(type_name<decltype(lambda)> == "lambda");
  CHECK(type_name<int> == "int");
}
