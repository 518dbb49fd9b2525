#include <xgrad/data/idx.hpp>

#include <zlib.h>

#include <ctime>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

std::string idx(std::initializer_list<std::uint32_t> sizes, std::size_t values) {
  std::string out("\0\0\x08", 3);
  out += static_cast<char>(sizes.size());
  for (const std::uint32_t size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  for (std::size_t i = 0; i < values; ++i) out += static_cast<char>(i * 7 + 250);
  return out;
}

std::string gzip(const std::string& text, int level = 9) {
  z_stream stream = {};
  REQUIRE(::deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

// The trailer of gzip data, its last 4 bytes, says how long the unpacked data are, modulo 2^32.
std::string with_trailer_length(std::string gz, std::uint64_t length) {
  for (std::size_t i = 0; i < 4; ++i) gz[gz.size() - 4 + i] = static_cast<char>(length >> (8 * i));
  return gz;
}

// Reads a file with these contents.
data::IdxArray read(const std::string& contents) {
  static const TemporaryDirectory directory;
  return data::read_idx(directory.write("images.idx", contents));
}

// What read_idx says against such a file; empty when it reads.
std::string rejection(const std::string& contents) {
  try {
    read(contents);
    return "";
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Contains("images.idx: "));
    return error.what();
  }
}

}  // namespace

TEST_CASE("idx: plain and gzip files read the same") {
  const std::string plain = idx({2, 3, 5}, 30);
  for (const std::string& contents : {plain, gzip(plain)}) {
    const data::IdxArray array = read(contents);
    CHECK(array.shape == Shape{2, 3, 5});
    REQUIRE(array.values.size() == 30);
    CHECK(array.values[0] == 250);
    CHECK(array.values[29] == ((29 * 7 + 250) & 255));
  }
}

TEST_CASE("idx: data sets without values read") {
  for (const std::string& contents :
       {idx({0}, 0), gzip(idx({0, 28, 28}, 0)), idx({0xffffffff, 0xffffffff, 0xffffffff, 0}, 0)})
    CHECK(read(contents).values.empty());
}

TEST_CASE("idx: a wrong magic, type or rank is an error") {
  std::string contents = idx({2, 3}, 6);
  contents[1] = 1;
  CHECK_THAT(rejection(contents), Contains("magic 00 01 08 02 is not that of an IDX file"));
  contents = idx({2, 3}, 6);
  contents[2] = 0x0d;
  CHECK_THAT(rejection(contents), Contains("element type 0x0d is not supported"));
  CHECK_THAT(rejection(idx({}, 1)), Contains("0 axes, expected 1 to 8"));
  CHECK_THAT(rejection(idx({1, 1, 1, 1, 1, 1, 1, 1, 1}, 1)), Contains("9 axes"));
  CHECK_THAT(rejection("<!DOCTYPE html>"), Contains("magic 3c 21 44 4f"));
  CHECK_THAT(rejection(""), Contains("0 bytes are too few"));
}

TEST_CASE("idx: a file that does not exist is an error") {
  CHECK_THROWS_WITH(data::read_idx("/missing/file"), "read_idx: /missing/file: No such file or directory");
}

TEST_CASE("idx: one byte more or less is an error that gives the numbers") {
  CHECK_THAT(rejection(idx({2, 3}, 5)), Contains("5 bytes follow the header, sizes (2, 3) need 6"));
  CHECK_THAT(rejection(idx({2, 3}, 7)), Contains("7 bytes follow the header, sizes (2, 3) need 6"));
  CHECK_THAT(rejection(gzip(idx({2, 3}, 5))), Contains("trailer says 17 bytes, sizes (2, 3) and the header need 18"));
  CHECK_THAT(rejection(gzip(idx({2, 3}, 7))), Contains("trailer says 19 bytes"));
  CHECK_THAT(rejection(with_trailer_length(gzip(idx({2, 3}, 5)), 18)), Contains("gzip data is damaged"));
  CHECK_THAT(rejection(with_trailer_length(gzip(idx({2, 3}, 7)), 18)), Contains("gzip data is damaged"));
  CHECK_THAT(rejection(gzip(idx({2, 3}, 6)) + "x"), Contains("trailer"));
  CHECK_THAT(rejection(gzip(idx({2, 3}, 6)) + gzip(idx({2, 3}, 6))), Contains("bytes follow the gzip data"));
}

TEST_CASE("idx: a file cut at any byte is an error") {
  const std::string plain = idx({4, 3, 3}, 36), packed = gzip(plain);
  for (const std::string& contents : {plain, packed})
    for (std::size_t size = 0; size < contents.size(); ++size) {
      CAPTURE(size);
      CHECK(rejection(contents.substr(0, size)) != "");
    }
}

TEST_CASE("idx: any flipped bit of the header or of gzip data is an error, or changes nothing") {
  const std::string plain = idx({4, 3, 3}, 36), packed = gzip(plain);
  const auto flipped = [](std::string contents, std::size_t bit) {
    contents[bit / 8] = static_cast<char>(contents[bit / 8] ^ (1 << bit % 8));
    return contents;
  };
  for (std::size_t bit = 0; bit < 16 * 8; ++bit) {
    CAPTURE(bit);
    CHECK(rejection(flipped(plain, bit)) != "");
  }
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
    CAPTURE(bit);
    const std::string contents = flipped(packed, bit);
    if (rejection(contents) != "") continue;
    ++accepted;
    CHECK(read(contents).values == read(packed).values);
  }
  CHECK(accepted <=
        1 + 6 * 8 + 7);  // the text flag, time stamp and system of a gzip header, bits that fill a last byte
}

TEST_CASE("idx: sizes that multiply beyond 2^63, or beyond the file, are refused before memory is taken") {
  const std::string overflow = idx({0xffffffff, 0xffffffff, 2}, 10), large = idx({0xffffffff, 0x7fffffff}, 10);
  CHECK_THAT(rejection(overflow), Contains("more than 2^63 - 1 elements"));
  CHECK_THAT(rejection(gzip(overflow)), Contains("more than 2^63 - 1 elements"));
  CHECK_THAT(rejection(large), Contains("10 bytes follow the header"));
  CHECK_THAT(rejection(gzip(large)), Contains("bytes of gzip data can hold"));
}

TEST_CASE("idx: a gzip bomb is not unpacked beyond what its header promises") {
  const std::string bomb = gzip(idx({10}, 10) + std::string(50'000'000, '\0'), 1);
  const std::clock_t start = std::clock();
  CHECK_THAT(rejection(bomb), Contains("trailer says 50000018 bytes"));
  CHECK_THAT(rejection(with_trailer_length(bomb, 8 + 10)), Contains("more than the 18 bytes its header promises"));
  CHECK(std::clock() - start < CLOCKS_PER_SEC / 10);
}
