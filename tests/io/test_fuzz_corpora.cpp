#include <xgrad/data/csv.hpp>
#include <xgrad/data/idx.hpp>
#include <xgrad/data/json_lines.hpp>
#include <xgrad/io/npy.hpp>
#include <xgrad/io/safetensors_file.hpp>

#include <filesystem>

#include "../catch.hpp"

using namespace xgrad;

namespace {

// Of the files that a fuzzer starts from or once failed on, how many `read` accepts; it throws Error for the others.
template <class Read>
int accepted(const std::string& corpus, Read&& read) {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(XGRAD_TESTS_DIR "/fuzz/corpus/" + corpus)) {
    INFO(file.path());
    try {
      read(file.path().string());
      ++count;
    } catch (const Error&) {
    }
  }
  return count;
}

}  // namespace

TEST_CASE("fuzz corpora: every IDX file is read or refused with an Error") {
  CHECK(accepted("idx", [](const std::string& path) { data::read_idx(path); }) == 3);
}

TEST_CASE("fuzz corpora: every safetensors file is read or refused with an Error") {
  const auto read = [](const std::string& path) {
    io::SafetensorsFile file("load", path);
    for (std::size_t i = 0; i < file.entries().size(); ++i) {
      std::vector<double> values(static_cast<std::size_t>(file.entries()[i].shape.numel()));
      file.read(i, values.data());
    }
    file.check_digest();
  };
  CHECK(accepted("safetensors", read) == 3);
}

TEST_CASE("fuzz corpora: every CSV, JSON lines and npy file is read or refused with an Error") {
  CHECK(accepted("csv", [](const std::string& path) { data::read_csv(path); }) == 4);
  CHECK(accepted("json_lines", [](const std::string& path) { data::read_json_lines(path); }) == 1);
  CHECK(accepted("npy", [](const std::string& path) { load_npy(path); }) == 6);
}
