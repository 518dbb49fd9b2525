#include <xgrad/autograd/create.hpp>
#include <xgrad/data/json_lines.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/data/memory_mapped.hpp>
#include <xgrad/io/npy.hpp>
#include <xgrad/ops/shape.hpp>

#include <cmath>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;
using Indices = std::vector<std::int64_t>;

TEST_CASE("MemoryMapped: rows of .npy and raw files, by several workers", "[threads]") {
  const TemporaryDirectory directory;
  const Tensor x = reshape(arange(40), {10, 2, 2}), y = arange(10, {.dtype = int64});
  const std::string x_path = directory.path("x.npy"), y_path = directory.path("y.npy");
  save_npy(x_path, x);
  save_npy(y_path, y);
  const data::MemoryMapped set{data::MappedArray(x_path), data::MappedArray(y_path)};
  CHECK(set.batch(Indices{7, 0}).x.shape() == Shape{2, 2, 2});
  CHECK(set.batch({}).x.shape() == Shape{0, 2, 2});
  for (const std::int64_t workers : {0, 3})
    for (const auto& [images, labels] : data::DataLoader(set, {.batch_size = 3, .shuffle = true, .workers = workers}))
      for (std::int64_t i = 0; i < labels.numel(); ++i) CHECK(images.at({i, 1, 1}) == 4 * labels.at({i}) + 3);

  const std::string raw = directory.write("raw", std::string("head") + std::string(12, '\2'));
  const data::MappedArray bytes(raw, {3, 2}, uint8, 4);
  CHECK(bytes.rows(Indices{2}).to_vector<int>() == std::vector{2, 2});
  CHECK_THROWS_WITH(bytes.rows(Indices{3}), StartsWith("MappedArray: sample 3 is out of range for 3 samples"));
  CHECK_THROWS_WITH(
      data::MappedArray(raw, {4, 2}, int16, 4),
      StartsWith("MappedArray: " + raw + ": shape (4, 2) of int16 from byte 4 on needs more than the 16"));
  CHECK_THROWS_WITH(data::MappedArray(raw, {INT64_MAX / 2, 2}, float64, 4), Contains("needs more than the 16"));
  CHECK_THROWS_WITH(data::MappedArray(raw, {1}, uint8, -1), Contains("offset -1 is negative"));
  CHECK_THROWS_WITH(data::MappedArray(raw, {}, uint8), Contains("an array without axes has no rows"));
  CHECK_THROWS_WITH(data::MappedArray(raw, {2}, bool_, 4).rows(Indices{0}), Contains("a bool in row 0 is 2"));
  CHECK(data::MappedArray(raw, {0, 3}, float32).rows({}).shape() == Shape{0, 3});
  CHECK_THROWS_WITH(data::MappedArray(directory.path("none")), Contains("No such file"));
  CHECK_THROWS_WITH(data::MappedArray(raw), Contains("this is no NumPy array"));
  save_npy(y_path, transpose(x, 0, 2));
  CHECK_THROWS_WITH(data::MappedArray(y_path), Contains("the array is in column-major order"));
  CHECK_THROWS_WITH((data::MemoryMapped{data::MappedArray(x_path), bytes}),
                    StartsWith("MemoryMapped: inputs (10, 2, 2) and targets (3, 2) differ"));
}

TEST_CASE("read_json_lines: columns by name, types, missing values") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("x.jsonl", R"({"a": 1, "b": 0.5, "t": "x", "f": true}
{"a": 9223372036854775807, "b": 2, "t": null, "f": false, "late": 7}

{"f": true, "t": "\u00e9", "a": -3, "b": null}
)");
  const data::Table table = data::read_json_lines(path);
  CHECK(table.size() == 3);
  CHECK(table.names() == std::vector<std::string>{"a", "b", "f", "t", "late"});
  CHECK(table["a"].values.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, INT64_MAX, -3});
  CHECK(table["b"].values.dtype() == float64);
  CHECK(table["b"].missing() == 1);
  CHECK(table["f"].values.to_vector<bool>() == std::vector{true, false, true});
  CHECK(table["t"].text(0) == "x");
  CHECK_FALSE(table["t"].text(1));
  CHECK(table["t"].text(2) == "\u00e9");
  CHECK(std::isnan(table["late"].values.at({0})));
  CHECK(table["late"].values.at({1}) == 7);
  CHECK(data::parse_json_lines(R"({"n": 18446744073709551615})")["n"].values.dtype() == float64);
  CHECK(data::parse_json_lines("{\"f\": true}\n{}")["f"].text(0) == "true");
  CHECK(data::parse_json_lines("").size() == 0);

  CHECK_THROWS_WITH(data::parse_json_lines("{}\n{\"a\": 1"), StartsWith("parse_json_lines: line 2 is no JSON object"));
  CHECK_THROWS_WITH(data::parse_json_lines("[1]"), StartsWith("parse_json_lines: line 1 is no JSON object"));
  CHECK_THROWS_WITH(data::parse_json_lines("{\"a\": [1]}"), StartsWith("parse_json_lines: line 1: a is a list"));
  CHECK_THROWS_WITH(data::parse_json_lines("{\"a\": 1}\n{\"a\": \"x\"}"),
                    StartsWith("parse_json_lines: column a has values of several types"));
  CHECK_THROWS_AS(data::parse_json_lines(std::string(100000, '[')), Error);
}
