#include <xgrad/io/safetensors_file.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>

#include "../catch.hpp"
#include "../forked.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

struct Array {
  std::string name;
  DType dtype;
  Shape shape;
  std::string bytes;
  bool operator==(const Array&) const = default;
};

struct Contents {
  std::vector<Array> arrays;
  io::SafetensorsMetadata metadata;
};

Contents load(const std::string& path) {
  io::SafetensorsFile file("load", path);
  Contents out{{}, file.metadata()};
  for (std::size_t i = 0; i < file.entries().size(); ++i) {
    const io::SafetensorsEntry& entry = file.entries()[i];
    Array array{entry.name, entry.dtype->loaded_as, entry.shape, ""};
    array.bytes.resize(static_cast<std::size_t>(entry.shape.numel()) * item_size(array.dtype));
    file.read(i, array.bytes.data());
    out.arrays.push_back(std::move(array));
  }
  file.check_digest();
  return out;
}

void save(const std::string& path, const Contents& contents) {
  std::vector<io::SafetensorsArray> arrays;
  for (const Array& array : contents.arrays)
    arrays.push_back({array.name, array.dtype, array.shape, array.bytes.data()});
  io::write_safetensors("save", path, arrays, contents.metadata);
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string out;
  for (const T value : values) out.append(reinterpret_cast<const char*>(&value), sizeof value);
  return out;
}

Contents example() {
  return {{{"flag", bool_, {3}, bytes_of<bool>({true, false, true})},
           {"fc1.weight", float32, {2, 2}, bytes_of<float>({1.5f, -2.0f, 3.0f, 1e-40f})},
           {"step", int64, {}, bytes_of<std::int64_t>({-7})},
           {"\"\\/\n\xc3\xa4", float64, {1, 2}, bytes_of<double>({0.1, 1e300})},
           {"empty", float32, {0, 5}, ""}},
          {{"epoch", "3"}, {"note", "a \"quoted\" note"}}};
}

std::string file_of(const std::string& json, const std::string& body = "") {
  const std::uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + json + body;
}

std::string tensor_json(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
}

// What the reader says against a file; empty when it loads. Each answer must come within 100 ms.
std::string rejection(const std::string& contents, Contents* loaded = nullptr) {
  static const TemporaryDirectory directory;
  const std::string path = directory.write("model.safetensors", contents);
  std::string message;
  const std::clock_t start = std::clock();
  try {
    Contents result = load(path);
    if (loaded) *loaded = std::move(result);
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(std::clock() - start < CLOCKS_PER_SEC / 10);
  if (message != "") CHECK_THAT(message, Contains("load: " + path + ": "));
  return message;
}

std::string flipped(std::string contents, std::size_t bit) {
  contents[bit / 8] = static_cast<char>(contents[bit / 8] ^ (1 << bit % 8));
  return contents;
}

std::uint64_t header_length(const std::string& contents) {
  std::uint64_t length;
  std::memcpy(&length, contents.data(), sizeof length);
  return length;
}

}  // namespace

TEST_CASE("safetensors: what was saved is loaded, in the same order") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  const Contents saved = example();
  save(path, saved);
  const Contents loaded = load(path);
  CHECK(loaded.arrays == saved.arrays);
  CHECK(loaded.metadata == saved.metadata);

  save(path, loaded);  // the digest of the old file is not mistaken for metadata
  CHECK(load(path).arrays == saved.arrays);
  save(path, {});
  CHECK(load(path).arrays.empty());
}

TEST_CASE("safetensors: the header is padded and the body aligned") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  save(path, example());
  CHECK(header_length(io::read_file(path)) % 8 == 0);
  const io::SafetensorsFile file("load", path);
  for (const auto& entry : file.entries()) CHECK(entry.begin % entry.dtype->item_size == 0);
}

TEST_CASE("safetensors: names that repeat, are reserved or are not UTF-8 are not written") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  const auto array = [](const char* name) { return Array{name, float32, {}, bytes_of<float>({1})}; };
  CHECK_THROWS_WITH(save(path, {{array("a"), array("b"), array("a")}, {}}), Contains("duplicate tensor 'a'"));
  CHECK_THROWS_WITH(save(path, {{array("__metadata__")}, {}}), Contains("'__metadata__' is reserved"));
  CHECK_THROWS_WITH(save(path, {{array("a\xff")}, {}}), Contains("not UTF-8"));
  CHECK_THROWS_WITH(save(path, {{}, {{"k", "\xc0\x80"}}}), Contains("not UTF-8"));
  CHECK_THROWS_WITH(save(directory.path("missing/x"), {}), Contains("missing/x: No such file or directory"));
  CHECK_THROWS_WITH(save("/dev/full", example()), Contains("/dev/full: No space left on device"));
  CHECK(directory.names().empty());
}

