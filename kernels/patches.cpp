#include "patches.hpp"

#include <algorithm>

#include "../array/float16.hpp"

namespace xgrad::detail {
namespace {

std::int64_t divided_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// Part i of n things in `parts` parts, all nearly of one size.
std::int64_t part_begin(std::int64_t n, std::int64_t parts, std::int64_t i) { return n * i / parts; }

}  // namespace

std::int64_t AxisTaps::lowest() const {
  std::int64_t offset = taps.empty() ? 0 : taps[0].offset;
  for (const Tap& tap : taps) offset = std::min(offset, tap.offset);
  return offset;
}

std::int64_t AxisTaps::highest() const {
  std::int64_t offset = taps.empty() ? 0 : taps[0].offset;
  for (const Tap& tap : taps) offset = std::max(offset, tap.offset);
  return offset;
}

std::int64_t Window::taps() const {
  return static_cast<std::int64_t>(axes[0].taps.size() * axes[1].taps.size() * axes[2].taps.size());
}

Boxes::Boxes(std::int64_t batch, const Window& window, std::int64_t most) : batch_(batch) {
  std::int64_t left = most;
  for (std::size_t axis = 3; axis-- > 0;) {
    outputs_[axis] = window.axes[axis].outputs;
    parts_[axis] = divided_up(outputs_[axis], std::max<std::int64_t>(left, 1));
    left = parts_[axis] > 1 ? 1 : left / outputs_[axis];
    largest_.begin[axis] = 0;
    largest_.size[axis] = divided_up(outputs_[axis], parts_[axis]);
  }
  image_parts_ = divided_up(batch, std::max<std::int64_t>(left, 1));
  largest_.first_image = 0;
  largest_.images = divided_up(batch, image_parts_);
}

std::int64_t Boxes::count() const { return image_parts_ * parts_[0] * parts_[1] * parts_[2]; }

Box Boxes::operator[](std::int64_t index) const {
  Box box{};
  for (std::size_t axis = 3; axis-- > 0;) {
    const std::int64_t part = index % parts_[axis];
    index /= parts_[axis];
    box.begin[axis] = part_begin(outputs_[axis], parts_[axis], part);
    box.size[axis] = part_begin(outputs_[axis], parts_[axis], part + 1) - box.begin[axis];
  }
  box.first_image = part_begin(batch_, image_parts_, index);
  box.images = part_begin(batch_, image_parts_, index + 1) - box.first_image;
  return box;
}

Patches::Patches(const Window& window, const Extents& input, std::int64_t channels, const Box& largest)
    : window_(window), input_(input), channels_(channels), largest_(largest) {
  Extents spans{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const AxisTaps& taps = window.axes[axis];
    lowest_[axis] = taps.lowest();
    const std::int64_t reach = taps.highest() - lowest_[axis];
    spans[axis] = (largest.size[axis] - 1) * taps.step + reach + 1;
    staged_ = staged_ || lowest_[axis] < 0 || (taps.outputs - 1) * taps.step + taps.highest() >= input[axis];
  }
  const Extents& extents = staged_ ? spans : input;
  // Places at a distance of a multiple of a kilobyte would all be in few sets of the first-level cache.
  constexpr std::int64_t line = 16;
  place_stride_ = staged_ && channels % 256 == 0 ? channels + line : channels;
  strides_ = {extents[1] * extents[2] * place_stride_, extents[2] * place_stride_, place_stride_};
  image_stride_ = extents[0] * strides_[0];
}

std::vector<std::int64_t> Patches::tap_offsets() const {
  std::vector<std::int64_t> offsets;
  window_.for_each_tap([&](const auto& d, const auto& h, const auto& w) {
    offsets.push_back((d.offset - lowest_[0]) * strides_[0] + (h.offset - lowest_[1]) * strides_[1] +
                      (w.offset - lowest_[2]) * strides_[2]);
  });
  return offsets;
}

void Patches::output_offsets(const Box& box, std::int64_t* offsets) const {
  const auto& axes = window_.axes;
  for (std::int64_t image = 0; image < box.images; ++image)
    for (std::int64_t d = 0; d < box.size[0]; ++d)
      for (std::int64_t h = 0; h < box.size[1]; ++h) {
        const std::int64_t row =
            image * image_stride_ + d * axes[0].step * strides_[0] + h * axes[1].step * strides_[1];
        for (std::int64_t w = 0; w < box.size[2]; ++w) *offsets++ = row + w * axes[2].step * strides_[2];
      }
}

template <class T>
const T* Patches::locate(const T* x, const Box& box, T* stage) const {
  Extents begin, end;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const AxisTaps& taps = window_.axes[axis];
    begin[axis] = box.begin[axis] * taps.step + lowest_[axis];
    end[axis] = (box.begin[axis] + box.size[axis] - 1) * taps.step + taps.highest() + 1;
  }
  const std::int64_t row = input_[2] * channels_;
  const auto place = [&](std::int64_t image, std::int64_t d, std::int64_t h) {
    return x + (((box.first_image + image) * input_[0] + d) * input_[1] + h) * row;
  };
  if (!staged_) return place(0, begin[0], begin[1]) + begin[2] * channels_;

  const std::int64_t length = end[2] - begin[2], before = std::clamp<std::int64_t>(-begin[2], 0, length),
                     after = std::clamp<std::int64_t>(end[2] - input_[2], 0, length - before);
  const auto inside = [&](std::size_t axis, std::int64_t at) { return at >= 0 && at < input_[axis]; };
  for (std::int64_t image = 0; image < box.images; ++image)
    for (std::int64_t d = begin[0]; d < end[0]; ++d)
      for (std::int64_t h = begin[1]; h < end[1]; ++h) {
        T* const to = stage + image * image_stride_ + (d - begin[0]) * strides_[0] + (h - begin[1]) * strides_[1];
        if (!inside(0, d) || !inside(1, h)) {
          std::fill_n(to, length * place_stride_, T(0));
          continue;
        }
        std::fill_n(to, before * place_stride_, T(0));
        const T* const from = place(image, d, h) + std::max<std::int64_t>(begin[2], 0) * channels_;
        const std::int64_t count = length - before - after;
        if (place_stride_ == channels_)
          std::copy_n(from, count * channels_, to + before * channels_);
        else
          for (std::int64_t i = 0; i < count; ++i)
            std::copy_n(from + i * channels_, channels_, to + (before + i) * place_stride_);
        std::fill_n(to + (length - after) * place_stride_, after * place_stride_, T(0));
      }
  return stage;
}

template const BFloat16* Patches::locate(const BFloat16*, const Box&, BFloat16*) const;
template const float* Patches::locate(const float*, const Box&, float*) const;
template const double* Patches::locate(const double*, const Box&, double*) const;

void written_offsets(const Window& window, const Box& box, const Extents& extents, std::int64_t channels,
                     std::int64_t* offsets) {
  const auto& axes = window.axes;
  const auto place = [&](std::size_t axis, std::int64_t at) {
    return axes[axis].first + (box.begin[axis] + at) * axes[axis].spacing;
  };
  for (std::int64_t image = box.first_image; image < box.first_image + box.images; ++image)
    for (std::int64_t d = 0; d < box.size[0]; ++d)
      for (std::int64_t h = 0; h < box.size[1]; ++h) {
        const std::int64_t row = ((image * extents[0] + place(0, d)) * extents[1] + place(1, h)) * extents[2];
        for (std::int64_t w = 0; w < box.size[2]; ++w) *offsets++ = (row + place(2, w)) * channels;
      }
}

}  // namespace xgrad::detail
