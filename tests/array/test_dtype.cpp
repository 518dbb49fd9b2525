#include <xgrad/array/dtype.hpp>
#include <xgrad/autograd/create.hpp>

#include <climits>
#include <sstream>

#include "../catch.hpp"
#include "../ops/values.hpp"
#include "../reference/dtypes.hpp"

using namespace xgrad;
using reference::all_dtypes;
using reference::dtype_named;

TEST_CASE("dtype: names and sizes") {
  CHECK(name(bfloat16) == std::string("bfloat16"));
  std::ostringstream text;
  text << uint8 << ' ' << int16;
  CHECK(text.str() == "uint8 int16");
  CHECK((item_size(uint8) == 1 && item_size(float16) == 2 && item_size(int32) == 4 && item_size(float64) == 8));
  CHECK((dtype_of<BFloat16>() == bfloat16 && dtype_of<std::uint8_t>() == uint8 && dtype_of<std::int32_t>() == int32));
  CHECK((is_floating(float16) && !is_floating(int8) && !is_floating(bool_)));
}

TEST_CASE("dtype: every pair is promoted as in PyTorch") {
  const auto& table = reference::dtypes()["promotion"];
  REQUIRE(table.size() == std::size(all_dtypes));
  for (const auto& [a, row] : table.items())
    for (const auto& [b, expected] : row.items()) {
      INFO(a << " and " << b);
      CHECK(name(promote(dtype_named(a), dtype_named(b))) == expected.get<std::string>());
    }
}

TEST_CASE("dtype: a number beside a tensor is promoted as in PyTorch") {
  for (const auto& [text, row] : reference::dtypes()["number_promotion"].items()) {
    INFO(text);
    const DType dtype = dtype_named(text);
    CHECK(name(promote(dtype, Scalar(true))) == row["bool"].get<std::string>());
    CHECK(name(promote(dtype, Scalar(2))) == row["int"].get<std::string>());
    CHECK(name(promote(dtype, Scalar(2.5))) == row["float"].get<std::string>());
  }
}

TEST_CASE("dtype: every pair is converted as in PyTorch") {
  std::size_t pairs = 0;
  for (const auto& from : reference::dtypes()["conversion"]) {
    const Tensor x = reference::to_tensor(from["values"], dtype_named(from["from"]));
    for (const auto& [to, expected] : from["to"].items()) {
      const Tensor y = x.to(dtype_named(to));
      ++pairs;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (expected[i].is_null()) continue;  // PyTorch leaves it to the processor
        INFO(from["from"] << ' ' << from["values"][i] << " to " << to);
        CHECK(reference::to_json_number(y, static_cast<std::int64_t>(i)) == expected[i]);
      }
    }
  }
  CHECK(pairs == 100);
}

TEST_CASE("dtype: a floating number that an integer type cannot hold becomes the nearest that it can, and NaN 0") {
  for (const DType floating : {bfloat16, float16, float32, float64}) {
    CAPTURE(floating);
    const Tensor x = tensor({1e30, -1e30, inf, -inf, NaN, -0.9, 1.9, -1.9}, {.dtype = floating});
    CHECK(x.to(uint8).to_vector<int>() == std::vector<int>{255, 0, 255, 0, 0, 0, 1, 0});
    CHECK(x.to(int8).to_vector<int>() == std::vector<int>{127, -128, 127, -128, 0, 0, 1, -1});
    CHECK(x.to(int16).to_vector<int>() == std::vector<int>{32767, -32768, 32767, -32768, 0, 0, 1, -1});
    CHECK(x.to(int32).to_vector<int>() == std::vector<int>{INT_MAX, INT_MIN, INT_MAX, INT_MIN, 0, 0, 1, -1});
    if (floating != float16)  // in which 1e30 is infinite as well
      CHECK(x.to(int64).to_vector<std::int64_t>() == Integers{INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, 0, 0, 1, -1});
  }
  const Tensor ends = tensor({127.9, -128.9, 255.9, 256.0, -0.5});
  CHECK(ends.to(int8).to_vector<int>() == std::vector<int>{127, -128, 127, 127, 0});
  CHECK(ends.to(uint8).to_vector<int>() == std::vector<int>{127, 0, 255, 255, 0});
}

TEST_CASE("dtype: conversion of memory in any layout") {
  for (const DType to : all_dtypes) {
    if (to == bool_) continue;
    CAPTURE(to);
    Tensor x = empty({2, 3, 300}, {.dtype = float32});
    for (std::int64_t i = 0; i < x.numel(); ++i) x.data<float>()[i] = static_cast<float>(i % 128);
    const Tensor wide = detail::view(x, {300, 2, 3}, {1, 900, 300}),
                 strided = detail::view(x, {2, 3, 150}, {900, 300, 2}), repeated = detail::view(x, {4, 300}, {0, 1});
    for (const Tensor& view : {wide, strided, repeated}) {
      const Tensor y = view.to(to);
      CHECK(y.dtype() == to);
      CHECK(y.to_vector<float>() == view.to_vector<float>());
      CHECK(y.to(float32).to_vector<float>() == view.to_vector<float>());
    }
    const Tensor target = detail::view(empty({900}, {.dtype = to}), {150, 3}, {6, 2});
    detail::overwrite(target, detail::view(x, {150, 3}, {1, 300}));
    CHECK(target.to_vector<float>() == detail::view(x, {150, 3}, {1, 300}).to_vector<float>());
  }
}
