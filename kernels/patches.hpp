#pragma once
// Where the inputs of a sliding window lie: the window's taps along each axis, the outputs cut into boxes, and for each
// box the memory its windows read, copied beside zeros where they reach beyond the input.

#include <array>
#include <cstdint>
#include <vector>

namespace xgrad::detail {

/// Sizes along depth, height and width; 1 along those that a tensor does not have.
using Extents = std::array<std::int64_t, 3>;

/// Output i of an axis reads the input at i * step + offset for each of its taps, which is `index` in the window, and
/// is written at first + i * spacing.
struct AxisTaps {
  struct Tap {
    std::int64_t offset, index;
  };
  std::int64_t outputs, step, first, spacing;
  std::vector<Tap> taps;

  std::int64_t lowest() const;  // offset; 0 without taps
  std::int64_t highest() const;
};

/// The taps of all axes, outermost first.
struct Window {
  std::array<AxisTaps, 3> axes;

  std::int64_t taps() const;
  /// f(depth tap, height tap, width tap) for each tap, width fastest.
  template <class F>
  void for_each_tap(const F& f) const {
    for (const auto& d : axes[0].taps)
      for (const auto& h : axes[1].taps)
        for (const auto& w : axes[2].taps) f(d, h, w);
  }
};

/// A box of outputs, of several images if it covers each whole.
struct Box {
  std::int64_t first_image, images;
  Extents begin, size;
  std::int64_t outputs() const { return images * size[0] * size[1] * size[2]; }
};

/// The outputs of a batch in boxes of at most `most` outputs, all nearly of one size.
class Boxes {
 public:
  Boxes(std::int64_t batch, const Window& window, std::int64_t most);

  std::int64_t count() const;
  Box operator[](std::int64_t index) const;
  const Box& largest() const { return largest_; }

 private:
  std::int64_t batch_;
  Extents outputs_, parts_;
  std::int64_t image_parts_;
  Box largest_;
};

/// The memory that the windows of a box read: in the input, dense of shape (batch, extents..., channels), where no
/// window reaches beyond it, else in a stage to which the box is copied.
class Patches {
 public:
  Patches(const Window& window, const Extents& input, std::int64_t channels, const Box& largest);

  /// Elements of the stage; 0 where none is needed.
  std::int64_t stage_size() const { return staged_ ? largest_.images * image_stride_ : 0; }
  /// Of each tap, from the place of an output on.
  std::vector<std::int64_t> tap_offsets() const;
  /// Of each output of a box, in order, from the place that `locate` gives.
  void output_offsets(const Box& box, std::int64_t* offsets) const;
  /// Where a box begins, after it was copied to the stage if there is one.
  template <class T>
  const T* locate(const T* x, const Box& box, T* stage) const;

 private:
  const Window& window_;
  Extents input_;
  std::int64_t channels_;
  Box largest_;
  bool staged_ = false;
  std::int64_t place_stride_;  // from the channels of a place to those of the next
  Extents lowest_, strides_;   // strides of the memory that is read
  std::int64_t image_stride_;
};

/// Where the outputs of a box lie in dense memory of shape (batch, extents..., channels).
void written_offsets(const Window& window, const Box& box, const Extents& extents, std::int64_t channels,
                     std::int64_t* offsets);

}  // namespace xgrad::detail
