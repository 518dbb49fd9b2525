#include "storage.hpp"

#include "../../core/error.hpp"
#include "../trials/text.hpp"
#include "memory_storage.hpp"
#include "sql_storage.hpp"

namespace xgrad::tune {

std::unique_ptr<Storage> open_storage(const std::string& url, const OpenStorageOptions& options) {
  if (url.empty() || url == "memory:") return make_memory_storage();
  check(url.find('\0') == std::string::npos, "tune: \"", printable(redacted(url)), "\" is no storage: it has a NUL");
  if (url.starts_with("sqlite:")) {
    std::string file = url.substr(7);
    if (file.starts_with("///")) file.erase(0, 3);
    check(!file.empty(), "tune: \"", url, "\" names no file, as sqlite:study.db does");
    return make_sql_storage(open_sqlite(file, options));
  }
  const auto scheme = url.find("://");
  std::string database = url.substr(0, std::min(url.find('+'), scheme));  // without Python's driver
  for (char& c : database)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (scheme != std::string::npos && (database == "postgresql" || database == "postgres"))
    return make_sql_storage(open_postgresql("postgresql" + url.substr(scheme), options));
  fail("tune: \"", redacted(url), "\" is no storage; give sqlite:FILE, postgresql://USER@HOST/DATABASE or memory:");
}

}  // namespace xgrad::tune