TEST_CASE("safetensors: every dtype loads as it is, U16 and U32 as int64") {
  const auto load_one = [](const std::string& dtype, const std::string& body, std::size_t count) {
    const std::string size = std::to_string(count), end = std::to_string(body.size());
    Contents loaded;
    CHECK(rejection(file_of(tensor_json(dtype, "[" + size + "]", "[0," + end + "]"), body), &loaded) == "");
    REQUIRE(loaded.arrays.size() == 1);
    return loaded.arrays[0];
  };
  const struct {
    const char* name;
    DType dtype;
  } same[] = {{"BOOL", bool_}, {"U8", uint8},      {"I8", int8},     {"I16", int16},   {"I32", int32},
              {"I64", int64},  {"BF16", bfloat16}, {"F16", float16}, {"F32", float32}, {"F64", float64}};
  for (const auto& each : same) {
    INFO(each.name);
    std::string body(3 * item_size(each.dtype), '\x01');
    const Array loaded = load_one(each.name, body, 3);
    CHECK(loaded.dtype == each.dtype);
    CHECK(loaded.bytes == body);
    CHECK(io::safetensors_dtype(each.dtype).name == each.name);
    CHECK(io::safetensors_dtype(each.dtype).item_size == item_size(each.dtype));
  }

  const auto integers = [](const Array& array) {
    CHECK(array.dtype == int64);
    std::vector<std::int64_t> out(array.bytes.size() / 8);
    std::memcpy(out.data(), array.bytes.data(), array.bytes.size());
    return out;
  };
  using Integers = std::vector<std::int64_t>;
  CHECK(integers(load_one("U16", bytes_of<std::uint16_t>({65535}), 1)) == Integers{65535});
  CHECK(integers(load_one("U32", bytes_of<std::uint32_t>({0xffffffff}), 1)) == Integers{0xffffffff});
  const std::string many(600'000, '\x01');  // more than one piece of the reader's buffer
  CHECK(integers(load_one("U16", many, 300'000)) == Integers(300'000, 257));
}

TEST_CASE("safetensors: a file cut at any byte is an error") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  save(path, example());
  const std::string contents = io::read_file(path);
  for (std::size_t size = 0; size < contents.size(); ++size) {
    CAPTURE(size);
    CHECK(rejection(contents.substr(0, size)) != "");
  }
}

TEST_CASE("safetensors: any flipped bit is an error, or leaves every tensor what it was") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  const Contents saved = example();
  save(path, saved);
  const std::string contents = io::read_file(path);
  const std::size_t body = 8 + header_length(contents);
  int rejected = 0;
  for (std::size_t bit = 0; bit < body * 8; ++bit) {
    CAPTURE(bit);
    Contents loaded;
    if (rejection(flipped(contents, bit), &loaded) != "")
      ++rejected;
    else
      CHECK(loaded.arrays == saved.arrays);  // the name of the digest was hit: now it is unknown metadata
  }
  CHECK(rejected >= int(body * 8) - 8 * int(std::strlen("xgrad.crc32")));
  for (std::size_t bit = body * 8; bit < contents.size() * 8; ++bit) {
    CAPTURE(bit);
    CHECK_THAT(rejection(flipped(contents, bit)), Contains("do not match the digest") || Contains("of a BOOL is"));
  }
}

TEST_CASE("safetensors: a changed byte of the metadata is noticed") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  save(path, example());
  std::string contents = io::read_file(path);
  const std::size_t at = contents.find("\"epoch\":\"3\"");
  REQUIRE(at != std::string::npos);
  contents[at + 9] = '4';
  CHECK_THAT(rejection(contents), Contains("do not match the digest"));
}

