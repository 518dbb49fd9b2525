#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/grid_sample.hpp>
#include <xgrad/ops/interpolate.hpp>
#include <xgrad/ops/pixel_shuffle.hpp>
#include <xgrad/ops/unfold.hpp>

#include <fstream>
#include <map>

#include "../reference/digests.hpp"
#include "values.hpp"

using namespace xgrad;
using reference::numbers;
using reference::shape_of;

namespace {

const std::map<std::string, InterpolateMode> interpolate_modes = {{"nearest", InterpolateMode::nearest},
                                                                  {"nearest-exact", InterpolateMode::nearest_exact},
                                                                  {"linear", InterpolateMode::linear},
                                                                  {"bilinear", InterpolateMode::bilinear},
                                                                  {"trilinear", InterpolateMode::trilinear},
                                                                  {"bicubic", InterpolateMode::bicubic},
                                                                  {"area", InterpolateMode::area}};
const std::map<std::string, GridSampleMode> sample_modes = {
    {"bilinear", GridSampleMode::bilinear}, {"nearest", GridSampleMode::nearest}, {"bicubic", GridSampleMode::bicubic}};
const std::map<std::string, GridSamplePadding> sample_paddings = {{"zeros", GridSamplePadding::zeros},
                                                                  {"border", GridSamplePadding::border},
                                                                  {"reflection", GridSamplePadding::reflection}};

InterpolateOptions interpolate_options(const nlohmann::json& call) {
  InterpolateOptions options{.mode = interpolate_modes.at(call["mode"]),
                             .align_corners = call.value("align_corners", false),
                             .recompute_scale_factor = call.value("recompute", false),
                             .antialias = call.value("antialias", false)};
  if (call.contains("size")) {
    options.size = shape_of(call, "size");
  } else {
    const auto f = call["scale_factor"].get<std::vector<double>>();
    options.scale_factor = f.size() == 1   ? ScaleFactor(f[0])
                           : f.size() == 2 ? ScaleFactor{f[0], f[1]}
                                           : ScaleFactor{f[0], f[1], f[2]};
  }
  return options;
}

Tensor call_operation(const nlohmann::json& call, const std::vector<Tensor>& x) {
  const std::string op = call["op"];
  if (op == "pixel_shuffle") return pixel_shuffle(x[0], call["number"]);
  if (op == "pixel_unshuffle") return pixel_unshuffle(x[0], call["number"]);
  if (op == "channel_shuffle") return channel_shuffle(x[0], call["number"]);
  if (op == "interpolate") return interpolate(x[0], interpolate_options(call));
  if (op == "affine_grid") return affine_grid(x[0], shape_of(call, "size"), {.align_corners = call["align_corners"]});
  if (op == "grid_sample")
    return grid_sample(x[0], call["spread"].get<double>() * x[1],
                       {.mode = sample_modes.at(call["mode"]),
                        .padding_mode = sample_paddings.at(call["padding"]),
                        .align_corners = call["align_corners"]});
  const UnfoldOptions options{
      .dilation = shape_of(call, "dilation"), .padding = shape_of(call, "padding"), .stride = shape_of(call, "stride")};
  if (op == "unfold") return unfold(x[0], shape_of(call, "kernel"), options);
  REQUIRE(op == "fold");
  return fold(x[0], shape_of(call, "size"), shape_of(call, "kernel"), options);
}

}  // namespace

TEST_CASE("shuffling, unfolding, interpolation and sampling agree with PyTorch over a grid of options") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/resampling.jsonl");
  int calls = 0;
  for (std::string line; std::getline(file, line); ++calls) {
    const nlohmann::json call = nlohmann::json::parse(line);
    INFO(line.substr(0, line.find("\"results\"")));
    std::vector<Tensor> x{numbers(shape_of(call, "x"), 1)};
    if (call["channels_last"]) x[0] = reference::channels_innermost(x[0]);
    if (call.contains("grid")) x.push_back(numbers(shape_of(call, "grid"), 2));
    for (Tensor& input : x) input.requires_grad_();
    if (call["results"] == "error")
      CHECK_THROWS_AS(call_operation(call, x), Error);
    else
      reference::check_results(call_operation(call, x), x, call["results"]);
  }
  CHECK(calls == 250);
}

