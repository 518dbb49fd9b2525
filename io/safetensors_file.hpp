#pragma once
// safetensors files as named arrays of bytes.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "file.hpp"
#include "safetensors_header.hpp"

namespace xgrad::io {

/// One array to be written: `shape.numel()` row-major elements at `data`.
struct SafetensorsArray {
  std::string name;
  DType dtype;
  Shape shape;
  const void* data;
};

/// Writes a safetensors file through AtomicFile. The header names the arrays in the order given; in the body the widest
/// elements come first, so that all are aligned. `__metadata__` gets the entry `xgrad.crc32` beside those given: a
/// digest of names, dtypes, shapes, values and metadata. Errors begin with `op`.
void write_safetensors(const char* op, const std::string& path, std::span<const SafetensorsArray> arrays,
                       const SafetensorsMetadata& metadata);
/// The bytes of such a file.
std::string format_safetensors(const char* op, std::span<const SafetensorsArray> arrays,
                               const SafetensorsMetadata& metadata);

/// A safetensors file opened for reading, its header checked.
class SafetensorsFile {
 public:
  /// Errors, here and later, begin with `op` and the path.
  SafetensorsFile(const char* op, const std::string& path);
  /// The bytes of a file, which `name` stands for in errors.
  SafetensorsFile(const char* op, const std::string& name, std::unique_ptr<const Input> bytes);

  const std::vector<SafetensorsEntry>& entries() const { return entries_; }
  /// Without the digest.
  const SafetensorsMetadata& metadata() const { return metadata_; }

  /// Reads the values of entries()[index] into `out`, which has room for them in the dtype they are loaded as. Integers
  /// become int64, 16-bit floats float32. A BOOL that is neither 0 nor 1 is an error.
  void read(std::size_t index, void* out);

  /// Call after each entry was read once: throws Error where the file has a digest and what was read does not match.
  void check_digest() const;

 private:
  std::string where_;
  std::unique_ptr<const Input> file_;
  std::vector<SafetensorsEntry> entries_;
  SafetensorsMetadata metadata_;
  std::string stored_digest_;  // empty when the file has none
  std::uint64_t body_ = 0;     // where the body begins
  std::uint64_t digest_ = 0;
};

}  // namespace xgrad::io
