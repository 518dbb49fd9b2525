#include "event_file.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>

namespace xgrad::train::detail {

namespace {

/// CRC-32C (Castagnoli), which zlib does not have.
std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
      out[i] = crc;
    }
    return out;
  }();
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(byte)) & 255];
  return ~crc;
}

template <class Value>
std::string bytes_of(Value value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

/// Rotated and shifted, as the format has it, so that a checksum of a checksum is none.
std::string masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return bytes_of((crc >> 15 | crc << 17) + 0xa282ead8u);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string new_path(const std::string& directory) {
  static std::atomic<int> files{0};
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return directory + "/events.out.tfevents." + std::to_string(static_cast<std::int64_t>(seconds_now())) + '.' + host +
         '.' + std::to_string(::getpid()) + '.' + std::to_string(files++);
}

}  // namespace

std::string framed(std::string_view bytes) {
  const std::string length = bytes_of(std::uint64_t{bytes.size()});
  return length + masked_crc(length) + std::string(bytes) + masked_crc(bytes);
}

// Fields of Event: 1 wall_time, 2 step, 3 file_version, 4 graph_def, 5 summary, 7 session_log.

EventFile::EventFile(const char* op, const std::string& directory, std::optional<std::int64_t> purge_step)
    : file_(op, new_path(directory), false) {
  file_.append(framed(Message().number(1, seconds_now()).text(3, "brain.Event:2").bytes()));
  if (purge_step) {
    const Message start = Message().integer(1, 1);  // SessionLog.status: START
    file_.append(framed(Message().number(1, seconds_now()).integer(2, *purge_step).message(7, start).bytes()));
  }
}

void EventFile::add(double wall_time, std::int64_t step, const Message& summary_value) {
  const Message summary = Message().message(1, summary_value);
  file_.append(framed(Message().number(1, wall_time).integer(2, step).message(5, summary).bytes()));
}

void EventFile::add_graph(double wall_time, const Message& graph) {
  file_.append(framed(Message().number(1, wall_time).message(4, graph).bytes()));
}

}  // namespace xgrad::train::detail