TEST_CASE("resampling: results lie as their input does, without a copy of it") {
  const Tensor rows = numbers({2, 3, 4, 6}, 1), channels = rows.contiguous(channels_last),
               grid = numbers({2, 5, 4, 2}, 2);
  const auto lies_last = [](const Tensor& x) { return x.strides()[1] == 1; };
  const InterpolateOptions larger{.size = {8, 5}, .mode = InterpolateMode::bicubic};
  CHECK(interpolate(rows, larger).is_contiguous());
  CHECK(lies_last(interpolate(channels, larger)));
  CHECK(grid_sample(rows, grid).is_contiguous());
  CHECK(lies_last(grid_sample(channels, grid)));
  CHECK(lies_last(pixel_unshuffle(channels, 2)));
  CHECK(lies_last(channel_shuffle(channels, 3)));
  CHECK(lies_last(pixel_shuffle(pixel_unshuffle(channels, 2), 2)));
}

TEST_CASE("resampling: results are equal, bit for bit, for any number of threads", "[threads]") {
  const int before = num_threads();
  const auto run = [](MemoryFormat format) {
    const Tensor x = numbers({3, 20, 33, 31}, 1).to(float32).contiguous(format).requires_grad_(),
                 grid = numbers({3, 40, 30, 2}, 2).to(float32).requires_grad_();
    const Tensor y = interpolate(grid_sample(x, grid), {.size = {50, 21}, .mode = InterpolateMode::bilinear});
    const Tensor columns = unfold(y, 3), image = fold(columns, {50, 21}, 3);
    const auto gradients = grad(image, {x, grid}, {.grad_outputs = {numbers(image.shape(), 9).to(float32)}});
    return std::vector{image.to_vector<float>(), gradients[0].to_vector<float>(), gradients[1].to_vector<float>()};
  };
  for (const MemoryFormat format : {MemoryFormat::contiguous, channels_last}) {
    set_num_threads(1);
    const auto one = run(format);
    for (const int threads : {2, 4}) {
      set_num_threads(threads);
      CHECK(run(format) == one);
    }
  }
  set_num_threads(before);
}

TEST_CASE("interpolate: constants stay, whatever the mode and the sizes") {
  for (const auto& [name, mode] : interpolate_modes) {
    INFO(name);
    const std::size_t rank = name == "linear" ? 1 : name == "trilinear" ? 3 : 2;
    Shape shape{1, 2}, size;
    for (std::size_t i = 0; i < rank; ++i) shape.push_back(7), size.push_back(3 + 5 * static_cast<std::int64_t>(i));
    const Tensor y = interpolate(full(shape, 3.0, {.dtype = float64}),
                                 {.size = size, .mode = mode, .antialias = rank == 2 && name.starts_with("bi")});
    for (const double value : values<double>(y)) CHECK(value == Approx(3).epsilon(1e-14));
  }
}

TEST_CASE("grid_sample: places that are no numbers, and those far outside") {
  const Tensor x = ones({1, 1, 2, 2}), grid = reshape(tensor({NaN, 0.0, inf, 0.0, 1e30, -1e30}), {1, 1, 3, 2});
  for (const auto mode : {GridSampleMode::bilinear, GridSampleMode::nearest, GridSampleMode::bicubic}) {
    CHECK(values<float>(grid_sample(x, grid, {.mode = mode})) == Floats{0, 0, 0});
    for (const auto padding : {GridSamplePadding::border, GridSamplePadding::reflection}) {
      if (mode == GridSampleMode::bicubic) continue;  // PyTorch gives NaN there, too
      CHECK(values<float>(grid_sample(x, grid, {.mode = mode, .padding_mode = padding})) == Floats{1, 1, 1});
    }
  }
}
