#include "windows.hpp"

#include "../array/random.hpp"
#include "../autograd/create.hpp"
#include "../ops/slicing.hpp"

namespace xgrad::data {

namespace {

// Apart from the streams of threads, splits, loaders and transforms; the epoch above it, and 2^40 samples below.
constexpr std::uint64_t window_stream = std::uint64_t{3} << 62;

Tensor checked_tokens(const char* op, const Tensor& tokens, std::int64_t length) {
  check(tokens.defined() && tokens.dim() == 1 && detail::kind_of(tokens.dtype()) == detail::Kind::integer, op,
        ": tokens are integers of shape (n,)", tokens.defined() ? ", not " : "",
        tokens.defined() ? tokens.shape() : Shape{});
  check(length >= 1, op, ": a window of ", length, " tokens; it must have at least 1");
  return tokens.detach().contiguous();
}

/// x and y of the windows that begin at begin(i).
template <class Begin>
Batch windows_at(const Tensor& tokens, std::int64_t length, std::size_t count, Begin&& begin) {
  const auto rows = static_cast<std::int64_t>(count);
  const Batch batch{empty({rows, length}, {.dtype = int64}), empty({rows, length}, {.dtype = int64})};
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t from = begin(static_cast<std::size_t>(i));
    select(batch.x, 0, i).copy_(slice(tokens, 0, from, from + length));
    select(batch.y, 0, i).copy_(slice(tokens, 0, from + 1, from + 1 + length));
  }
  return batch;
}

}  // namespace

Windows::Windows(const Tensor& tokens, std::int64_t length, const WindowsOptions& options)
    : tokens_(checked_tokens("Windows", tokens, length)),
      length_(length),
      stride_(options.stride == 0 ? length : options.stride) {
  check(stride_ > 0, "Windows: stride ", options.stride, " is negative");
}

std::int64_t Windows::size() const {
  const std::int64_t last = tokens_.size(0) - 1 - length_;  // where a window can begin
  return last < 0 ? 0 : last / stride_ + 1;
}

Batch Windows::batch(std::span<const std::int64_t> indices) const {
  check_indices("Windows", indices, size());
  return windows_at(tokens_, length_, indices.size(), [&](std::size_t i) { return indices[i] * stride_; });
}

RandomWindows::RandomWindows(const Tensor& tokens, std::int64_t length, const RandomWindowsOptions& options)
    : tokens_(checked_tokens("RandomWindows", tokens, length)), length_(length), count_(options.count) {
  check(tokens_.size(0) > length_, "RandomWindows: ", tokens_.size(0), " tokens have no window of ", length_,
        " and the one that follows it");
  check(count_ >= 0, "RandomWindows: count ", count_, " is negative");
}

Batch RandomWindows::batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const {
  check_indices("RandomWindows", indices, count_);
  return windows_at(tokens_, length_, indices.size(), [&](std::size_t i) {
    std::int64_t begin = 0;
    Generator(epoch.seed,
              window_stream | (static_cast<std::uint64_t>(epoch.number) << 40 ^ static_cast<std::uint64_t>(indices[i])))
        .integers(&begin, 1, 0, tokens_.size(0) - length_);
    return begin;
  });
}

}  // namespace xgrad::data
