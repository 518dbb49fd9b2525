#pragma once
// Borders as layers: see ops/pad.hpp.

#include "../ops/pad.hpp"
#include "module.hpp"

namespace xgrad::nn {

namespace detail {

/// A border around the last `rank` axes: nn::ZeroPad2d(1), nn::ReflectionPad2d({1, 2, 0, 1}).
template <std::size_t rank, PadMode mode>
struct PadLayer {
  /// A number for all sides, or those before and after the last axis, before and after the one before it, and so on.
  /// Throws Error for another count.
  explicit PadLayer(const Shape& sizes, double fill = 0) : padding(sizes), value(fill) {
    check(sizes.size() == 1 || sizes.size() == 2 * rank, "pad: padding has ", sizes.size(),
          " numbers; give one, or two for each of the ", rank, rank == 1 ? " axis" : " axes", " that are padded");
    if (sizes.size() == 1) padding = Shape::filled(2 * rank, sizes[0]);
  }
  Tensor operator()(Operand x) const { return pad(*x, padding, {.mode = mode, .value = value}); }
  auto fields() { return xgrad::fields("padding", padding, "value", value); }

  Shape padding;
  double value;
};

template <std::size_t rank, PadMode mode>
struct PadLayerWithoutValue : PadLayer<rank, mode> {
  explicit PadLayerWithoutValue(const Shape& sizes) : PadLayer<rank, mode>(sizes) {}
};

}  // namespace detail

/// nn::ConstantPad2d(1, 0.5): padding and value.
struct ConstantPad1d : detail::PadLayer<1, PadMode::constant> {
  using PadLayer::PadLayer;
};
struct ConstantPad2d : detail::PadLayer<2, PadMode::constant> {
  using PadLayer::PadLayer;
};
struct ConstantPad3d : detail::PadLayer<3, PadMode::constant> {
  using PadLayer::PadLayer;
};

struct ZeroPad1d : detail::PadLayerWithoutValue<1, PadMode::constant> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};
struct ZeroPad2d : detail::PadLayerWithoutValue<2, PadMode::constant> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};
struct ZeroPad3d : detail::PadLayerWithoutValue<3, PadMode::constant> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};

struct ReflectionPad1d : detail::PadLayerWithoutValue<1, PadMode::reflect> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};
struct ReflectionPad2d : detail::PadLayerWithoutValue<2, PadMode::reflect> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};
struct ReflectionPad3d : detail::PadLayerWithoutValue<3, PadMode::reflect> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};

struct ReplicationPad1d : detail::PadLayerWithoutValue<1, PadMode::replicate> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};
struct ReplicationPad2d : detail::PadLayerWithoutValue<2, PadMode::replicate> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};
struct ReplicationPad3d : detail::PadLayerWithoutValue<3, PadMode::replicate> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};

struct CircularPad1d : detail::PadLayerWithoutValue<1, PadMode::circular> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};
struct CircularPad2d : detail::PadLayerWithoutValue<2, PadMode::circular> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};
struct CircularPad3d : detail::PadLayerWithoutValue<3, PadMode::circular> {
  using PadLayerWithoutValue::PadLayerWithoutValue;
};

}  // namespace xgrad::nn
