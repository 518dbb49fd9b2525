#include "idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "../io/file.hpp"

namespace xgrad::data {

namespace {

constexpr std::size_t prefix_size = 4;  // 00 00, the element type, the rank
constexpr std::uint64_t gzip_header_and_trailer = 18;
constexpr std::uint64_t best_ratio = 1032;  // deflate cannot do better

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::string hex(const std::uint8_t* bytes, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ' ';
    out += "0123456789abcdef"[bytes[i] >> 4];
    out += "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}

class PlainSource {
 public:
  explicit PlainSource(const io::InputFile& file) : file_(file) {}

  void read(std::uint8_t* out, std::size_t count) {
    check(count <= file_.size() - offset_, "read_idx: ", file_.path(), ": ", file_.size(),
          " bytes are too few for an IDX header");
    file_.read(offset_, out, count);
    offset_ += count;
  }

  void expect(std::uint64_t promised, const Shape& shape) {
    check(file_.size() - offset_ == promised, "read_idx: ", file_.path(), ": ", file_.size() - offset_,
          " bytes follow the header, sizes ", shape, " need ", promised);
  }

  void expect_end() {}

 private:
  const io::InputFile& file_;
  std::uint64_t offset_ = 0;
};

class GzipSource {
 public:
  explicit GzipSource(const io::InputFile& file) : file_(file) {
    check(file_.size() >= gzip_header_and_trailer, "read_idx: ", file_.path(),
          ": gzip data is truncated: ", file_.size(), " bytes");
    check(::inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK, "read_idx: ", file_.path(), ": out of memory in zlib");
  }
  GzipSource(const GzipSource&) = delete;
  ~GzipSource() { ::inflateEnd(&stream_); }

  void read(std::uint8_t* out, std::size_t count) {
    const std::size_t got = unpack(out, count);
    check(got == count, "read_idx: ", file_.path(), ": unpacks to only ", unpacked_, " bytes");
  }

  // Both checks come before the memory is allocated.
  void expect(std::uint64_t promised, const Shape& shape) {
    check(promised <= (file_.size() - gzip_header_and_trailer) * best_ratio, "read_idx: ", file_.path(), ": sizes ",
          shape, " need ", promised, " bytes, more than ", file_.size(), " bytes of gzip data can hold");
    std::uint8_t trailer[4];
    file_.read(file_.size() - sizeof trailer, trailer, sizeof trailer);
    const std::uint32_t length =
        std::uint32_t{trailer[3]} << 24 | std::uint32_t{trailer[2]} << 16 | std::uint32_t{trailer[1]} << 8 | trailer[0];
    const auto expected = static_cast<std::uint32_t>(unpacked_ + promised);  // the trailer counts modulo 2^32
    check(length == expected, "read_idx: ", file_.path(), ": the gzip trailer says ", length, " bytes, sizes ", shape,
          " and the header need ", expected, ": the file is truncated, too long or damaged");
  }

  void expect_end() {
    std::uint8_t extra;
    const std::uint64_t promised = unpacked_;
    check(unpack(&extra, 1) == 0, "read_idx: ", file_.path(), ": unpacks to more than the ", promised,
          " bytes its header promises");
    const std::uint64_t rest = stream_.avail_in + (file_.size() - offset_);
    check(rest == 0, "read_idx: ", file_.path(), ": ", rest, " bytes follow the gzip data");
  }

 private:
  // As many bytes as there are, up to `count`; checks the sum of the gzip trailer when it reaches the end.
  std::size_t unpack(std::uint8_t* out, std::size_t count) {
    std::size_t done = 0;
    while (!ended_ && done < count) {
      if (stream_.avail_in == 0) refill();
      const auto room = static_cast<uInt>(std::min<std::size_t>(count - done, std::numeric_limits<uInt>::max()));
      stream_.next_out = out + done;
      stream_.avail_out = room;
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      ended_ = status == Z_STREAM_END;
      check(status == Z_OK || status == Z_STREAM_END, "read_idx: ", file_.path(),
            ": gzip data is damaged: ", stream_.msg ? stream_.msg : "no progress");
    }
    unpacked_ += done;
    return done;
  }

  void refill() {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(sizeof input_, file_.size() - offset_));
    check(count > 0, "read_idx: ", file_.path(), ": gzip data is truncated after ", file_.size(), " bytes");
    file_.read(offset_, input_, count);
    offset_ += count;
    stream_.next_in = input_;
    stream_.avail_in = static_cast<uInt>(count);
  }

  const io::InputFile& file_;
  std::uint64_t offset_ = 0;    // of compressed bytes read
  std::uint64_t unpacked_ = 0;  // bytes handed out
  bool ended_ = false;
  z_stream stream_ = {};
  std::uint8_t input_[1 << 15];
};

template <class Source>
IdxArray parse(const std::string& path, Source&& source) {
  std::uint8_t prefix[prefix_size];
  source.read(prefix, sizeof prefix);
  check(prefix[0] == 0 && prefix[1] == 0, "read_idx: ", path, ": magic ", hex(prefix, 4),
        " is not that of an IDX file (00 00 TYPE RANK)");
  check(prefix[2] == 8, "read_idx: ", path, ": element type 0x", hex(prefix + 2, 1),
        " is not supported, only unsigned bytes (0x08) are");
  check(prefix[3] >= 1 && prefix[3] <= Shape::max_rank, "read_idx: ", path, ": ", std::uint64_t{prefix[3]},
        " axes, expected 1 to ", Shape::max_rank);

  IdxArray array;
  std::int64_t product = 1;
  bool overflow = false, empty = false;
  for (int axis = 0; axis < prefix[3]; ++axis) {
    std::uint8_t bytes[4];
    source.read(bytes, sizeof bytes);
    const std::int64_t size = big_endian(bytes);
    array.shape.push_back(size);
    empty = empty || size == 0;
    overflow = __builtin_mul_overflow(product, size, &product) || overflow;
  }
  check(empty || !overflow, "read_idx: ", path, ": sizes ", array.shape, " have more than 2^63 - 1 elements");
  const std::uint64_t count = empty ? 0 : static_cast<std::uint64_t>(product);

  source.expect(count, array.shape);
  array.values.resize(count);
  source.read(array.values.data(), count);
  source.expect_end();
  return array;
}

}  // namespace

IdxArray read_idx(const std::string& path) {
  const io::InputFile file("read_idx", path);
  std::uint8_t magic[2] = {};
  file.read(0, magic, std::min<std::uint64_t>(file.size(), sizeof magic));
  return magic[0] == 0x1f && magic[1] == 0x8b ? parse(path, GzipSource(file)) : parse(path, PlainSource(file));
}

}  // namespace xgrad::data
