#include "characters.hpp"

#include <algorithm>

#include "../autograd/create.hpp"
#include "pattern.hpp"
#include "utf8.hpp"

namespace xgrad::text {

Characters::Characters(std::string_view text) {
  check(!text.empty(), "Characters: the text is empty");
  check_utf8("Characters", text);
  std::vector<bool> seen(0x110000);
  for (std::size_t at = 0; at < text.size();) seen[next_point(text, at)] = true;
  for (char32_t point = 0; point < seen.size(); ++point)
    if (seen[point]) points_.push_back(point);
}

Tensor Characters::encode(std::string_view text) const {
  check_utf8("Characters", text);
  const auto points = std::count_if(text.begin(), text.end(), [](char unit) { return !continues_point(unit); });
  Tensor tokens = empty({points}, {.dtype = int64});
  std::int64_t* to = tokens.data<std::int64_t>();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t point = next_point(text, at);
    const auto found = std::lower_bound(points_.begin(), points_.end(), point);
    check(found != points_.end() && *found == point, "Characters: `", text.substr(begin, at - begin), "` at byte ",
          begin, " is none of the ", size(), " characters");
    *to++ = found - points_.begin();
  }
  return tokens;
}

std::string Characters::decode(const Tensor& tokens) const {
  std::string out;
  for (const std::int64_t token : token_numbers("Characters", tokens)) {
    check(token >= 0 && token < size(), "Characters: token ", token, " is out of range for ", size(), " characters");
    append_point(out, points_[static_cast<std::size_t>(token)]);
  }
  return out;
}

std::string Characters::all() const {
  std::string out;
  for (const char32_t point : points_) append_point(out, point);
  return out;
}

}  // namespace xgrad::text
