#include "short_time.hpp"

#include <cmath>

#include "../../autograd/create.hpp"
#include "../../autograd/primitives.hpp"
#include "../arithmetic.hpp"
#include "../extrema.hpp"
#include "../runs.hpp"
#include "../shape.hpp"
#include "../slicing.hpp"
#include "transforms.hpp"

namespace xgrad::fft {

namespace {

/// Frames of a signal: how long they are, how far apart, and by what they are multiplied.
struct Frames {
  template <class Options>
  Frames(const char* op, std::int64_t n_fft, const Options& options, DType dtype) : length(n_fft) {
    check(n_fft >= 1, op, ": n_fft is ", n_fft, "; it must be at least 1");
    hop = options.hop_length.value_or(std::max<std::int64_t>(n_fft / 4, 1));
    check(hop >= 1, op, ": hop_length is ", hop, "; it must be at least 1");
    const std::int64_t width = options.win_length.value_or(options.window.defined() ? options.window.numel() : n_fft);
    check(width >= 1 && width <= n_fft, op, ": win_length is ", width, "; it must be from 1 to n_fft, which is ",
          n_fft);
    window = options.window.defined() ? options.window.to(dtype) : ones(width, {.dtype = dtype});
    check(window.shape() == Shape{width}, op, ": a window of shape ", window.shape(), " for a win_length of ", width);
    if (width < n_fft) window = pad(window, {(n_fft - width) / 2, n_fft - width - (n_fft - width) / 2});
  }
  /// Where the frames of signals of this length begin, in all of them.
  Tensor begins(std::int64_t signals, std::int64_t signal_length, std::int64_t count) const {
    const Tensor first = reshape(mul(arange(signals, {.dtype = int64}), signal_length), {-1, 1});
    return reshape(first + mul(arange(count, {.dtype = int64}), hop), {-1});
  }
  std::int64_t length, hop;
  Tensor window;
};

void expect_floating(const char* op, const Tensor& x) {
  check(is_floating(x.dtype()), op, ": expected a floating tensor, got dtype ", x.dtype(),
        "; convert it with .to(float32)");
}

}  // namespace

Tensor stft(Operand x, std::int64_t n_fft, const StftOptions& options) {
  constexpr const char* op = "stft";
  expect_floating(op, *x);
  check(x->dim() == 1 || x->dim() == 2, op, ": a signal of shape ", x->shape(),
        "; (length,) or (batch, length) is needed");
  return detail::with_memory_for(op, [&] {
    const detail::MaybeOwned wide = detail::widened(*x);
    const Frames frames(op, n_fft, options, wide->dtype());
    Tensor signals = x->dim() == 1 ? unsqueeze(*wide, 0) : *wide;
    if (options.center) signals = pad(signals, {n_fft / 2, n_fft / 2}, {.mode = options.pad_mode});
    const std::int64_t batch = signals.size(0), length = signals.size(1);
    check(length >= n_fft, op, ": signals of length ", length, " are shorter than a frame of ", n_fft);
    const std::int64_t count = (length - n_fft) / frames.hop + 1;
    const Tensor parts =
        detail::take_runs(op, signals, frames.begins(batch, length, count), n_fft, {batch, count, n_fft});
    const Norm norm = options.normalized ? Norm::ortho : Norm::backward;
    const Tensor windowed = parts * frames.window;
    Tensor spectra =
        options.onesided ? rfft(windowed, {.norm = norm}) : fft(pad(unsqueeze(windowed, -1), {0, 1}), {.norm = norm});
    spectra = transpose(spectra, 1, 2);
    return detail::narrowed(x->dim() == 1 ? squeeze(spectra, 0) : std::move(spectra), x->dtype());
  });
}

Tensor istft(Operand x, std::int64_t n_fft, const IstftOptions& options) {
  constexpr const char* op = "istft";
  expect_floating(op, *x);
  check((x->dim() == 3 || x->dim() == 4) && x->shape().back() == 2, op, ": spectra of shape ", x->shape(),
        "; (frequencies, frames, 2) or (batch, frequencies, frames, 2) is needed");
  return detail::with_memory_for(op, [&] {
    const detail::MaybeOwned wide = detail::widened(*x);
    const Frames frames(op, n_fft, options, wide->dtype());
    const std::int64_t kept = n_fft / 2 + 1, frequencies = x->size(-3), count = x->size(-2);
    check(frequencies == (options.onesided ? kept : n_fft), op, ": ", frequencies, " frequencies in shape ", x->shape(),
          ", for n_fft ", n_fft, options.onesided ? " onesided ones are n_fft / 2 + 1" : " there are n_fft");
    check(count >= 1, op, ": there are no frames in shape ", x->shape());
    check(frames.hop <= n_fft || count == 1, op, ": hop_length is ", frames.hop, " and n_fft ", n_fft,
          "; frames must not leave out a part of the signal");
    check(!options.length || *options.length < INT64_MAX / 2, op, ": a signal of length ", options.length.value_or(0));
    const Tensor batched = x->dim() == 3 ? unsqueeze(*wide, 0) : *wide;
    const std::int64_t batch = batched.size(0), covered = n_fft + frames.hop * (count - 1);
    const Norm norm = options.normalized ? Norm::ortho : Norm::backward;
    const Tensor spectra = narrow(transpose(batched, 1, 2), 2, 0, kept);
    const Tensor parts = irfft(spectra, {.n = n_fft, .norm = norm});
    const Tensor sums =
        detail::add_runs(op, {batch, covered}, frames.begins(batch, covered, count), n_fft, parts * frames.window);
    const Tensor weights = detail::add_runs(op, {covered}, frames.begins(1, covered, count), n_fft,
                                            expand(square(frames.window), {count, n_fft}).contiguous());

    const std::int64_t begin = options.center ? n_fft / 2 : 0;
    const std::int64_t end = options.length ? begin + *options.length : covered - begin, last = std::min(end, covered);
    check(end > begin, op, ": a signal of length ", end - begin, "; it must be at least 1");
    const Tensor divisor = slice(weights, 0, begin, last);
    check(amin(divisor.detach()).item() > 1e-11, op,
          ": the windows leave out a part of the signal; they must overlap more");
    Tensor signals = slice(sums, 1, begin, last) / divisor;
    if (end > last) signals = pad(signals, {0, end - last});
    return detail::narrowed(x->dim() == 3 ? squeeze(signals, 0) : std::move(signals), x->dtype());
  });
}

}  // namespace xgrad::fft
