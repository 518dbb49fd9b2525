#include <xgrad/ops/fft/short_time.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

std::vector<OpSample> stft_samples() {
  const auto of = [](const std::string& arguments, const Shape& shape, const fft::StftOptions& options) {
    return sample("torch.view_as_real(torch.stft(x[0], 6, " + arguments + ", return_complex=True))",
                  {sample_normal(shape)}, [=](auto& x) { return fft::stft(x[0], 6, options); });
  };
  return {
      of("window=torch.ones(6, dtype=x[0].dtype)", {2, 9}, {}),
      of("hop_length=2, center=False, onesided=False, window=torch.ones(6, dtype=x[0].dtype)", {11},
         {.hop_length = 2, .center = false, .onesided = false}),
      of("hop_length=3, normalized=True, pad_mode='constant', window=torch.ones(6, dtype=x[0].dtype)", {10},
         {.hop_length = 3, .pad_mode = PadMode::constant, .normalized = true}),
      sample("torch.view_as_real(torch.stft(x[0], 6, hop_length=2, win_length=4, window=x[1], return_complex=True))",
             {sample_normal({9}), sample_uniform({4}, 0.5, 1, 2)},
             [](auto& x) { return fft::stft(x[0], 6, {.hop_length = 2, .win_length = 4, .window = x[1]}); }),
      sample("torch.zeros(0, 4, 2, 2, dtype=torch.float64)", {sample_normal({0, 9})},
             [](auto& x) { return fft::stft(x[0], 6, {.hop_length = 2, .center = false}); })};
}

std::vector<OpSample> istft_samples() {
  const std::string complex = "torch.istft(torch.view_as_complex(x[0].contiguous()), 6, ";
  const std::string ones_window = "window=torch.ones(6, dtype=x[0].dtype)";
  const auto of = [=](const std::string& arguments, const Shape& shape, const fft::IstftOptions& options) {
    return sample(complex + arguments + ", " + ones_window + ")", {sample_normal(shape)},
                  [=](auto& x) { return fft::istft(x[0], 6, options); });
  };
  return {of("hop_length=2", {2, 4, 3, 2}, {.hop_length = 2}),
          of("hop_length=2, length=9", {4, 4, 2}, {.hop_length = 2, .length = 9}),
          of("hop_length=3, normalized=True, onesided=False, center=False", {6, 3, 2},
             {.hop_length = 3, .center = false, .normalized = true, .onesided = false}),
          sample(complex + "hop_length=2, win_length=4, window=x[1])",
                 {sample_normal({4, 4, 2}), sample_uniform({4}, 0.5, 1, 2)},
                 [](auto& x) { return fft::istft(x[0], 6, {.hop_length = 2, .win_length = 4, .window = x[1]}); }),
          sample("torch.zeros(0, 4, dtype=torch.float64)", {sample_normal({0, 4, 3, 2})},
                 [](auto& x) { return fft::istft(x[0], 6, {.hop_length = 2}); })};
}

}  // namespace

std::span<const OpInfo> short_time_ops() {
  static const OpInfo ops[] = {
      {"fft::stft", "Fourier transforms", "spectra of frames of a signal", true, stft_samples,
       [] {
         return std::vector<OpError>{
             {[] { fft::stft(ones({9}), 0); }, "stft: n_fft is 0"},
             {[] { fft::stft(ones({9}), 4, {.hop_length = 0}); }, "stft: hop_length is 0"},
             {[] { fft::stft(ones({9}), 4, {.win_length = 5}); }, "stft: win_length is 5; it must be from 1 to n_fft"},
             {[] { fft::stft(ones({9}), 4, {.win_length = 3, .window = ones({2})}); }, "stft: a window of shape (2,)"},
             {[] { fft::stft(ones({9}), 12, {.center = false}); }, "stft: signals of length 9 are shorter"},
             {[] {
                fft::stft(ones({2, 2, 9}), 4);
              },
              "stft: a signal of shape (2, 2, 9)"}};
       }},
      {"fft::istft", "Fourier transforms", "the signal of such spectra", true, istft_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        fft::istft(ones({4, 3}), 6);
                                      },
                                      "istft: spectra of shape (4, 3)"},
                                     {[] {
                                        fft::istft(ones({5, 3, 2}), 6);
                                      },
                                      "istft: 5 frequencies"},
                                     {[] {
                                        fft::istft(ones({4, 3, 2}), 6, {.hop_length = 8, .center = false});
                                      },
                                      "istft: hop_length is 8 and n_fft 6; frames must not leave out a part"},
                                     {[] {
                                        fft::istft(ones({4, 3, 2}), 6, {.window = zeros({6})});
                                      },
                                      "istft: the windows leave out a part"},
                                     {[] {
                                        fft::istft(ones({4, 3, 2}), 6, {.length = 0});
                                      },
                                      "istft: a signal of length 0"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
