// Archives of NumPy: tests/reference/make_npy.py.
#include <xgrad/autograd/create.hpp>
#include <xgrad/io/file.hpp>
#include <xgrad/npz/npz.hpp>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;

namespace {

std::string numpys(const char* kind) {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/npy.json");
  REQUIRE(file);
  const auto hex = nlohmann::json::parse(file)["npz"][kind].get<std::string>();
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

void expect(const NamedTensors& arrays) {
  REQUIRE(arrays.size() == 3);
  CHECK(arrays["a"].dtype() == float32);
  CHECK(arrays["a"].shape() == Shape{2, 3});
  CHECK(arrays["a"].to_vector<int>() == std::vector{0, 1, 2, 3, 4, 5});
  CHECK(arrays["layer.bias"].to_vector<int>() == std::vector{1, 0, 0, 0, 1, 0, 0, 0, 1});
  CHECK(arrays["none"].dtype() == int8);
  CHECK(arrays["none"].shape() == Shape{0, 2});
}

}  // namespace

TEST_CASE("npz: archives of NumPy, stored and compressed, both ways") {
  const TemporaryDirectory directory;
  const NamedTensors arrays = load_npz(directory.write("stored.npz", numpys("stored")));
  expect(arrays);
  expect(load_npz(directory.write("compressed.npz", numpys("compressed"))));
  for (const bool compressed : {false, true}) {
    const std::string path = directory.path("ours.npz");
    save_npz(path, arrays, {.compressed = compressed});
    expect(load_npz(path));
    const char* const python = std::getenv("XGRAD_PYTHON");
    if (!python) {
      WARN("set XGRAD_PYTHON to a Python with NumPy to have it read what was written");
      continue;
    }
    const std::string program =
        "import numpy, sys; d = numpy.load(sys.argv[1]); assert list(d) == ['a', 'layer.bias', "
        "'none']; assert (d['a'] == numpy.arange(6).reshape(2, 3)).all(); assert (d['layer.bias'] == "
        "numpy.eye(3)).all(); assert d['none'].shape == (0, 2) and d['none'].dtype == 'i1'";
    CHECK(std::system((std::string(python) + " -c \"" + program + "\" " + path).c_str()) == 0);
  }
  save_npz(directory.path("empty.npz"), {});
  CHECK(load_npz(directory.path("empty.npz")).empty());
}

TEST_CASE("npz: damaged archives and bad names are errors") {
  const TemporaryDirectory directory;
  const std::string all = numpys("stored"), path = directory.path("x.npz");
  const auto load = [&](const std::string& bytes) { return load_npz(directory.write("x.npz", bytes)); };
  CHECK_THROWS_WITH(load_npz(directory.path("none")), StartsWith("load_npz: " + directory.path("none") + ": No such"));
  CHECK_THROWS_WITH(load("no archive"), StartsWith("load_npz: " + path + ": "));
  for (std::size_t size = 0; size < all.size(); size += 7) CHECK_THROWS_AS(load(all.substr(0, size)), Error);
  std::string changed = all;
  changed[all.find("\x93NUMPY") + 128] ^= 1;  // an element: only the checksum tells
  CHECK_THROWS_WITH(load(changed), StartsWith("load_npz: " + path + ": a.npy: "));
  CHECK_THROWS_WITH(save_npz(path, {{"a", ones({1})}, {"a", ones({1})}}), Contains("the name 'a' is empty, repeats"));
  CHECK_THROWS_WITH(save_npz(path, {{"a", Tensor()}}), Contains("a: the tensor is undefined"));
}
