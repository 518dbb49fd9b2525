#include "page.hpp"

#include "../io/file.hpp"

namespace xgrad::train::detail {

void write_page(std::string page, std::string_view json, const std::string& path) {
  std::string data;
  for (const char c : json) c == '<' ? data += "\\u003c" : data += c;
  constexpr std::string_view place = "{data}";
  page.replace(page.find(place), place.size(), data);
  io::atomic_write(path, page);
}

}  // namespace xgrad::train::detail