TEST_CASE("safetensors: a header length that cannot be is an error") {
  const auto with_length = [](std::uint64_t length) {
    return std::string(reinterpret_cast<const char*>(&length), 8) + "{}";
  };
  CHECK(rejection(with_length(2)) == "");
  CHECK_THAT(rejection(with_length(0)), Contains("does not begin with '{'"));
  CHECK_THAT(rejection(with_length(~std::uint64_t{0})), Contains("header of 18446744073709551615 bytes"));
  CHECK_THAT(rejection(with_length(100'000'001)), Contains("more than the 100000000 that the format allows"));
  CHECK_THAT(rejection(with_length(3)), Contains("a header of 3 bytes, but the file has only 10"));
  CHECK_THAT(rejection("1234567"), Contains("7 bytes are too few"));
}

TEST_CASE("safetensors: malformed headers are errors") {
  const auto reject = [](const std::string& json) { return rejection(file_of(json, "12345678")); };
  CHECK(reject(tensor_json("F32", "[2]", "[0,8]")) == "");
  CHECK(reject(tensor_json("F32", "[2]", "[0,8]") + "   ") == "");

  CHECK_THAT(reject(" {}"), Contains("does not begin with '{'"));
  CHECK_THAT(reject("[]"), Contains("does not begin with '{'"));
  CHECK_THAT(reject("{"), Contains("not valid JSON"));
  CHECK_THAT(reject("{}{}"), Contains("not valid JSON"));
  CHECK_THAT(reject(std::string("{}\0x", 4)), Contains("zero byte"));
  CHECK_THAT(reject("{\"\xff\":1}"), Contains("not valid JSON"));
  CHECK_THAT(reject("{\"\xc0\x80\":1}"), Contains("not valid JSON"));
  CHECK_THAT(reject("{\"\\ud800\":1}"), Contains("not valid JSON"));
  CHECK_THAT(reject("{\"a\":1}"), Contains("has a number where"));
  CHECK_THAT(reject("{\"a\":[]}"), Contains("has an array"));
  CHECK_THAT(reject("{\"a\":null}"), Contains("has null where"));
  CHECK_THAT(reject("{\"a\":{\"dtype\":{}}}"), Contains("tensor 'a' has an object in a wrong place"));
  CHECK_THAT(reject("{\"a\":{\"shape\":[[2]]}}"), Contains("tensor 'a' has an array in a wrong place"));
  CHECK_THAT(reject("{\"a\":{\"shape\":[true]}}"), Contains("tensor 'a' has a boolean in a wrong place"));
  CHECK_THAT(reject("{\"__metadata__\":{\"k\":1}}"), Contains("metadata 'k' is a number, expected text"));
  CHECK_THAT(reject("{\"__metadata__\":{\"k\":{}}}"), Contains("metadata 'k' is an object, expected text"));
  CHECK_THAT(reject("{\"__metadata__\":[]}"), Contains("has an array where"));
  CHECK_THAT(reject("{\"a\":" + std::string(100'000, '[')), Contains("has an array where"));
  std::string nested = "{\"a\":{\"shape\":";
  for (int i = 0; i < 100'000; ++i) nested += "{\"shape\":";
  CHECK_THAT(reject(nested), Contains("has an object in a wrong place"));
}

TEST_CASE("safetensors: duplicate, missing and unknown keys are errors") {
  const auto reject = [](const std::string& json) { return rejection(file_of(json)); };
  const std::string fields = "\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]";
  CHECK(reject("{\"a\":{" + fields + "},\"b\":{" + fields + "}}") == "");
  CHECK_THAT(reject("{\"a\":{" + fields + "},\"a\":{" + fields + "}}"), Contains("duplicate tensor 'a'"));
  CHECK_THAT(reject("{\"a\":{" + fields + ",\"shape\":[0]}}"), Contains("duplicate key 'shape'"));
  CHECK_THAT(reject("{\"a\":{" + fields + ",\"stride\":[0]}}"), Contains("unknown key 'stride'"));
  CHECK_THAT(reject("{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}}"), Contains("has no data_offsets"));
  CHECK_THAT(reject("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}"), Contains("has no shape"));
  CHECK_THAT(reject("{\"a\":{\"shape\":[0],\"data_offsets\":[0,0]}}"), Contains("has no dtype"));
  CHECK_THAT(reject("{\"__metadata__\":{},\"__metadata__\":{}}"), Contains("duplicate key '__metadata__'"));
  CHECK_THAT(reject("{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}"), Contains("duplicate metadata key 'k'"));
}

TEST_CASE("safetensors: sizes and offsets that cannot be are errors") {
  const auto reject = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return rejection(file_of(tensor_json(dtype, shape, offsets), "12345678"));
  };
  CHECK_THAT(reject("F31", "[2]", "[0,8]"), Contains("dtype 'F31' is not supported"));
  CHECK_THAT(reject("F8_E4M3", "[2]", "[0,8]"), Contains("tensor 'a': dtype 'F8_E4M3' is not supported"));
  CHECK_THAT(reject("F32", "[-2]", "[0,8]"), Contains("negative number -2"));
  CHECK_THAT(reject("F32", "[-0]", "[0,8]"), Contains("negative number 0"));
  CHECK_THAT(reject("F32", "[2.0]", "[0,8]"), Contains("'2.0' is not an integer"));
  CHECK_THAT(reject("F32", "[2e0]", "[0,8]"), Contains("'2e0' is not an integer"));
  CHECK_THAT(reject("F32", "[2]", "[0,8.5]"), Contains("'8.5' is not an integer"));
  CHECK_THAT(reject("F32", "[18446744073709551616]", "[0,8]"), Contains("is not an integer in the range of 64 bits"));
  CHECK_THAT(reject("F32", "[9223372036854775808]", "[0,8]"), Contains("size 9223372036854775808 is too large"));
  CHECK_THAT(reject("F32", "[4611686018427387904,4]", "[0,8]"), Contains("has too many elements"));
  CHECK_THAT(reject("F32", "[4611686018427387906]", "[0,8]"), Contains("has too many elements"));  // 8 modulo 2^64
  CHECK_THAT(reject("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), Contains("more than the 8 axes"));
  CHECK_THAT(reject("F32", "[3]", "[0,8]"), Contains("F32 (3,) needs 12 bytes, its offsets 0 to 8 give 8"));
  CHECK_THAT(reject("F32", "[2]", "[8,0]"), Contains("begins at 8, after its end 0"));
  CHECK_THAT(reject("F32", "[2]", "[0]"), Contains("data_offsets has 1 numbers"));
  CHECK_THAT(reject("F32", "[2]", "[0,8,8]"), Contains("data_offsets has more than 2 numbers"));
  CHECK_THAT(reject("F32", "[1]", "[0,4]"), Contains("the tensors end at byte 4 of the body, the file has 8"));
  CHECK_THAT(reject("F32", "[1]", "[4,8]"), Contains("begins at 4, leaving a hole after 0"));
  CHECK_THAT(reject("F32", "[4]", "[0,16]"), Contains("the tensors end at byte 16 of the body, the file has 8"));
  CHECK_THAT(reject("BOOL", "[8]", "[0,8]"), Contains("element 0 of a BOOL is 49"));
}

TEST_CASE("safetensors: tensors that overlap are an error") {
  const auto tensor = [](const std::string& name, const std::string& offsets) {
    return "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" + offsets + "}";
  };
  CHECK(rejection(file_of("{" + tensor("b", "[8,16]") + "," + tensor("a", "[0,8]") + "}", std::string(16, 'x'))) == "");
  CHECK_THAT(rejection(file_of("{" + tensor("a", "[0,8]") + "," + tensor("b", "[4,12]") + "}", std::string(12, 'x'))),
             Contains("'b' begins at 4, inside the one before, which ends at 8"));
  CHECK_THAT(rejection(file_of("{" + tensor("a", "[0,8]") + "," + tensor("b", "[0,8]") + "}", std::string(8, 'x'))),
             Contains("inside the one before"));
}

#if !defined(XGRAD_SANITIZED)  // sanitizers reserve address space of their own
namespace {

// Loads a file that must be refused, in a process that may take `allowed` more bytes than it has; whether that was
// enough.
bool refused_within(const std::string& path, std::size_t allowed) {
  return run_forked([&] {
           std::size_t pages = 0;
           std::ifstream("/proc/self/statm") >> pages;
           const rlim_t bytes = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + allowed;
           const rlimit limit{bytes, bytes};
           if (::setrlimit(RLIMIT_AS, &limit) != 0) return 3;
           try {
             load(path);
             return 1;
           } catch (const Error&) {
             return 0;
           } catch (const std::bad_alloc&) {
             return 2;
           }
         }) == 0;
}

}  // namespace

TEST_CASE("safetensors: a refused file costs no more memory than it is long") {
  const TemporaryDirectory directory;
  const std::string body(4'000'000, 'x');
  const std::string huge = "[4611686018427387903]", end = "[0,18446744073709551612]";
  for (const std::string& contents : {file_of(tensor_json("F32", huge, end), body),
                                      file_of(tensor_json("F32", "[1000000]", "[0,4000000]"), body + "x"),
                                      file_of(tensor_json("F32", "[1000000]", "[0,4000000]"), body.substr(1)),
                                      file_of(tensor_json("BF16", "[2000000]", "[0,4000000]"), body.substr(1)),
                                      std::string("\xff\xe0\xf5\x05\0\0\0\0", 8) + body, file_of(body)})
    CHECK(refused_within(directory.write("model.safetensors", contents), contents.size() + (1 << 20)));
}

TEST_CASE("safetensors: parsing a header costs a small multiple of its length") {
  const TemporaryDirectory directory;
  std::string many = "{";
  for (int i = 0; i < 40'000; ++i)
    many += '"' + std::to_string(i) + "\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},";
  for (const std::string& contents : {file_of("{\"" + std::string(4'000'000, 'x')), file_of(many)})
    CHECK(refused_within(directory.write("model.safetensors", contents), 12 * contents.size() + (1 << 20)));
}

TEST_CASE("safetensors: a number or a text without end is refused before it is kept") {
  const TemporaryDirectory directory;
  const auto cost = [&](const std::string& header) {
    return refused_within(directory.write("model.safetensors", file_of(header)), header.size());
  };
  CHECK(cost("{\"a\":{\"shape\":[" + std::string(10'000'000, '1') + "]}}"));
  CHECK(cost("{\"a\":" + std::string(10'000'000, 'n') + "}"));
  CHECK(cost("{\"a" + std::string(99'000'000, 'x')));
}
#endif

TEST_CASE("safetensors: numbers, words and texts that are too long are named") {
  const auto with_number = [](std::size_t digits) {
    return rejection(file_of(tensor_json("F32", "[" + std::string(digits, '1') + "]", "[0,8]")));
  };
  CHECK_THAT(with_number(32), Contains("is not an integer in the range of 64 bits"));
  CHECK_THAT(with_number(33), Contains("the header has a number or a word of over 32 characters"));
  CHECK_THAT(with_number(10'000'000), Contains("the header has a number or a word of over 32 characters"));
  Contents loaded;
  const std::string text((1 << 16) + 1, 'x');  // longer than the pieces that are read
  CHECK(rejection(file_of("{\"__metadata__\":{\"k\":\"" + text + "\"}}"), &loaded) == "");
  CHECK(loaded.metadata.at("k") == text);
}

TEST_CASE("safetensors: other formats are named, with what to do") {
  const auto start = [](std::string_view text) { return std::string(text) + std::string(64, '\0'); };
  CHECK_THAT(
      rejection(start("PK\3\4\0\0\0\0model/data.pkl")),
      Contains("this is a zip archive, such as torch.save writes (.pt, .pth), not a safetensors file; load it in "
               "Python and write its state_dict with safetensors.torch.save_file"));
  CHECK_THAT(rejection(start("PK\3\4\x14weight.npy")), Contains("this is an archive of NumPy arrays (.npz)"));
  CHECK_THAT(rejection(start("\x80\2\x8a\nlF")),
             Contains("this is a pickle, such as torch.save wrote before PyTorch 1.6"));
  CHECK_THAT(rejection(start("\x93NUMPY\1")), Contains("this is a NumPy array (.npy)"));
  CHECK_THAT(rejection(start("\x08\x08\x12\x07pytorch")), Contains("this is an ONNX model"));
  CHECK_THAT(rejection(start("GGUF\3")), Contains("this is a GGUF file"));
  CHECK_THAT(rejection("{}"), Contains("this is JSON"));
  // A header of 0x04034b50 bytes would be one that begins as a zip archive does.
  CHECK(rejection(file_of("{" + std::string(0x2b50 - 2, ' ') + "}")) == "");
}

TEST_CASE("safetensors: killed at random times while saving, the file always loads") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  const auto contents = [](std::int64_t step) {
    Contents out = example();
    out.arrays[2].bytes = bytes_of<std::int64_t>({step});
    out.arrays.push_back({"large", float32, {50'000}, std::string(200'000, static_cast<char>(step))});
    return out;
  };
  save(path, contents(0));
  unsigned random = 12345;
  bool advanced = false, stray = false;
  for (int round = 0; round < 200; ++round) {
    const pid_t child = start_forked([&]() -> int {
      for (std::int64_t step = 1;; ++step) save(path, contents(step));
    });
    REQUIRE(child > 0);
    random = random * 1664525u + 1013904223u;
    ::usleep(random >> 20);  // up to 4 ms
    ::kill(child, SIGKILL);
    REQUIRE(wait_for_forked(child) == -SIGKILL);

    stray = stray || directory.names().size() > 1;
    const Contents loaded = load(path);
    REQUIRE(loaded.arrays.size() == 6);
    std::int64_t step;
    std::memcpy(&step, loaded.arrays[2].bytes.data(), sizeof step);
    advanced = advanced || step > 0;
    REQUIRE(loaded.arrays == contents(step).arrays);
    REQUIRE(directory.names().size() <= 2);  // each child swept what the one before it left
  }
  CHECK(advanced);
  CHECK(stray);
  save(path, contents(0));
  CHECK(directory.names() == std::vector<std::string>{"model.safetensors"});
}

TEST_CASE("safetensors: Python's library reads ours, and ours reads Python's") {
  const char* python = std::getenv("XGRAD_PYTHON");
  if (!python) {
    WARN("skipped: set XGRAD_PYTHON to a Python with the packages safetensors and numpy");
    return;
  }
  const TemporaryDirectory directory;
  const std::string ours = directory.path("ours.safetensors"), theirs = directory.path("theirs.safetensors");
  const auto run = [&](const std::string& command, const std::string& path) {
    return std::system(
        (std::string(python) + " " XGRAD_TESTS_DIR "/io/safetensors_interop.py " + command + " " + path).c_str());
  };
  save(ours, example());
  CHECK(run("check", ours) == 0);

  REQUIRE(run("write", theirs) == 0);
  Contents loaded = load(theirs);
  CHECK(loaded.metadata == io::SafetensorsMetadata{{"format", "np"}});
  std::sort(loaded.arrays.begin(), loaded.arrays.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  const std::vector<Array> expected = {
      {"bn1.num_batches_tracked", int64, {}, bytes_of<std::int64_t>({7})},
      {"empty", float32, {0, 4}, ""},
      {"fc1.weight", float32, {2, 3}, bytes_of<float>({0, 0.25f, 0.5f, 0.75f, 1, 1.25f})},
      {"half", float16, {2}, bytes_of<std::uint16_t>({0x3e00, 0xc000})},
      {"mask", bool_, {3}, bytes_of<bool>({true, false, true})},
      {"n\xc3\xa4me \"quoted\"", int32, {1}, bytes_of<std::int32_t>({1})},
      {"small", int8, {2, 1}, bytes_of<std::int8_t>({-3, 4})},
      {"wide", float64, {2}, bytes_of<double>({0.1, -1e300})}};
  CHECK(loaded.arrays == expected);

  const std::vector<Array> dtypes = {{"bfloat16", bfloat16, {2}, bytes_of<std::uint16_t>({0x3fc0, 0xc040})},
                                     {"bool", bool_, {2}, bytes_of<bool>({true, false})},
                                     {"float16", float16, {2}, bytes_of<std::uint16_t>({0x3e00, 0xfbff})},
                                     {"float32", float32, {2}, bytes_of<float>({1.5f, -3})},
                                     {"float64", float64, {2}, bytes_of<double>({0.1, -1e300})},
                                     {"int16", int16, {2}, bytes_of<std::int16_t>({-30000, 7})},
                                     {"int32", int32, {2}, bytes_of<std::int32_t>({-2000000000, 7})},
                                     {"int64", int64, {2}, bytes_of<std::int64_t>({-9007199254740993, 7})},
                                     {"int8", int8, {2}, bytes_of<std::int8_t>({-100, 7})},
                                     {"uint8", uint8, {2}, bytes_of<std::uint8_t>({200, 7})}};
  save(ours, {dtypes, {}});
  CHECK(run("check_dtypes", ours) == 0);
  REQUIRE(run("write_dtypes", theirs) == 0);
  loaded = load(theirs);
  std::sort(loaded.arrays.begin(), loaded.arrays.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  CHECK(loaded.arrays == dtypes);
}
