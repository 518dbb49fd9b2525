// Tables of pandas: tests/reference/make_csv.py.
#include <xgrad/autograd/create.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/data/csv.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "../catch.hpp"
#include "../locale.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::StartsWith;
using nlohmann::json;

namespace {

/// The column as make_csv.py writes pandas's.
json as_json(const data::Column& column) {
  json values = json::array();
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (column.is_text) {
      const auto text = column.text(i);
      values.push_back(text ? json(*text) : json());
    } else if (column.values.dtype() == int64) {
      values.push_back(column.values.data<std::int64_t>()[i]);
    } else if (column.values.dtype() == bool_) {
      values.push_back(column.values.data<bool>()[i]);
    } else {
      const double value = column.values.data<double>()[i];
      values.push_back(std::isnan(value) ? json() : std::isinf(value) ? json(value > 0 ? "inf" : "-inf") : json(value));
    }
  }
  return {{"name", column.name}, {"kind", column.is_text ? "text" : name(column.values.dtype())}, {"values", values}};
}

}  // namespace

TEST_CASE("read_csv: 200 odd files as pandas, in any locale") {
  const Locale german("de_DE.UTF-8");
  std::ifstream file(XGRAD_TESTS_DIR "/reference/csv.json");
  REQUIRE(file);
  for (const json& problem : json::parse(file)) {
    const auto text = problem["text"].get<std::string>();
    INFO(text);
    const data::Table table = data::parse_csv(text, {.delimiter = problem["delimiter"].get<std::string>()[0]});
    json columns = json::array();
    for (const data::Column& column : table.columns()) columns.push_back(as_json(column));
    CHECK(columns == problem["columns"]);
  }
}

TEST_CASE("read_csv: options") {
  const data::Table plain = data::parse_csv("1,2\n3,4\n", {.header = false});
  CHECK(plain.names() == std::vector<std::string>{"0", "1"});
  CHECK(plain.size() == 2);
  const data::Table named = data::parse_csv("a,b\n3,4\n", {.names = {"x", "y"}});
  CHECK(named.names() == std::vector<std::string>{"x", "y"});
  CHECK(named.size() == 1);
  const data::Table kept = data::parse_csv("zip,n\n01234,-9\n00501,5\n", {.text = {"zip"}, .missing = {"-9"}});
  CHECK(kept["zip"].text(1) == "00501");
  CHECK(kept["n"].missing() == 1);
  CHECK(kept["n"].values.dtype() == float64);
  CHECK(data::parse_csv("a,b\n").size() == 0);
}

TEST_CASE("read_csv: files that cannot be read, with the line") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("x.csv", "a,b\r\n1,2\r\n\r\n1,2,3\r\n");
  CHECK_THROWS_WITH(data::read_csv(path),
                    StartsWith("read_csv: " + path + ": line 4: 3 fields, where 2 were expected"));
  CHECK_THROWS_WITH(data::read_csv(directory.path("none")),
                    StartsWith("read_csv: " + directory.path("none") + ": No such"));
  CHECK_THROWS_WITH(data::parse_csv("a\nx\n\"y\nz"), StartsWith("parse_csv: line 3: a quote that is not closed"));
  CHECK_THROWS_WITH(data::parse_csv("\n \n"), StartsWith("parse_csv: there is no row in it"));
  CHECK_THROWS_WITH(data::parse_csv("a,b\n", {.names = {"x"}}), StartsWith("parse_csv: 1 names for 2 columns"));
  CHECK_THROWS_WITH(data::parse_csv("a,b\n", {.text = {"c"}}), StartsWith("parse_csv: there is no column c"));
  CHECK_THROWS_WITH(data::parse_csv("a\n", {.delimiter = '"'}), StartsWith("parse_csv: the delimiter is a quote"));
}

TEST_CASE("read_csv: many parts, with line ends in quotes, blank lines, and text that is no part of the file") {
  std::string text = "id,name,half\n";
  constexpr std::int64_t rows = 100000;
  for (std::int64_t i = 0; i < rows; ++i) {
    text += std::to_string(i) + ",\"no\n \"\"" + std::to_string(i % 7) + "\"\"\"," + std::to_string(i / 2) + ".5\n";
    if (i % 10 == 3) text += i % 20 == 3 ? "\n" : " \r\n";
  }
  const data::Table table = data::parse_csv(text);
  REQUIRE(table.size() == rows);
  CHECK(table["name"].categories.size() == 7);
  for (std::int64_t i = 0; i < rows; i += 97) {
    CHECK(table["id"].values.data<std::int64_t>()[i] == i);
    CHECK(table["name"].text(i) == "no\n \"" + std::to_string(i % 7) + "\"");
    CHECK(table["half"].values.data<double>()[i] == static_cast<double>(i / 2) + 0.5);
  }
  CHECK_THROWS_WITH(data::parse_csv(text + "x,y,z,\n"), StartsWith("parse_csv: line 210002: 4 fields, where 3"));
}

