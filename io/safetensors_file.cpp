#include "safetensors_file.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

namespace xgrad::io {

namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr const char* digest_key = "xgrad.crc32";
constexpr std::size_t chunk_size = std::size_t{1} << 18;

// The digest of a file is the sum of one CRC-32 for every array and one for every piece of metadata. A sum does not
// depend on the order, so a program that rewrites the file in another order keeps it valid.
std::uint32_t crc_of(std::uint32_t crc, const void* data, std::size_t count) {
  if (count == 0) return crc;  // zlib takes a null pointer as a request for the initial value
  return static_cast<std::uint32_t>(::crc32_z(crc, static_cast<const Bytef*>(data), count));
}

std::uint32_t crc_of(std::string_view first, std::string_view second, std::string_view third) {
  std::uint32_t crc = 0;
  for (const std::string_view text : {first, second, third})
    crc = crc_of(crc_of(crc, text.data(), text.size()), "", 1);  // with a zero byte, so that they cannot run together
  return crc;
}

std::uint64_t digest_of(const SafetensorsMetadata& metadata) {
  std::uint64_t digest = 0;
  for (const auto& [name, text] : metadata) digest += crc_of("metadata", name, text);
  return digest;
}

std::string hex(std::uint64_t value) {
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
  return out;
}

template <class From>
void widen(const unsigned char* from, std::size_t count, void* out) {
  auto* const to = static_cast<std::int64_t*>(out);
  for (std::size_t i = 0; i < count; ++i) {
    From element;
    std::memcpy(&element, from + i * sizeof element, sizeof element);
    to[i] = element;
  }
}

// From the element types of the format that are none of ours to the dtype they are loaded as.
void convert(std::string_view dtype, const unsigned char* from, std::size_t count, void* out) {
  if (dtype == "U16") widen<std::uint16_t>(from, count, out);
  if (dtype == "U32") widen<std::uint32_t>(from, count, out);
}

std::string where_in(const char* op, const std::string& path) { return std::string(op) + ": " + path; }

struct Format {
  std::string_view beginning, name, remedy;
};

/// What a file is that is not a safetensors file, where it is another format that people keep weights in.
const Format* other_format(const Input& file) {
  constexpr std::string_view with_numpy = "load it in Python and write it with safetensors.numpy.save_file";
  constexpr std::string_view with_torch = "load it in Python and write its state_dict with safetensors.torch.save_file";
  static constexpr Format npz = {"", "an archive of NumPy arrays (.npz)", with_numpy};
  static constexpr Format onnx = {"", "an ONNX model, or another protobuf message",
                                  "load it in Python and write its initializers with safetensors.numpy.save_file"};
  static constexpr Format formats[] = {
      {"PK\3\4", "a zip archive, such as torch.save writes (.pt, .pth)", with_torch},
      {"\x80\2", "a pickle, such as torch.save wrote before PyTorch 1.6", with_torch},
      {"\x80\3", "a Python pickle", with_torch},
      {"\x80\4", "a Python pickle", with_torch},
      {"\x80\5", "a Python pickle", with_torch},
      {"\x93NUMPY", "a NumPy array (.npy)", with_numpy},
      {"\x89HDF", "an HDF5 file", with_numpy},
      {"GGUF", "a GGUF file", with_numpy},
      {"\x1f\x8b", "compressed with gzip", "decompress it first"},
      {"{", "JSON, such as the index of a model in several files", "open the safetensors files that it names"}};
  char start[64] = {};
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(sizeof start, file.size()));
  file.read(0, start, count);
  const std::string_view text(start, count);
  for (const Format& format : formats)
    if (text.starts_with(format.beginning))
      return format.beginning[0] == 'P' && text.find(".npy") != std::string_view::npos ? &npz : &format;
  // The first field of ONNX's message is its version, a small number, and a field of another number follows.
  if (text.size() > 3 && text[0] == '\x08' && text[1] > 0 && text[1] < 32 && text[2] > 8 && text[2] < 64) return &onnx;
  return nullptr;
}

// Gives the pieces of a file to `write` one after the other. Throws before the first where the contents are no file.
template <class Write>
void write_pieces(std::string_view where, std::span<const SafetensorsArray> arrays, const SafetensorsMetadata& metadata,
                  Write&& write) {
  SafetensorsHeader header;
  header.metadata = metadata;
  header.metadata.erase(digest_key);
  std::uint64_t digest = digest_of(header.metadata);
  for (const SafetensorsArray& array : arrays) {
    const SafetensorsDType& dtype = safetensors_dtype(array.dtype);
    const std::uint64_t bytes = static_cast<std::uint64_t>(array.shape.numel()) * dtype.item_size;
    header.entries.push_back({array.name, &dtype, array.shape, 0, bytes});
    digest += crc_of(crc_of(array.name, dtype.name, array.shape.str()), array.data, bytes);
  }
  header.metadata[digest_key] = hex(digest);

  std::vector<std::size_t> order(arrays.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return header.entries[a].dtype->item_size > header.entries[b].dtype->item_size;
  });
  std::uint64_t offset = 0;
  for (const std::size_t i : order) {
    SafetensorsEntry& entry = header.entries[i];
    entry.begin = offset;
    offset = entry.end += offset;
  }

  const std::string json = format_safetensors_header(where, header);
  const std::uint64_t length = json.size();
  write(&length, sizeof length);
  write(json.data(), json.size());
  for (const std::size_t i : order) write(arrays[i].data, header.entries[i].end - header.entries[i].begin);
}

}  // namespace

