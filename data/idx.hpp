#pragma once
// The IDX format of MNIST and its successors.

#include <cstdint>
#include <string>
#include <vector>

#include "../array/shape.hpp"

namespace xgrad::data {

/// The contents of an IDX file of unsigned bytes, in row-major order.
struct IdxArray {
  Shape shape;
  std::vector<std::uint8_t> values;
};

/// Reads an IDX file of unsigned bytes (magic 00 00 08 RANK, big-endian 32-bit sizes, then the values), plain or
/// compressed by gzip; which of the two, its first bytes tell. Throws Error, naming the file and the numbers, unless
/// the file has exactly as many bytes as its header promises. Nothing beyond the promised size is ever unpacked.
IdxArray read_idx(const std::string& path);

}  // namespace xgrad::data
