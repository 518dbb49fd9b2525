#pragma once
// Work on channels, which do not depend on each other, of elements that have to be converted.

#include <algorithm>
#include <array>

#include "batch_norm.hpp"
#include "reduce.hpp"
#include "stored.hpp"

namespace xgrad::detail {

/// Calls f(piece, channel, in, out) for pieces of the channels of dense memory of this size, the first one of a piece
/// being number `channel`: in[i] are its elements in operand i, and what f writes to `out` is its result; null where
/// there are none. `out` may be in[0], so f writes an element when it has read those in its place. Elements that need
/// no conversion are one piece, in their place; others are converted, so many channels at a time as fill the cache, or
/// one group of channels, or all where they lie beside each other.
template <class T, std::size_t inputs, class F>
void for_channel_pieces(const BatchNormSize& size, const std::array<Stored<T>, inputs>& in, const Stored<T>& out,
                        const F& f) {
  using Elements = std::array<const T*, inputs>;
  if (!in[0].is_converted()) {
    Elements elements{};
    for (std::size_t i = 0; i < inputs; ++i)
      if (in[i]) elements[i] = in[i].read(0, 0, nullptr);
    return f(size, std::int64_t{0}, elements, out ? out.target(0, nullptr) : nullptr);
  }
  constexpr std::int64_t in_cache = 16384, long_stretch = 512, least_stretch = 64, most = 1 << 18;  // elements
  const std::int64_t groups = size.channels / size.group, of_group = std::max<std::int64_t>(size.values(), 1),
                     stretch = size.group * size.length;  // of a group, where it is one of several in memory
  std::int64_t together = in_cache / of_group;
  if (size.n > 1)
    together = groups * stretch <= long_stretch
                   ? groups  // channels that lie beside each other: all of them are one stretch
                   : std::max({together, std::min(long_stretch / stretch, most / of_group), least_stretch / stretch});
  together = std::clamp<std::int64_t>(together, 1, std::max<std::int64_t>(groups, 1));
  parallel_for((groups + together - 1) / together, in_cache / (together * of_group) + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 const Scratch<T> memory(static_cast<std::int64_t>(inputs) * together * of_group);
                 for (std::int64_t at = begin; at < end; ++at) {
                   const std::int64_t group = at * together, channel = group * size.group;
                   BatchNormSize piece = size;
                   piece.channels = std::min(together, groups - group) * size.group;
                   const std::int64_t row = piece.channels * size.length;
                   const auto for_each_row = [&](const auto& convert) {
                     if (piece.channels == size.channels)
                       return parallel_for(size.n * row, 65536,
                                           [&](std::int64_t from, std::int64_t to) { convert(from, from, to - from); });
                     for (std::int64_t i = 0; i < size.n; ++i)
                       convert((i * size.channels + channel) * size.length, i * row, row);
                   };
                   Elements elements{};
                   T* buffer = memory.data();
                   for (std::size_t k = 0; k < inputs; ++k) {
                     if (!in[k]) continue;
                     for_each_row([&](std::int64_t from, std::int64_t to, std::int64_t count) {
                       in[k].prefetch(from + 4 * size.channels * size.length, row);
                       in[k].read(from, count, buffer + to);
                     });
                     elements[k] = buffer;
                     buffer += size.n * row;
                   }
                   T* const results = memory.data();
                   f(piece, channel, elements, out ? results : nullptr);
                   if (out)
                     for_each_row([&](std::int64_t to, std::int64_t from, std::int64_t count) {
                       out.prefetch(to + 4 * size.channels * size.length, row);
                       out.written(to, count, results + from);
                     });
                 }
               });
}

}  // namespace xgrad::detail
