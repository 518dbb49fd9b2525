#include "npy.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "npy_header.hpp"

namespace xgrad {

namespace {

static_assert(std::endian::native == std::endian::little,
              "elements are swapped on the assumption of a little-endian machine");

Shape reversed_axes(const Shape& shape) {
  Shape axes;
  for (std::size_t axis = shape.size(); axis-- > 0;) axes.push_back(static_cast<std::int64_t>(axis));
  return axes;
}

/// Whether elements lie dense in column-major order and not in row-major order.
bool is_fortran(const Tensor& tensor) {
  if (tensor.is_contiguous()) return false;
  std::int64_t stride = 1;
  for (std::size_t axis = 0; axis < tensor.dim(); ++axis) {
    if (tensor.shape()[axis] != 1 && tensor.strides()[axis] != stride) return false;
    stride *= tensor.shape()[axis];
  }
  return true;
}

void swap_bytes(std::byte* data, std::size_t count, std::size_t size) {
  for (std::size_t i = 0; i < count; ++i, data += size) std::reverse(data, data + size);
}

template <class From>
void widen(std::byte* data, std::size_t count) {  // from the back: elements grow in place
  for (std::size_t i = count; i-- > 0;) {
    From element;
    std::memcpy(&element, data + i * sizeof element, sizeof element);
    const std::int64_t wide = element;
    std::memcpy(data + i * sizeof wide, &wide, sizeof wide);
  }
}

}  // namespace

Tensor io::read_npy(std::string_view where, const Input& file) {
  const NpyHeader header = read_npy_header(where, file);
  detail::Array array;
  if (header.fortran_order)
    detail::allocate_array_in_order(array, header.shape, header.element->loaded_as, reversed_axes(header.shape));
  else
    detail::allocate_array(array, header.shape, header.element->loaded_as);
  const auto count = static_cast<std::size_t>(array.numel);
  if (count > 0) file.read(header.begin, array.data, header.bytes());
  if (header.swapped) swap_bytes(array.data, count, header.element->size);
  if (header.element->code == "u2") widen<std::uint16_t>(array.data, count);
  if (header.element->code == "u4") widen<std::uint32_t>(array.data, count);
  if (array.dtype == bool_)
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = std::to_integer<unsigned>(array.data[i]);
      check(value <= 1, where, ": element ", i, " of a bool array is ", value);
    }
  return Tensor(std::move(array));
}

io::NpyPieces io::npy_pieces(std::string_view where, const Tensor& tensor) {
  check(tensor.defined(), where, ": the tensor is undefined");
  const bool fortran_order = is_fortran(tensor);
  return {format_npy_header(where, tensor.dtype(), fortran_order, tensor.shape()),
          fortran_order ? tensor.detach() : tensor.detach().contiguous()};
}

std::string_view io::NpyPieces::elements() const {
  if (tensor.numel() == 0) return {};
  return {reinterpret_cast<const char*>(tensor.array().data),
          static_cast<std::size_t>(tensor.numel()) * item_size(tensor.dtype())};
}

void save_npy(const std::string& path, const Tensor& tensor) {
  const io::NpyPieces pieces = io::npy_pieces("save_npy: " + path, tensor);
  io::AtomicFile file("save_npy", path);
  file.write(pieces.header);
  file.write(pieces.elements());
  file.commit();
}

Tensor load_npy(const std::string& path) {
  const std::string where = "load_npy: " + path;
  const io::InputFile file("load_npy", path);
  const Tensor tensor = io::read_npy(where, file);
  return tensor;
}

}  // namespace xgrad
