#include "text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "../../core/error.hpp"

namespace xgrad::tune {

namespace {

// The character at the begin of `text` and its length in bytes; length 0 where that is no UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;
};

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  if (length == 0 || length > text.size()) return {};
  std::uint32_t code = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 2) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < least[length] || code > 0x10ffff || surrogate ? Character{} : Character{code, length};
}

bool steers_terminal(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f || code == 0x61c || code == 0xfeff;
}

void append_hex(std::string& out, std::uint32_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) out += "0123456789abcdef"[value >> (4 * i) & 15];
}

void append_escape(std::string& out, std::uint32_t code) {
  if (code == '\n' || code == '\r' || code == '\t') {
    out += code == '\n' ? "\\n" : code == '\r' ? "\\r" : "\\t";
  } else {
    out += code < 0x80 ? "\\x" : "\\u";
    append_hex(out, code, code < 0x80 ? 2 : 4);
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_of_key(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '%';
}

// A key in small letters, with its percent-encoding undone.
std::string plain_key(std::string_view key) {
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      const auto found = std::string_view("0123456789abcdef").find(lower(key[at]));
      return found == std::string_view::npos ? -1 : static_cast<int>(found);
    };
    if (key[i] == '%' && i + 2 < key.size() && digit(i + 1) >= 0 && digit(i + 2) >= 0) {
      out += lower(static_cast<char>(digit(i + 1) * 16 + digit(i + 2)));
      i += 2;
    } else {
      out += lower(key[i]);
    }
  }
  return out;
}

bool is_harmless(std::string_view key) {
  static constexpr std::array<std::string_view, 9> keys{
      "host", "hostaddr", "port", "dbname", "user", "sslmode", "service", "connect_timeout", "application_name"};
  return std::find(keys.begin(), keys.end(), plain_key(key)) != keys.end();
}

constexpr std::string_view hidden = "***";

std::string redacted_query_entry(std::string_view entry) {
  const auto equals = entry.find('=');
  if (entry.empty() || (equals != std::string_view::npos && is_harmless(entry.substr(0, equals))))
    return std::string(entry);
  const bool named = equals != std::string_view::npos && names_secret(entry.substr(0, equals));
  return std::string(named ? entry.substr(0, equals + 1) : "").append(hidden);
}

// Up to where HOST:PORT,[HOST]:PORT,... has numbers as ports. What is none may be the password of a URL without a host.
std::size_t end_of_ports(std::string_view authority) {
  for (std::size_t begin = 0; begin < authority.size();) {
    const std::string_view host = authority.substr(begin, authority.substr(begin).find(','));
    const auto bracket = host.rfind(']');
    const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos && host.find_first_not_of("0123456789", colon + 1) != std::string_view::npos)
      return begin + colon + 1;
    begin += host.size() + 1;
  }
  return authority.size();
}

// What comes after `://`.
std::string redacted_rest(std::string_view rest) {
  const auto query = std::min(rest.find('?'), rest.size());
  const auto colon = rest.find(':');
  std::string_view front = rest.substr(0, query), entries = rest.substr(query);
  std::string out;
  if (colon < query && entries.find('@') != std::string_view::npos)  // the password may have a ?, or the query an @
    return std::string(rest.substr(0, colon + 1)).append(hidden);
  if (const auto at = front.rfind('@'); at != std::string_view::npos && colon < at) {
    out.append(front.substr(0, colon + 1)).append(hidden).append(front.substr(at));
  } else {
    const std::string_view authority = front.substr(0, front.find('/'));
    const auto end = end_of_ports(authority);
    out.append(authority.substr(0, end)).append(end < authority.size() ? hidden : "");
    out.append(front.substr(authority.size()));
  }
  while (!entries.empty()) {
    out += entries[0];
    entries.remove_prefix(1);
    const auto end = std::min(entries.find_first_of("?&"), entries.size());
    out += redacted_query_entry(entries.substr(0, end));
    entries.remove_prefix(end);
  }
  return out;
}