TEST_CASE("read_csv: many texts of all lengths, in many parts, alike for any number of threads") {
  const auto text_of = [](int i) {
    return i % 5 == 0 ? std::string("NA") : std::string(i % 37, 'x') + std::to_string(i % 9973);
  };
  constexpr int rows = 60000;
  std::string file = "text,n\n";
  for (int i = 0; i < rows; ++i) file += text_of(i) + ",1\n";
  const int threads = num_threads();
  for (const int n : {1, 3}) {
    set_num_threads(n);
    const data::Table table = data::parse_csv(file);
    const data::Column& column = table["text"];
    CHECK(std::is_sorted(column.categories.begin(), column.categories.end()));
    CHECK(column.missing() == rows / 5);
    for (int i = 0; i < rows; ++i)
      if (i % 5 != 0 && column.text(i) != text_of(i)) FAIL(i);
  }
  set_num_threads(threads);
}

TEST_CASE("read_csv: every decimal is the nearest double") {
  std::mt19937_64 random(1);
  std::vector<std::string> fields;
  std::string text = "x\n0.5\n";
  for (int i = 0; i < 30000; ++i) {
    std::string digits = std::to_string(random());
    digits.resize(1 + random() % digits.size());
    digits.insert(random() % (digits.size() + 1), ".");
    if (digits.size() < 3) digits += '0';
    fields.push_back(i % 3 ? digits : '-' + digits);
    text += fields.back() + '\n';
  }
  const data::Table table = data::parse_csv(text);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    double value = 0;
    std::from_chars(fields[i].data(), fields[i].data() + fields[i].size(), value);
    if (table["x"].values.data<double>()[i + 1] != value) FAIL(fields[i]);
  }
}

TEST_CASE("read_csv: a type that the last of many rows contradicts") {
  std::string text = "whole,number,truth\n";
  constexpr std::int64_t rows = 50000;
  for (std::int64_t i = 0; i < rows; ++i) text += "0" + std::to_string(i) + ",1,true\n";
  const data::Table table = data::parse_csv(text + "x,,1\n");
  REQUIRE(table.size() == rows + 1);
  CHECK(table["whole"].text(7) == "07");
  CHECK(table["whole"].text(rows) == "x");
  CHECK(table["whole"].categories.size() == rows + 1);
  CHECK(table["number"].values.dtype() == float64);
  CHECK(table["number"].missing() == 1);
  CHECK(table["truth"].text(0) == "true");
  CHECK(table["truth"].text(rows) == "1");
  const std::string long_number = "99999999999999999999";
  CHECK(data::parse_csv(text + long_number + ",1,true\n")["whole"].text(rows) == long_number);
}

TEST_CASE("Table: numbers side by side, rows, and what is not there") {
  const data::Table table = data::parse_csv("a,b,c\n1,,x\n2,0.5,y\n3,1,\n");
  const Tensor numbers = table.numbers({"b", "a"});
  CHECK(numbers.dtype() == float32);
  CHECK(numbers.shape() == Shape{3, 2});
  CHECK(std::isnan(numbers.at({0, 0})));
  CHECK(numbers.at({1, 0}) == 0.5);
  CHECK(numbers.at({2, 1}) == 3);
  CHECK(table.numbers({"a"}, int64).to_vector<int>() == std::vector{1, 2, 3});
  const data::Table two = table.rows({2, 0});
  CHECK(two["a"].values.to_vector<int>() == std::vector{3, 1});
  CHECK_FALSE(two["c"].text(0));
  CHECK(two["c"].text(1) == "x");
  CHECK_THROWS_WITH(table["d"], StartsWith("Table: there is no column d; there are: a, b, c"));
  CHECK_THROWS_WITH(table.numbers({"c"}), StartsWith("Table: column c is text, not numbers"));
  CHECK_THROWS_WITH(table.numbers({"b"}, int64), StartsWith("Table: column b has 1 missing values"));
  CHECK_THROWS_WITH(table.rows({3}), StartsWith("Table: sample 3 is out of range for 3 samples"));
  CHECK_THROWS_WITH(table["a"].text(0), StartsWith("Column: a is a column of int64, not of text"));
}