void write_safetensors(const char* op, const std::string& path, std::span<const SafetensorsArray> arrays,
                       const SafetensorsMetadata& metadata) {
  std::optional<AtomicFile> file;
  write_pieces(where_in(op, path), arrays, metadata, [&](const void* data, std::size_t count) {
    if (!file) file.emplace(op, path);
    file->write(data, count);
  });
  file->commit();
}

std::string format_safetensors(const char* op, std::span<const SafetensorsArray> arrays,
                               const SafetensorsMetadata& metadata) {
  std::string out;
  write_pieces(op, arrays, metadata,
               [&](const void* data, std::size_t count) { out.append(static_cast<const char*>(data), count); });
  return out;
}

SafetensorsFile::SafetensorsFile(const char* op, const std::string& path)
    : SafetensorsFile(op, path, std::make_unique<InputFile>(op, path)) {}

SafetensorsFile::SafetensorsFile(const char* op, const std::string& name, std::unique_ptr<const Input> bytes)
    : where_(where_in(op, name)), file_(std::move(bytes)) {
  std::uint64_t length = 0;
  const bool has_length = file_->size() >= sizeof length;
  if (has_length) file_->read(0, &length, sizeof length);
  if (!has_length || length > file_->size() - sizeof length)
    if (const Format* format = other_format(*file_))
      fail(where_, ": this is ", format->name, ", not a safetensors file; ", format->remedy);
  check(has_length, where_, ": ", file_->size(), " bytes are too few for a safetensors file");
  check(length <= max_safetensors_header, where_, ": a header of ", length, " bytes, more than the ",
        max_safetensors_header, " that the format allows: not a safetensors file, or damaged");
  check(length <= file_->size() - sizeof length, where_, ": a header of ", length, " bytes, but the file has only ",
        file_->size());
  body_ = sizeof length + length;

  SafetensorsHeader header = read_safetensors_header(where_, *file_, sizeof length, length);
  entries_ = std::move(header.entries);
  metadata_ = std::move(header.metadata);
  if (const auto stored = metadata_.find(digest_key); stored != metadata_.end()) {
    stored_digest_ = std::move(stored->second);
    metadata_.erase(stored);
  }
  digest_ = digest_of(metadata_);
}

void SafetensorsFile::read(std::size_t index, void* out) {
  const SafetensorsEntry& entry = entries_[index];
  const std::size_t size = entry.dtype->item_size, loaded_size = item_size(entry.dtype->loaded_as);
  const bool same = entry.dtype == &safetensors_dtype(entry.dtype->loaded_as);
  std::vector<unsigned char> buffer(same ? 0 : std::min<std::uint64_t>(chunk_size, entry.end - entry.begin));

  std::uint32_t crc = crc_of(entry.name, entry.dtype->name, entry.shape.str());
  auto* to = static_cast<unsigned char*>(out);
  for (std::uint64_t at = entry.begin; at < entry.end;) {
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_size, entry.end - at));
    unsigned char* chunk = same ? to : buffer.data();
    file_->read(body_ + at, chunk, bytes);
    crc = crc_of(crc, chunk, bytes);
    if (!same) convert(entry.dtype->name, chunk, bytes / size, to);
    if (entry.dtype->loaded_as == DType::bool_) {
      const auto* wrong = std::find_if(chunk, chunk + bytes, [](unsigned char value) { return value > 1; });
      if (wrong != chunk + bytes) {
        const std::uint64_t element = at - entry.begin + static_cast<std::uint64_t>(wrong - chunk);
        const unsigned value = *wrong;
        std::memset(out, 0, entry.end - entry.begin);  // a bool of another value would be undefined behaviour
        fail(where_, ": tensor ", Quoted{entry.name}, ": element ", element, " of a BOOL is ", value);
      }
    }
    at += bytes;
    to += bytes / size * loaded_size;
  }
  digest_ += crc;
}

void SafetensorsFile::check_digest() const {
  if (stored_digest_.empty() || stored_digest_ == hex(digest_)) return;
  fail(where_,
       ": its contents do not match the digest in its metadata: the file is damaged, or was changed by a program "
       "that copied the metadata (remove ",
       Quoted{digest_key}, " from it)");
}

}  // namespace xgrad::io
