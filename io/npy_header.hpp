#pragma once
// The header of a .npy file: what is in the array, and how it lies.

#include <cstdint>
#include <string>
#include <string_view>

#include "../array/dtype.hpp"
#include "../array/shape.hpp"
#include "file.hpp"

namespace xgrad::io {

/// An element type of NumPy, and what it is loaded as.
struct NpyElement {
  std::string_view code;  // without the order of bytes: "f4"
  std::size_t size;       // in bytes
  DType loaded_as;
};

struct NpyHeader {
  const NpyElement* element;
  bool swapped;        // bytes of an element in big-endian order
  bool fortran_order;  // the first axis innermost in memory
  Shape shape;
  std::uint64_t begin;  // of the elements in the file

  std::uint64_t bytes() const { return static_cast<std::uint64_t>(shape.numel()) * element->size; }
};

/// Reads the header of a .npy file of version 1, 2 or 3. Throws Error, beginning with `where`, for anything the format
/// does not allow, for element types without a dtype (uint64, complex numbers, text, Python objects, records), and
/// where there are fewer bytes than the shape needs.
NpyHeader read_npy_header(std::string_view where, const Input& file);

/// The header for such an array, padded so that elements begin at a multiple of 64 bytes. Throws Error, beginning with
/// `where`, for bfloat16, which NumPy has not.
std::string format_npy_header(std::string_view where, DType dtype, bool fortran_order, const Shape& shape);

}  // namespace xgrad::io
