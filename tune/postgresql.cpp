#include "../core/error.hpp"
#include "database.hpp"

#ifdef XGRAD_HAS_LIBPQ

#include <libpq-fe.h>

#include <charconv>
#include <unordered_map>

namespace xgrad::tune {

namespace {

constexpr Oid bool_type = 16, bytea_type = 17, int8_type = 20, int2_type = 21, int4_type = 23, float8_type = 701,
              numeric_type = 1700;

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

std::string without_password(std::string url) {
  const auto user = url.find("://");
  const auto at = url.find('@');
  if (user == std::string::npos || at == std::string::npos) return url;
  if (const auto colon = url.find(':', user + 3); colon < at) url.erase(colon, at - colon);
  return url;
}

class Postgresql final : public Database {
 public:
  explicit Postgresql(const std::string& url) : name_(without_password(url)), connection_(PQconnectdb(url.c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail_with();
    run("SET client_min_messages = warning; SET timezone = 'UTC'");
  }

  using Database::query;
  SqlRows query(const std::string& sql, std::span<const SqlArgument> arguments) override {
    std::vector<std::string> texts(arguments.size());
    std::vector<const char*> values(arguments.size());
    std::vector<int> lengths(arguments.size()), formats(arguments.size());
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (const auto* bytes = std::get_if<std::span<const std::byte>>(&arguments[i])) {
        values[i] = reinterpret_cast<const char*>(bytes->data());
        lengths[i] = static_cast<int>(bytes->size());
        formats[i] = 1;
      } else if (!std::holds_alternative<std::monostate>(arguments[i])) {
        texts[i] = as_text(arguments[i]);
        values[i] = texts[i].c_str();
      }
    }
    auto& statement = statements_[sql];
    if (statement.empty()) {
      const std::string fresh = "xgrad" + std::to_string(statements_.size());
      expect(Result(PQprepare(connection_.get(), fresh.c_str(), sql.c_str(), 0, nullptr)));
      statement = fresh;
    }
    return rows_of(expect(Result(PQexecPrepared(connection_.get(), statement.c_str(), static_cast<int>(values.size()),
                                                values.data(), lengths.data(), formats.data(), 0))));
  }

  void run(const std::string& sql) override { expect(Result(PQexec(connection_.get(), sql.c_str()))); }
  void begin(bool writing) override { run(writing ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); }
  void commit() override { run("COMMIT"); }
  void rollback() noexcept override {
    if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) Result(PQexec(connection_.get(), "ROLLBACK"));
  }
  std::int64_t now() override {
    return integer(query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint").at(0).at(0));
  }
  bool changed_by_others() override { return true; }
  bool is_postgresql() const override { return true; }
  const std::string& name() const override { return name_; }

 private:
  static std::string as_text(const SqlArgument& argument) {
    if (const auto* text = std::get_if<std::string_view>(&argument)) return std::string(*text);
    if (const auto* integer = std::get_if<std::int64_t>(&argument)) return std::to_string(*integer);
    char buffer[32];
    const auto* real = std::get_if<double>(&argument);
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, real ? *real : 0).ptr};
  }

  static SqlValue value_of(const char* text, std::size_t size, Oid type) {
    if (type == int8_type || type == int4_type || type == int2_type) {
      std::int64_t value = 0;
      std::from_chars(text, text + size, value);
      return value;
    }
    if (type == float8_type || type == numeric_type) {
      double value = 0;
      std::from_chars(text, text + size, value);
      return value;
    }
    if (type == bool_type) return std::int64_t{*text == 't'};
    if (type == bytea_type) {
      std::size_t length = 0;
      const std::unique_ptr<unsigned char, decltype(&PQfreemem)> bytes(
          PQunescapeBytea(reinterpret_cast<const unsigned char*>(text), &length), &PQfreemem);
      check(bytes != nullptr, "tune: out of memory while reading from PostgreSQL");
      return std::string(reinterpret_cast<const char*>(bytes.get()), length);
    }
    return std::string(text, size);
  }

  static SqlRows rows_of(const Result& result) {
    SqlRows rows(static_cast<std::size_t>(PQntuples(result.get())));
    const int columns = PQnfields(result.get());
    for (int i = 0; i < static_cast<int>(rows.size()); ++i)
      for (int k = 0; k < columns; ++k)
        rows[static_cast<std::size_t>(i)].push_back(
            PQgetisnull(result.get(), i, k)
                ? SqlValue()
                : value_of(PQgetvalue(result.get(), i, k), static_cast<std::size_t>(PQgetlength(result.get(), i, k)),
                           PQftype(result.get(), k)));
    return rows;
  }

  Result expect(Result result) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail_with();
    return result;
  }

  [[noreturn]] void fail_with() {
    std::string reason = PQerrorMessage(connection_.get());
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
    rollback();
    fail("tune: ", name_, ": ", reason);
  }

  std::string name_;
  std::unique_ptr<PGconn, Finish> connection_;
  std::unordered_map<std::string, std::string> statements_;
};

}  // namespace

std::unique_ptr<Database> open_postgresql(const std::string& url) { return std::make_unique<Postgresql>(url); }

}  // namespace xgrad::tune

#else

std::unique_ptr<xgrad::tune::Database> xgrad::tune::open_postgresql(const std::string&) {
  fail("tune: this xgrad was built without PostgreSQL; install libpq-dev and build it again");
}

#endif