// Where a value of KEY=VALUE ends that begins at `at`: a quoted one at its quote, another one before the next KEY=.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  if (at < text.size() && (text[at] == '\'' || text[at] == '"')) {
    const char quote = text[at];
    for (std::size_t i = at + 1; i < text.size(); ++i) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == quote)
        return i + 1;
    }
    return text.size();
  }
  for (std::size_t i = at; i < text.size(); ++i) {
    if (!is_space(text[i]) && text[i] != '&') continue;
    std::size_t key = i;
    while (key < text.size() && (is_space(text[key]) || text[key] == '&')) ++key;
    std::size_t end = key;
    while (end < text.size() && is_of_key(text[end])) ++end;
    while (end < text.size() && text[end] == ' ') ++end;
    if (end > key && end < text.size() && text[end] == '=') return i;
  }
  return text.size();
}

std::string redacted_pairs(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_of_key(text[i])) {
      out += text[i++];
      continue;
    }
    const std::size_t key = i;
    while (i < text.size() && is_of_key(text[i])) ++i;
    const std::size_t key_end = i;
    std::size_t at = i;
    while (at < text.size() && is_space(text[at])) ++at;
    out.append(text.substr(key, key_end - key));
    if (at == text.size() || text[at] != '=' || !names_secret(text.substr(key, key_end - key))) continue;
    ++at;
    while (at < text.size() && is_space(text[at])) ++at;
    out.append("=").append(hidden);
    i = end_of_value(text, at);
  }
  return out;
}

}  // namespace

bool names_secret(std::string_view key) {
  static constexpr std::array<std::string_view, 5> parts{"pass", "pwd", "secret", "token", "credential"};
  const std::string plain = plain_key(key);
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return plain.find(part) != std::string::npos; });
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = first_character(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void check_name(std::string_view op, std::string_view what, std::string_view name) {
  check(!name.empty() && name.size() <= 512, op, ": the name of a ", what, " has ", name.size(),
        " bytes; it needs 1 to 512");
  check(is_utf8(name) && name.find('\0') == std::string_view::npos, op, ": the name of a ", what, ", \"",
        printable(name), "\", is no text: it must be UTF-8 without NUL");
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_character(text);
    if (c.length == 0) {
      out += "\\x";
      append_hex(out, static_cast<unsigned char>(text[0]), 2);
    } else if (steers_terminal(c.code)) {
      append_escape(out, c.code);
    } else {
      out.append(text.substr(0, c.length));
    }
    text.remove_prefix(std::max<std::size_t>(c.length, 1));
  }
  return out;
}

std::string redacted(std::string_view text) {
  std::string out;
  while (true) {
    const auto found = text.find("://");
    if (found == std::string_view::npos) break;
    std::size_t scheme = found;
    while (scheme > 0 && (is_of_key(text[scheme - 1]) || text[scheme - 1] == '+')) --scheme;
    // A URL that is all there is may have anything in its password; one within a sentence ends at a space or quote.
    const bool whole = out.empty() && scheme == 0;
    out += redacted_pairs(text.substr(0, scheme));
    out.append(text.substr(scheme, found + 3 - scheme));
    text.remove_prefix(found + 3);
    const auto end = whole ? text.size() : std::min(text.size(), text.find_first_of(" \t\r\n\"'`<>"));
    out += redacted_rest(text.substr(0, end));
    text.remove_prefix(end);
  }
  // USER:PASSWORD@HOST without a scheme's slashes.
  const auto at = text.rfind('@'), colon = text.find(':');
  if (out.empty() && at != std::string_view::npos && colon < at &&
      text.find_first_of(" \t\n") == std::string_view::npos)
    return std::string(text.substr(0, colon + 1)) + std::string(hidden) + redacted_pairs(text.substr(at));
  return out + redacted_pairs(text);
}

}  // namespace xgrad::tune
