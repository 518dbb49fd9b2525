#include "safetensors.hpp"

#include "safetensors_file.hpp"

namespace xgrad {

void save_safetensors(const std::string& path, const NamedTensors& tensors,
                      const std::map<std::string, std::string>& metadata) {
  std::vector<Tensor> dense;
  std::vector<io::SafetensorsArray> arrays;
  for (const auto& [name, tensor] : tensors) {
    check(tensor.defined(), "save_safetensors: ", path, ": tensor ", io::Quoted{name}, " is undefined");
    dense.push_back(tensor.detach().contiguous());
    arrays.push_back({name, tensor.dtype(), tensor.shape(), dense.back().impl().data});
  }
  io::write_safetensors("save_safetensors", path, arrays, metadata);
}

NamedTensors load_safetensors(const std::string& path) {
  io::SafetensorsFile file("load_safetensors", path);
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

std::map<std::string, std::string> load_safetensors_metadata(const std::string& path) {
  return io::SafetensorsFile("load_safetensors_metadata", path).metadata();
}

}  // namespace xgrad
