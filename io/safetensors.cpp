#include "safetensors.hpp"

#include <cstring>
#include <memory>

#include "safetensors_file.hpp"

namespace xgrad {

namespace {

// The arrays of tensors, dense; `dense` keeps their memory. Errors begin with `where`.
std::vector<io::SafetensorsArray> arrays_of(const std::string& where, const NamedTensors& tensors,
                                            std::vector<Tensor>& dense) {
  std::vector<io::SafetensorsArray> arrays;
  for (const auto& [name, tensor] : tensors) {
    check(tensor.defined(), where, ": tensor ", io::Quoted{name}, " is undefined");
    dense.push_back(tensor.detach().contiguous());
    arrays.push_back({name, tensor.dtype(), tensor.shape(), dense.back().impl().data});
  }
  return arrays;
}

NamedTensors read_all(io::SafetensorsFile& file) {
  NamedTensors tensors;
  for (std::size_t i = 0; i < file.entries().size(); ++i) {
    const io::SafetensorsEntry& entry = file.entries()[i];
    Tensor tensor = detail::empty(entry.shape, entry.dtype->loaded_as);
    file.read(i, tensor.impl().data);
    tensors.emplace_back(entry.name, std::move(tensor));
  }
  file.check_digest();
  return tensors;
}

class InputBytes final : public io::Input {
 public:
  explicit InputBytes(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, void* out, std::size_t count) const override {
    check(offset <= bytes_.size() && count <= bytes_.size() - offset, "from_safetensors: ", bytes_.size(),
          " bytes end before byte ", offset + count);
    if (count > 0) std::memcpy(out, bytes_.data() + offset, count);
  }

 private:
  std::string_view bytes_;
};

}  // namespace

void save_safetensors(const std::string& path, const NamedTensors& tensors,
                      const std::map<std::string, std::string>& metadata) {
  std::vector<Tensor> dense;
  io::write_safetensors("save_safetensors", path, arrays_of("save_safetensors: " + path, tensors, dense), metadata);
}

NamedTensors load_safetensors(const std::string& path) {
  io::SafetensorsFile file("load_safetensors", path);
  return read_all(file);
}

std::string to_safetensors(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  std::vector<Tensor> dense;
  return io::format_safetensors("to_safetensors", arrays_of("to_safetensors", tensors, dense), metadata);
}

NamedTensors from_safetensors(std::string_view bytes) {
  io::SafetensorsFile file("from_safetensors", "bytes in memory", std::make_unique<InputBytes>(bytes));
  return read_all(file);
}

std::map<std::string, std::string> load_safetensors_metadata(const std::string& path) {
  return io::SafetensorsFile("load_safetensors_metadata", path).metadata();
}

}  // namespace xgrad
