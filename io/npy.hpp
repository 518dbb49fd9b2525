#pragma once
// Tensors in NumPy's files.

#include <string>
#include <string_view>

#include "../autograd/tensor.hpp"
#include "file.hpp"

namespace xgrad {

/// Writes a tensor to a .npy file, as numpy.save does: in column-major order (fortran_order) where it lies dense in
/// that order alone, else row-major. The file appears in one step (see io/file.hpp). Throws Error for bfloat16, which
/// NumPy has not, and what the system says.
void save_npy(const std::string& path, const Tensor& tensor);

/// The array of a .npy file, in the order in memory that it has there. Every dtype comes back as it is, in either order
/// of bytes; uint16 and uint32 become int64. Throws Error for what no dtype holds (uint64, complex numbers, text,
/// Python objects), more than Shape::max_rank axes, and wherever the file is not what the format says.
Tensor load_npy(const std::string& path);

namespace io {

/// The array of the bytes of a .npy file; errors begin with `where`.
Tensor read_npy(std::string_view where, const Input& file);
/// The bytes of a .npy file: a header, and the elements, whose memory `tensor` keeps.
struct NpyPieces {
  std::string header;
  Tensor tensor;
  std::string_view elements() const;
};
/// Those of a tensor; errors begin with `where`.
NpyPieces npy_pieces(std::string_view where, const Tensor& tensor);

}  // namespace io

}  // namespace xgrad
