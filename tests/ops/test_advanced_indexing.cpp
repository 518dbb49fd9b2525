#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/advanced_indexing.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

using Integers = std::vector<std::int64_t>;

Shape shape_of(const nlohmann::json& data) { return Shape(data.get<Integers>()); }

Tensor numbered(const Shape& shape) { return reshape(arange(shape.numel(), {.dtype = int64}), shape); }

std::optional<std::int64_t> end_of(const nlohmann::json& data) {
  if (data.is_null()) return {};
  return data.get<std::int64_t>();
}

TensorIndex item_of(const nlohmann::json& data) {
  const auto kind = data[0].get<std::string>();
  if (kind == "int") return data[1].get<std::int64_t>();
  if (kind == "slice") return Slice(end_of(data[1]), end_of(data[2]), data[3].get<std::int64_t>());
  if (kind == "none") return newaxis;
  if (kind == "ellipsis") return ellipsis;
  const Shape shape = shape_of(data[1]);
  if (kind == "tensor") return from_values(data[2].get<Integers>(), shape, {.dtype = int64});
  return from_values(data[2].get<std::vector<bool>>(), shape, {.dtype = bool_});
}

/// What NumPy would make of y = x; y[items] = values, from the places that the items name.
Integers put(const Tensor& x, const Integers& places, const Integers& values, bool accumulate) {
  Integers out = x.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::int64_t& at = out[static_cast<std::size_t>(places[i])];
    at = (accumulate ? at : 0) + values[i];
  }
  return out;
}

}  // namespace

TEST_CASE("index: random expressions give what NumPy gives, and index_put writes there") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/indexing.jsonl");
  REQUIRE(file);
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto data = nlohmann::json::parse(line);
    INFO(data["shape"].dump() << " " << data["items"].dump());
    const Tensor x = numbered(shape_of(data["shape"]));
    std::vector<TensorIndex> items;
    for (const auto& item : data["items"]) items.push_back(item_of(item));
    const Tensor result = index(x, items);
    const auto places = data["values"].get<Integers>();
    REQUIRE(result.shape() == shape_of(data["result"]));
    REQUIRE(result.to_vector<std::int64_t>() == places);

    const Tensor values = mul(numbered(result.shape()), -3);
    const Integers given = values.to_vector<std::int64_t>();
    for (const bool accumulate : {false, true}) {
      const Integers expected = put(x, places, given, accumulate);
      CHECK(index_put(x, items, values, {.accumulate = accumulate}).to_vector<std::int64_t>() == expected);
      Tensor changed = x.clone();
      index_put_(changed, items, values, {.accumulate = accumulate});
      CHECK(changed.to_vector<std::int64_t>() == expected);
    }
    if (x.dim() < 2) continue;
    const Tensor turned = transpose(transpose(x, 0, 1).clone(MemoryFormat::contiguous), 0, 1);
    CHECK(index(turned, items).to_vector<std::int64_t>() == places);
  }
  CHECK(count == 400);
}

TEST_CASE("index: no items, and without tensors it is a view") {
  Tensor x = numbered({3, 4});
  CHECK(index(x, {}).shape() == Shape{3, 4});
  index(x, {1, Slice(1, 3)}).fill_(-1);
  CHECK(x.to_vector<std::int64_t>() == Integers{0, 1, 2, 3, 4, -1, -1, 7, 8, 9, 10, 11});
}

TEST_CASE("index_put_: is recorded, and only the value that stays has a gradient") {
  const Tensor leaf = ones({4}, {.dtype = float64, .requires_grad = true});
  const Tensor values = tensor({2.0, 3.0, 4.0}, {.dtype = float64, .requires_grad = true});
  Tensor x = leaf * 2;
  index_put_(x, {tensor({1, 3, 1})}, values);
  CHECK(x.to_vector<double>() == std::vector<double>{2, 4, 2, 3});
  sum(x * tensor({1.0, 10.0, 100.0, 1000.0}, {.dtype = float64})).backward();
  CHECK(leaf.grad().to_vector<double>() == std::vector<double>{2, 0, 200, 0});
  CHECK(values.grad().to_vector<double>() == std::vector<double>{0, 1000, 10});
}

TEST_CASE("index_put_: in memory of any order, and from the tensor itself") {
  const Tensor base = numbered({3, 4});
  Tensor x = transpose(base, 0, 1);
  index_put_(x, {tensor({0, -1})}, 7);
  CHECK(base.to_vector<std::int64_t>() == Integers{7, 1, 2, 7, 7, 5, 6, 7, 7, 9, 10, 7});
  Tensor y = numbered({4});
  index_put_(y, {Slice(1)}, index(y, {Slice({}, 3)}));
  CHECK(y.to_vector<std::int64_t>() == Integers{0, 0, 1, 2});
  Tensor leaf = ones({2}, {.requires_grad = true});
  CHECK_THROWS_AS(index_put_(leaf, {0}, 1), Error);
  CHECK(leaf.to_vector<float>() == std::vector<float>{1, 1});
}

TEST_CASE("index, index_put_: as members of Tensor") {
  Tensor x = numbered({2, 3});
  CHECK(x.index({ellipsis, Slice({}, {}, -2)}).to_vector<std::int64_t>() == Integers{2, 0, 5, 3});
  x.index_put_({0, 1}, 9).index_put_({1}, tensor({7, 8, 9})).index_put_({tensor({1, 1}), 0}, 10, {.accumulate = true});
  CHECK(x.to_vector<std::int64_t>() == Integers{0, 9, 2, 27, 8, 9});
  CHECK_THROWS_WITH(x.index({2}),
                    Catch::StartsWith("index: index 2 is out of range for axis 0 of shape (2, 3); called at"));
}
