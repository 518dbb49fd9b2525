#include <xgrad/autograd/create.hpp>
#include <xgrad/io/file.hpp>
#include <xgrad/io/safetensors.hpp>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

template <class T>
std::vector<T> values(const Tensor& t) {
  return std::vector<T>(t.data<T>(), t.data<T>() + t.numel());
}

}  // namespace

TEST_CASE("safetensors: tensors of every dtype come back as they were") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  Tensor flags = tensor({1, 0, 1}).to(bool_);
  save_safetensors(path,
                   {{"flags", flags},
                    {"weight", tensor({{1.5, -2}, {3, 4}}, {.requires_grad = true})},
                    {"wide", tensor(0.1, {.dtype = float64})},
                    {"count", tensor({7, 8}, {.dtype = int64})},
                    {"empty", zeros({0, 3})}},
                   {{"epoch", "3"}});

  const NamedTensors loaded = load_safetensors(path);
  REQUIRE(loaded.size() == 5);
  CHECK(loaded[0].first == "flags");
  CHECK(values<bool>(loaded[0].second) == std::vector<bool>{true, false, true});
  CHECK(loaded[1].first == "weight");
  CHECK(loaded[1].second.shape() == Shape{2, 2});
  CHECK(values<float>(loaded[1].second) == std::vector<float>{1.5, -2, 3, 4});
  CHECK_FALSE(loaded[1].second.requires_grad());
  CHECK(loaded[2].second.shape() == Shape{});
  CHECK(loaded[2].second.item<double>() == 0.1);
  CHECK(values<std::int64_t>(loaded[3].second) == std::vector<std::int64_t>{7, 8});
  CHECK(loaded[4].second.shape() == Shape{0, 3});
  CHECK(load_safetensors_metadata(path) == std::map<std::string, std::string>{{"epoch", "3"}});
}

TEST_CASE("safetensors: a view is written in row-major order") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  const Tensor t = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  save_safetensors(path, {{"transposed", detail::view(t, {3, 2}, {1, 3})}});
  const Tensor loaded = load_safetensors(path)[0].second;
  CHECK(loaded.shape() == Shape{3, 2});
  CHECK(values<float>(loaded) == std::vector<float>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("safetensors: what cannot be saved is an error and leaves the old file") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  const Tensor t = tensor({1.0, 2.0});
  save_safetensors(path, {{"a", t}});
  CHECK_THROWS_WITH(save_safetensors(path, {{"a", t}, {"b", Tensor()}}), Contains("tensor 'b' is undefined"));
  CHECK_THROWS_WITH(save_safetensors(path, {{"a", t}, {"a", t}}), Contains("duplicate tensor 'a'"));
  CHECK_THROWS_WITH(save_safetensors(directory.path("missing/m"), {{"a", t}}),
                    "save_safetensors: " + directory.path("missing/m") + ": No such file or directory");
  CHECK(load_safetensors(path).size() == 1);
  CHECK_THROWS_WITH(load_safetensors(directory.path("other")), Contains("other: No such file or directory"));
}

TEST_CASE("safetensors: in memory as in a file") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("a.safetensors");
  const NamedTensors tensors{{"w", tensor({{1.5, -2}, {3, 4}})}, {"empty", zeros({0, 3}, {.dtype = int64})}};
  save_safetensors(path, tensors, {{"k", "v"}});
  const std::string bytes = to_safetensors(tensors, {{"k", "v"}});
  CHECK(bytes == io::read_file(path));
  const NamedTensors loaded = from_safetensors(bytes);
  REQUIRE(loaded.size() == 2);
  CHECK(loaded[0].first == "w");
  for (int i = 0; i < 4; ++i) CHECK(loaded[0].second.data<float>()[i] == tensors[0].second.data<float>()[i]);
  CHECK(loaded[1].second.shape() == Shape{0, 3});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS(from_safetensors(std::string_view(bytes).substr(0, size)), Error);
  CHECK_THROWS_AS(to_safetensors({{"undefined", Tensor()}}), Error);
}
