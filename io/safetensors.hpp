#pragma once
// Tensors in safetensors files.

#include <map>
#include <string>
#include <string_view>

#include "../autograd/named_tensors.hpp"

namespace xgrad {

/// Writes tensors of any dtype to a safetensors file, with `metadata` as its `__metadata__` and a digest of everything
/// beside it. Values are written row-major, whatever the strides. The file appears in one step (see io/file.hpp): after
/// an error, which is an Error that says what the system said, or a crash, an old file of this name is what it was.
/// Throws Error for an undefined tensor, a name that repeats or is "__metadata__", and text that is not UTF-8.
void save_safetensors(const std::string& path, const NamedTensors& tensors,
                      const std::map<std::string, std::string>& metadata = {});

/// The tensors of a safetensors file in the order of its header, written by this or another library. Every dtype comes
/// back as it is; U16 and U32 become int64, and U64, complex and 8-bit floats are an Error.
/// Throws Error, naming the file and the tensor, wherever the file is not what the format says, and where its contents
/// do not match the digest that save_safetensors put in (other libraries put none in).
NamedTensors load_safetensors(const std::string& path);

/// The `__metadata__` of a safetensors file, without the digest of save_safetensors. The header is checked, the tensors
/// are not read.
std::map<std::string, std::string> load_safetensors_metadata(const std::string& path);

/// The bytes of the file that save_safetensors would write.
std::string to_safetensors(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata = {});
/// Tensors from the bytes of a safetensors file, as load_safetensors reads them.
NamedTensors from_safetensors(std::string_view bytes);

}  // namespace xgrad
