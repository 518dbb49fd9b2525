#include "memory_mapped.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "../io/npy_header.hpp"

namespace xgrad::data {

namespace {

constexpr const char* op = "MappedArray";

}  // namespace

MappedArray::MappedArray(const std::string& path) {
  const std::string where = "MappedArray: " + path;
  io::NpyHeader header;
  {
    const io::InputFile file(op, path);
    header = io::read_npy_header(where, file);
  }
  check(!header.fortran_order || header.shape.size() < 2, where,
        ": the array is in column-major order; save numpy.ascontiguousarray() of it");
  check(!header.swapped && header.element->size == item_size(header.element->loaded_as), where,
        ": elements would have to ", "be converted to ", header.element->loaded_as,
        "; save the array as that by .astype()");
  shape_ = header.shape;
  dtype_ = header.element->loaded_as;
  map(path, header.begin);
}

MappedArray::MappedArray(const std::string& path, const Shape& shape, DType dtype, std::int64_t offset)
    : shape_(shape), dtype_(dtype) {
  check(offset >= 0, "MappedArray: ", path, ": offset ", offset, " is negative");
  map(path, static_cast<std::uint64_t>(offset));
}

void MappedArray::map(const std::string& path, std::uint64_t offset) {
  check(!shape_.empty(), "MappedArray: ", path, ": an array without axes has no rows");
  std::uint64_t end = 0;
  const bool too_large = __builtin_mul_overflow(static_cast<std::uint64_t>(shape_.numel()), item_size(dtype_), &end) ||
                         __builtin_add_overflow(end, offset, &end) || end > PTRDIFF_MAX;
  io::expect_path(op, path);
  const io::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) io::fail_with_errno(op, path, errno);
  check(!too_large && end <= static_cast<std::uint64_t>(info.st_size), "MappedArray: ", path, ": shape ", shape_,
        " of ", dtype_, " from byte ", offset, " on needs more than the ", static_cast<std::int64_t>(info.st_size),
        " bytes of the file");
  if (shape_.numel() == 0) return;
  void* const mapped = ::mmap(nullptr, end, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) io::fail_with_errno(op, path, errno);
  const std::shared_ptr<const std::byte> all(static_cast<const std::byte*>(mapped), [end](const std::byte* begin) {
    ::munmap(const_cast<std::byte*>(begin), end);
  });
  elements_ = {all, all.get() + offset};
}

Tensor MappedArray::rows(std::span<const std::int64_t> indices) const {
  check_indices(op, indices, size());
  Shape shape = shape_;
  shape[0] = static_cast<std::int64_t>(indices.size());
  Tensor out = xgrad::detail::empty(shape, dtype_);
  if (out.numel() == 0) return out;
  const std::size_t bytes = static_cast<std::size_t>(shape_.numel() / size()) * item_size(dtype_);
  std::byte* to = out.impl().data;
  for (const std::int64_t row : indices) {
    std::memcpy(to, elements_.get() + static_cast<std::size_t>(row) * bytes, bytes);
    if (dtype_ == bool_)
      for (std::size_t i = 0; i < bytes; ++i)
        if (std::to_integer<unsigned>(to[i]) > 1) {
          const auto value = std::to_integer<unsigned>(to[i]);
          std::memset(out.impl().data, 0, static_cast<std::size_t>(out.numel()));
          fail(op, ": a bool in row ", row, " is ", value);
        }
    to += bytes;
  }
  return out;
}

MemoryMapped::MemoryMapped(MappedArray inputs, MappedArray targets)
    : inputs_(std::move(inputs)), targets_(std::move(targets)) {
  check(inputs_.size() == targets_.size(), "MemoryMapped: inputs ", inputs_.shape(), " and targets ", targets_.shape(),
        " differ in the number of samples, their first axis");
}

}  // namespace xgrad::data
