// Files of NumPy: tests/reference/make_npy.py.
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/io/npy.hpp>
#include <xgrad/ops/shape.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;
using nlohmann::json;

namespace {

std::string bytes_of(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

const json& reference() {
  static const json all = [] {
    std::ifstream file(XGRAD_TESTS_DIR "/reference/npy.json");
    REQUIRE(file);
    return json::parse(file);
  }();
  return all;
}

/// A file with this dictionary and this many bytes behind it.
std::string file_of(std::string dictionary, std::size_t bytes) {
  std::string out("\x93NUMPY\1\0", 8);
  dictionary += '\n';
  out += {static_cast<char>(dictionary.size() % 256), static_cast<char>(dictionary.size() / 256)};
  return out + dictionary + std::string(bytes, '\1');
}

}  // namespace

TEST_CASE("npy: files of NumPy of every dtype, order and version, both ways") {
  const TemporaryDirectory directory;
  for (const json& entry : reference()["files"]) {
    INFO(entry);
    const std::string bytes = bytes_of(entry["file"].get<std::string>());
    const Tensor loaded = load_npy(directory.write("x.npy", bytes));
    CHECK(name(loaded.dtype()) == entry["dtype"].get<std::string>());
    CHECK(loaded.shape() == Shape(entry["shape"].get<std::vector<std::int64_t>>()));
    json values = json::array();
    if (is_floating(loaded.dtype()))
      values = loaded.to_vector<double>();
    else if (loaded.dtype() == bool_)
      values = loaded.to_vector<bool>();
    else
      values = loaded.to_vector<std::int64_t>();
    CHECK(values == entry["values"]);
    if (!entry["same"].get<bool>()) continue;
    save_npy(directory.path("y.npy"), loaded);
    CHECK(io::read_file(directory.path("y.npy")) == bytes);
  }
}

TEST_CASE("npy: a view is written as it is seen, a transpose in column-major order") {
  const TemporaryDirectory directory;
  const Tensor x = reshape(arange(12, {.dtype = int64}), {3, 4}), y = expand(x, {2, 3, 4});
  save_npy(directory.path("x.npy"), transpose(x, 0, 1));
  const Tensor loaded = load_npy(directory.path("x.npy"));
  CHECK(loaded.strides() == Shape{1, 4});
  CHECK(loaded.to_vector<int>() == transpose(x, 0, 1).to_vector<int>());
  save_npy(directory.path("y.npy"), y);
  CHECK(load_npy(directory.path("y.npy")).to_vector<int>() == y.to_vector<int>());
}

TEST_CASE("npy: what is no array, or not ours, is an error that says so") {
  const TemporaryDirectory directory;
  const auto load = [&](const std::string& bytes) { return load_npy(directory.write("x.npy", bytes)); };
  const std::string where = "load_npy: " + directory.path("x.npy") + ": ";
  for (const auto& [kind, hex] : reference()["refused"].items()) {
    INFO(kind);
    CHECK_THROWS_WITH(load(bytes_of(hex.get<std::string>())),
                      StartsWith(where + (kind == "nine_axes" ? "an array of more than 8 axes"
                                          : kind == "records" ? "an array of records"
                                                              : "no dtype has elements of NumPy's type")));
  }
  const std::string all = bytes_of(reference()["files"].back()["file"].get<std::string>());
  for (std::size_t size = 0; size < all.size(); ++size) CHECK_THROWS_WITH(load(all.substr(0, size)), StartsWith(where));
  CHECK_THROWS_WITH(load("{'descr'"), StartsWith(where + "this is no NumPy array (.npy)"));
  const auto entry = [](const std::string& shape) {
    return "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape;
  };
  CHECK(load(file_of(entry("(2L,), }"), 16)).shape() == Shape{2});
  CHECK(load(file_of(entry("(0, 9223372036854775807, 4)}"), 0)).numel() == 0);
  CHECK_THROWS_WITH(load(file_of(entry("(4611686018427387904, 4)}"), 64)), Contains("the file is cut short"));
  CHECK_THROWS_WITH(load(file_of(entry("(2,)}"), 15)), Contains("needs more than the 15 bytes behind the header"));
  for (const char* rest : {"(-1,)}", "(2,)", "(2", "2}", "(2,)} x", "(99999999999999999999,)}", "(2,), 'shape': (2,)}"})
    CHECK_THROWS_WITH(load(file_of(entry(rest), 16)), StartsWith(where));
  std::string no_bool = file_of("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", 2);
  no_bool.back() = 2;
  CHECK_THROWS_WITH(load(no_bool), StartsWith(where + "element 1 of a bool array is 2"));
  CHECK_THROWS_WITH(load(file_of("{'descr': '<f8', 'shape': ()}", 8)), Contains("lacks descr, fortran_order or shape"));
  CHECK_THROWS_WITH(save_npy(directory.path("x.npy"), zeros({1}, {.dtype = bfloat16})),
                    StartsWith("save_npy: " + directory.path("x.npy") + ": NumPy has no bfloat16"));
  CHECK_THROWS_WITH(save_npy(directory.path("x.npy"), Tensor()), Contains("the tensor is undefined"));
}
