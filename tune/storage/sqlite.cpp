#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <unordered_map>
#include <utility>

#include "../../core/error.hpp"
#include "database.hpp"

namespace xgrad::tune {

namespace {

constexpr int busy_timeout = 60'000;  // milliseconds that a writer waits for the others

struct CloseConnection {
  void operator()(sqlite3* connection) const { sqlite3_close(connection); }
};
struct Reset {
  void operator()(sqlite3_stmt* statement) const { sqlite3_reset(statement); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

class Sqlite final : public Database {
 public:
  Sqlite(const std::string& file, const OpenStorageOptions& options) : name_("sqlite:" + file) {
    if (!options.read_only) {
      open(file, SQLITE_OPEN_READWRITE | (options.create ? SQLITE_OPEN_CREATE : 0));
      if (reads()) return;
    }
    const auto log = size_of_log(file);
    // Even a reader makes the files of a log that is not there. Without one nobody has a database open that needs one.
    bool alone = needs_log(file) && !log;
    if (!alone) {
      open(uri_of(file), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
      if (reads()) return;
      alone = log && *log == 0;
      check(alone || !log, "tune: ", name_, ": the newest trials are in ", file,
            "-wal, which cannot be read where nothing can be written; copy both files to another place");
    }
    if (alone) open(uri_of(file) + "&immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  }

  using Database::query;
  SqlRows query(const std::string& sql, std::span<const SqlArgument> arguments) override {
    sqlite3_stmt* const statement = prepared(sql);
    const std::unique_ptr<sqlite3_stmt, Reset> running(statement);
    for (int i = 0; i < static_cast<int>(arguments.size()); ++i)
      bind(statement, i + 1, arguments[static_cast<std::size_t>(i)]);
    SqlRows rows;
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
      SqlRow& row = rows.emplace_back();
      const int columns = sqlite3_column_count(statement);
      for (int i = 0; i < columns; ++i) row.push_back(column(statement, i));
    }
    const int reset = sqlite3_reset(statement);
    if (result != SQLITE_DONE) fail_with(reset == SQLITE_OK ? result : reset);
    return rows;
  }

  void run(const std::string& sql) override {
    if (const int result = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr); result != SQLITE_OK)
      fail_with(result);
  }

  void begin(bool writing) override { query(writing ? "BEGIN IMMEDIATE" : "BEGIN"); }
  void commit() override { query("COMMIT"); }
  void rollback() noexcept override {
    if (connection_ && !sqlite3_get_autocommit(connection_.get()))  // without memory there is none
      sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }

  std::int64_t now() override {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
  }
  bool changed_by_others() override {
    const std::int64_t version = integer(value("the version of the data", "PRAGMA data_version"));
    return std::exchange(data_version_, version) != version;
  }
  bool is_postgresql() const override { return false; }
  const std::string& name() const override { return name_; }

 private:
  void open(const std::string& file, int flags) {
    sqlite3* connection = nullptr;
    const int result = sqlite3_open_v2(file.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    connection_.reset(connection);
    if (result != SQLITE_OK) fail_with(result);
    sqlite3_extended_result_codes(connection, 1);
    sqlite3_busy_timeout(connection, busy_timeout);
  }

  // The file as a URI that opens it for reading.
  static std::string uri_of(const std::string& file) {
    std::string uri = file.starts_with("/") ? "file://" : "file:";
    for (const char c : file) {
      if (c == '%' || c == '?' || c == '#')
        uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
      else
        uri += c;
    }
    return uri + "?mode=ro";
  }

  static std::optional<std::uintmax_t> size_of_log(const std::string& file) {
    std::error_code error;
    const auto target = std::filesystem::canonical(file, error);
    const auto size = std::filesystem::file_size(target.string() + "-wal", error);
    return error ? std::nullopt : std::optional(size);
  }

  // Whether the database is in WAL mode: bytes 18 and 19 of its header.
  static bool needs_log(const std::string& file) {
    char header[20] = {};
    std::ifstream(file, std::ios::binary).read(header, sizeof header);
    return header[18] == 2 || header[19] == 2;
  }

  bool reads() {
    const char* const any = "SELECT 1 FROM sqlite_master LIMIT 1";
    const int result = sqlite3_exec(connection_.get(), any, nullptr, nullptr, nullptr) & 0xff;
    return result != SQLITE_CANTOPEN && result != SQLITE_READONLY;
  }

  sqlite3_stmt* prepared(const std::string& sql) {
    auto& statement = statements_[sql];
    if (!statement) {
      std::string numbered = sql;  // $1 is a name to SQLite, ?1 a number
      std::replace(numbered.begin(), numbered.end(), '$', '?');
      sqlite3_stmt* fresh = nullptr;
      const int result = sqlite3_prepare_v2(connection_.get(), numbered.c_str(), -1, &fresh, nullptr);
      if (result != SQLITE_OK) fail_with(result);
      statement.reset(fresh);
    }
    return statement.get();
  }

  void bind(sqlite3_stmt* statement, int index, const SqlArgument& argument) {
    struct {
      sqlite3_stmt* to;
      int at;
      int operator()(std::monostate) const { return sqlite3_bind_null(to, at); }
      int operator()(std::int64_t value) const { return sqlite3_bind_int64(to, at, value); }
      int operator()(double value) const { return sqlite3_bind_double(to, at, value); }
      int operator()(std::string_view value) const {
        return sqlite3_bind_text64(to, at, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
      }
      int operator()(std::span<const std::byte> value) const {
        return sqlite3_bind_blob64(to, at, value.data(), value.size(), SQLITE_STATIC);
      }
    } const bind_one{statement, index};
    if (const int result = std::visit(bind_one, argument); result != SQLITE_OK) fail_with(result);
  }

  static SqlValue column(sqlite3_stmt* statement, int index) {
    switch (sqlite3_column_type(statement, index)) {
      case SQLITE_INTEGER:
        return std::int64_t{sqlite3_column_int64(statement, index)};
      case SQLITE_FLOAT:
        return sqlite3_column_double(statement, index);
      case SQLITE_NULL:
        return std::monostate();
      default: {
        const void* const data = sqlite3_column_blob(statement, index);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
        return data ? std::string(static_cast<const char*>(data), size) : std::string();
      }
    }
  }

  [[noreturn]] void fail_with(int result) {
    const std::string reason = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(result);
    rollback();
    fail("tune: ", name_, ": ", reason, (result & 0xff) == SQLITE_FULL ? "; the study is as it was before" : "");
  }

  std::string name_;
  std::unique_ptr<sqlite3, CloseConnection> connection_;
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
  std::int64_t data_version_ = -1;
};

}  // namespace

std::unique_ptr<Database> open_sqlite(const std::string& file, const OpenStorageOptions& options) {
  return std::make_unique<Sqlite>(file, options);
}

}  // namespace xgrad::tune
