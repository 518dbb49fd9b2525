#include <xgrad/ops/pixel_shuffle.hpp>
#include <xgrad/ops/shape.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

struct ShuffleCase {
  Shape shape;
  std::int64_t number;
};

/// f(x, number) for each case, and for the first with its channels innermost.
using Shuffle = Tensor (*)(Operand, std::int64_t);

std::vector<OpSample> shuffle_samples(const char* python, const std::vector<ShuffleCase>& cases, Shuffle f) {
  std::vector<OpSample> samples;
  const auto add = [&](const Tensor& x, std::int64_t number) {
    // PyTorch's gradients of nothing have the wrong shape.
    const std::string reference = x.numel() == 0 ? "x[0].reshape" + f(x, number).shape().str()
                                                 : std::string(python) + "(x[0], " + std::to_string(number) + ")";
    samples.push_back(sample(reference, {x}, [=](auto& in) { return f(in[0], number); }));
  };
  for (const auto& [shape, number] : cases) add(sample_normal(shape), number);
  add(sample_normal(cases[0].shape).detach().contiguous(channels_last).requires_grad_(), cases[0].number);
  return samples;
}

std::vector<OpError> shuffle_errors(Shuffle f, std::initializer_list<std::pair<ShuffleCase, const char*>> cases) {
  std::vector<OpError> errors;
  for (const auto& [wrong, message] : cases)
    errors.push_back({[f, wrong = wrong] { f(ones(wrong.shape), wrong.number); }, message});
  return errors;
}

}  // namespace

std::span<const OpInfo> pixel_shuffle_ops() {
  static const OpInfo ops[] = {
      {"pixel_shuffle", "shape", "out[c, h r + i, w r + j] = x[c r r + i r + j, h, w]", true,
       [] {
         return shuffle_samples("F.pixel_shuffle",
                                {{{2, 8, 2, 3}, 2}, {{9, 1, 2}, 3}, {{2, 1, 2, 4, 1, 2}, 2}, {{0, 4, 2, 2}, 2}},
                                pixel_shuffle);
       },
       [] {
         return shuffle_errors(pixel_shuffle, {{{{2, 2}, 2}, "(..., C, H, W) of at least three axes is needed"},
                                               {{{6, 2, 2}, 2}, "has 6 channels; with upscale_factor 2 they must be"},
                                               {{{4, 2, 2}, 0}, "upscale_factor is 0; it must be at least 1"},
                                               {{{4, 2, 2}, 1LL << 40}, "upscale_factor is 1099511627776"}});
       }},
      {"pixel_unshuffle", "shape", "out[c r r + i r + j, h, w] = x[c, h r + i, w r + j]", true,
       [] {
         return shuffle_samples("F.pixel_unshuffle", {{{2, 2, 4, 6}, 2}, {{1, 3, 6}, 3}, {{0, 1, 2, 2}, 2}},
                                pixel_unshuffle);
       },
       [] {
         return shuffle_errors(pixel_unshuffle, {{{{2, 2}, 2}, "at least three axes is needed"},
                                                 {{{4, 2, 3}, 2}, "must be multiples of downscale_factor 2"},
                                                 {{{4, 2, 2}, -1}, "downscale_factor is -1; it must be at least 1"}});
       }},
      {"channel_shuffle", "shape", "channels dealt out in turn from equal parts", true,
       [] {
         return shuffle_samples("F.channel_shuffle", {{{2, 6, 2, 3}, 3}, {{2, 4, 3}, 2}, {{0, 4, 2, 2}, 2}},
                                channel_shuffle);
       },
       [] {
         return shuffle_errors(channel_shuffle, {{{{2, 4}, 2}, "(N, C, ...) of at least three axes is needed"},
                                                 {{{1, 4, 2}, 3}, "groups is 3; it must divide the 4 channels"},
                                                 {{{1, 4, 2}, 0}, "groups is 0"}});
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
