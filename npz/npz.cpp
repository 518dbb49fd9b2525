#include "npz.hpp"

#include <zip.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>
#include <vector>

#include "../io/file.hpp"
#include "../io/npy.hpp"
#include "../io/safetensors_header.hpp"  // Quoted

namespace xgrad {

namespace {

constexpr std::string_view ending = ".npy";
constexpr std::uint64_t best_ratio = 1032;  // deflate cannot do better

using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;
using Entry = std::unique_ptr<zip_file_t, decltype(&zip_fclose)>;

/// An error of libzip that lives as long as what it is about.
class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  explicit ZipError(int code) { zip_error_init_with_code(&error_, code); }
  ZipError(const ZipError&) = delete;
  ~ZipError() { zip_error_fini(&error_); }
  zip_error_t* get() { return &error_; }
  const char* text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_;
};

/// An array of an archive, which can only be read from front to back; what read_npy() reads twice is kept.
class ArrayInput final : public io::Input {
 public:
  ArrayInput(std::string where, zip_t* archive, const zip_stat_t& info)
      : where_(std::move(where)), size_(info.size), entry_(zip_fopen_index(archive, info.index, 0), &zip_fclose) {
    check(entry_ != nullptr, where_, ": ", zip_strerror(archive));
    start_size_ = static_cast<std::size_t>(std::min<std::uint64_t>(start_.size(), size_));
    take(start_.data(), start_size_);
  }

  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, void* out, std::size_t count) const override {
    auto* to = static_cast<char*>(out);
    if (offset < start_size_) {
      const std::size_t kept = std::min(count, start_size_ - static_cast<std::size_t>(offset));
      std::memcpy(to, start_.data() + offset, kept);
      to += kept;
      offset += kept;
      count -= kept;
    }
    if (count == 0) return;
    check(offset == position_ && count <= size_ - offset, where_, ": its bytes end too early");
    take(to, count);
  }
  /// Reads what is left, so that libzip compares the checksum.
  void expect_end() const {
    std::array<char, 4096> rest;
    while (position_ < size_)
      take(rest.data(), static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), size_ - position_)));
    check(zip_fread(entry_.get(), rest.data(), 1) == 0, where_, ": ", zip_file_strerror(entry_.get()));
  }

 private:
  void take(char* to, std::size_t count) const {
    for (std::size_t done = 0; done < count;) {
      const zip_int64_t got = zip_fread(entry_.get(), to + done, count - done);
      check(got >= 0, where_, ": ", zip_file_strerror(entry_.get()));
      check(got > 0, where_, ": its bytes end too early");
      done += static_cast<std::size_t>(got);
    }
    position_ += count;
  }

  std::string where_;
  std::uint64_t size_;
  Entry entry_;
  std::array<char, 12> start_{};
  std::size_t start_size_ = 0;
  mutable std::uint64_t position_ = 0;
};

}  // namespace

void save_npz(const std::string& path, const NamedTensors& tensors, const NpzOptions& options) {
  const std::string where = "save_npz: " + path;
  std::set<std::string_view> names;
  std::vector<io::NpyPieces> pieces;
  for (const auto& [name, tensor] : tensors) {
    check(!name.empty() && name.find('\0') == std::string::npos && names.insert(name).second, where, ": the name ",
          io::Quoted{name}, " is empty, repeats or has a zero byte in it");
    pieces.push_back(io::npy_pieces(where + ": " + name, tensor));
  }
  ZipError error;
  zip_source_t* const bytes = zip_source_buffer_create(nullptr, 0, 0, error.get());
  check(bytes != nullptr, where, ": ", error.text());
  const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> keep(bytes, &zip_source_free);
  zip_source_keep(bytes);  // the archive takes the one reference, `keep` the other
  Archive archive(zip_open_from_source(bytes, ZIP_CREATE | ZIP_TRUNCATE, error.get()), &zip_discard);
  if (!archive) {
    zip_source_free(bytes);
    fail(where, ": ", error.text());
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string_view elements = pieces[i].elements();
    zip_buffer_fragment_t parts[2];
    parts[0] = {reinterpret_cast<zip_uint8_t*>(pieces[i].header.data()), pieces[i].header.size()};
    parts[1] = {reinterpret_cast<zip_uint8_t*>(const_cast<char*>(elements.data())), elements.size()};
    zip_source_t* const source = zip_source_buffer_fragment(archive.get(), parts, elements.empty() ? 1 : 2, 0);
    const zip_int64_t index =
        source ? zip_file_add(archive.get(), (tensors[i].first + std::string(ending)).c_str(), source, ZIP_FL_ENC_UTF_8)
               : -1;
    if (source && index < 0) zip_source_free(source);
    check(index >= 0 && zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index),
                                                 options.compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) == 0,
          where, ": ", tensors[i].first, ": ", zip_strerror(archive.get()));
  }
  check(zip_close(archive.get()) == 0, where, ": ", zip_strerror(archive.get()));
  static_cast<void>(archive.release());

  io::AtomicFile file("save_npz", path);
  if (tensors.empty()) {  // libzip writes no empty archives
    const char end[22] = {'P', 'K', 5, 6};
    file.write(end, sizeof end);
  } else {
    check(zip_source_open(bytes) == 0, where, ": ", zip_error_strerror(zip_source_error(bytes)));
    std::vector<char> buffer(std::size_t{1} << 18);
    zip_int64_t got = 0;
    while ((got = zip_source_read(bytes, buffer.data(), buffer.size())) > 0)
      file.write(buffer.data(), static_cast<std::size_t>(got));
    check(got == 0, where, ": ", zip_error_strerror(zip_source_error(bytes)));
    zip_source_close(bytes);
  }
  file.commit();
}

NamedTensors load_npz(const std::string& path) {
  const std::string where = "load_npz: " + path;
  const io::InputFile there("load_npz", path);  // so that a missing file is an error like any other
  int code = 0;
  const Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code), &zip_discard);
  check(archive != nullptr, where, ": ", ZipError(code).text(), " (an .npz file is a zip archive)");
  NamedTensors tensors;
  const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    zip_stat_t info;
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_INDEX;
    check(zip_stat_index(archive.get(), static_cast<zip_uint64_t>(i), 0, &info) == 0 && (info.valid & needed) == needed,
          where, ": entry ", i, ": ", zip_strerror(archive.get()));
    const std::string_view name = info.name;
    check(name.ends_with(ending), where, ": ", io::Quoted{name}, " is no array (.npy)");
    const std::string at = where + ": " + std::string(name);
    check(info.size / best_ratio <= info.comp_size, at, ": ", std::uint64_t{info.size}, " bytes are more than ",
          std::uint64_t{info.comp_size}, " compressed ones can hold");
    const ArrayInput input(at, archive.get(), info);
    tensors.emplace_back(name.substr(0, name.size() - ending.size()), io::read_npy(at, input));
    input.expect_end();
  }
  return tensors;
}

}  // namespace xgrad
