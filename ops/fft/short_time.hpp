#pragma once
// Spectra of short parts of a signal, one after the other.

#include <optional>

#include "../pad.hpp"

namespace xgrad::fft {

struct StftOptions {
  std::optional<std::int64_t> hop_length = {};  // from one frame to the next; a fourth of n_fft where none is given
  std::optional<std::int64_t> win_length = {};  // of a window, which stands in the middle of the frame; else n_fft
  Tensor window = {};                           // by which frames are multiplied, (win_length,); else ones
  bool center = true;                           // frame t is around t * hop_length: n_fft / 2 are added at both ends...
  PadMode pad_mode = PadMode::reflect;          // ...in this way; else the frame begins there
  bool normalized = false;                      // spectra are divided by the square root of n_fft
  bool onesided = true;                         // of n_fft / 2 + 1 frequencies, else of n_fft
};
/// The spectra of frames of n_fft elements of a signal (length,) or of several, (batch, length): (..., frequencies,
/// frames, 2), the last axis being real and imaginary part. As torch.stft. Throws Error for a signal that is shorter
/// than a frame, and for a window that does not fit.
Tensor stft(Operand x, std::int64_t n_fft, const StftOptions& options = {});

struct IstftOptions {
  std::optional<std::int64_t> hop_length = {}, win_length = {};
  Tensor window = {};
  bool center = true;
  bool normalized = false;
  bool onesided = true;                     // else the first n_fft / 2 + 1 of n_fft frequencies count
  std::optional<std::int64_t> length = {};  // of the signal, cut or filled up with zeros; else what the frames cover
};
/// The signal that has these spectra, the inverse of stft() with the same options; of spectra which are not those of a
/// signal the one that comes closest. Throws Error where the windows leave out a part of the signal.
Tensor istft(Operand x, std::int64_t n_fft, const IstftOptions& options = {});

}  // namespace xgrad::fft
