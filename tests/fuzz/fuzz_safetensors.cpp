// A safetensors reader takes any bytes: it reads them or throws Error, and what it reads can be written and read again.

#include <xgrad/io/safetensors_file.hpp>

#include <cstring>
#include <vector>

#include "fuzz_input.hpp"

namespace {

using namespace xgrad;

struct Loaded {
  std::vector<io::SafetensorsArray> arrays;
  std::vector<std::vector<unsigned char>> values;
  io::SafetensorsMetadata metadata;
};

Loaded load(const std::string& path) {
  io::SafetensorsFile file("fuzz", path);
  Loaded out;
  out.metadata = file.metadata();
  for (std::size_t i = 0; i < file.entries().size(); ++i) {
    const io::SafetensorsEntry& entry = file.entries()[i];
    const DType dtype = entry.dtype->loaded_as;
    auto& values = out.values.emplace_back(static_cast<std::size_t>(entry.shape.numel()) * item_size(dtype));
    file.read(i, values.data());
    out.arrays.push_back({entry.name, dtype, entry.shape, values.data()});
  }
  file.check_digest();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string copy = "/dev/shm/xgrad-fuzz-" + std::to_string(::getpid());
  const FuzzInput input(data, size);
  Loaded first;
  try {
    first = load(input.path());
  } catch (const Error&) {
    return 0;
  }
  io::write_safetensors("fuzz", copy, first.arrays, first.metadata);
  const Loaded second = load(copy);
  first.metadata.erase("xgrad.crc32");
  if (second.values != first.values || second.metadata != first.metadata) std::abort();
  for (std::size_t i = 0; i < first.arrays.size(); ++i)
    if (second.arrays[i].name != first.arrays[i].name || second.arrays[i].shape != first.arrays[i].shape) std::abort();
  return 0;
}
