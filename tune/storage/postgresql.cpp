#include "../../core/error.hpp"
#include "../trials/text.hpp"
#include "database.hpp"

#ifdef XGRAD_HAS_LIBPQ

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

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

// A URL in two parts: what may stand in messages of libpq, and the passwords, which it gets apart. So no message can
// have a part of one, as `could not translate host name "rd@host"` has of `user:passwo@rd@host`.
struct Address {
  std::string url;
  std::vector<std::pair<std::string, std::string>> secrets = {};  // by libpq's name
};

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(code);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Address parsed(const std::string& url) {
  const auto demand = [&](bool ok) {
    check(
        ok, "tune: \"", redacted(url),
        "\" is no postgresql://USER:PASSWORD@HOST:PORT/DATABASE?KEY=VALUE; characters such as @ / ? & % # in a part of "
        "it are written %40 %2F %3F %26 %25 %23");
  };
  const auto begin = url.find("://") + 3;
  std::string_view front = std::string_view(url).substr(begin), query;
  if (const auto mark = front.find('?'); mark != std::string_view::npos) {
    query = front.substr(mark + 1);
    front = front.substr(0, mark);
  }
  const std::string_view authority = front.substr(0, front.find('/'));
  demand(front.substr(authority.size()).find('@') == std::string_view::npos);
  Address out{"postgresql://"};
  std::string_view server = authority;
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    const auto colon = user.find(':');
    demand(user.substr(0, colon).find('@') == std::string_view::npos);
    out.url.append(user.substr(0, colon)).append("@");
    if (colon != std::string_view::npos && colon + 1 < user.size())
      out.secrets.emplace_back("password", decoded(user.substr(colon + 1)));
    server = authority.substr(at + 1);
  }
  for (std::string_view rest = server; !rest.empty();) {  // HOST:PORT,[HOST]:PORT,...
    const std::string_view host = rest.substr(0, rest.find(','));
    const auto bracket = host.rfind(']');
    const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos)
      demand(host.substr(colon + 1).find_first_not_of("0123456789") == std::string_view::npos);
    rest.remove_prefix(std::min(rest.size(), host.size() + 1));
  }
  out.url.append(server).append(front.substr(authority.size()));
  for (char mark = '?'; !query.empty();) {
    const std::string_view entry = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), entry.size() + 1));
    const auto equals = entry.find('=');
    demand(equals != std::string_view::npos && entry.find('=', equals + 1) == std::string_view::npos);
    const std::string key = decoded(entry.substr(0, equals));
    demand(!key.empty() && key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
    if (names_secret(key)) {
      out.secrets.emplace_back(key, decoded(entry.substr(equals + 1)));
    } else {
      out.url.append(1, std::exchange(mark, '&')).append(entry);
    }
  }
  return out;
}

class Postgresql final : public Database {
 public:
  Postgresql(const std::string& url, const OpenStorageOptions& options) : name_(redacted(url)) {
    const Address address = parsed(url);
    std::vector<const char*> keys{"dbname"}, values{address.url.c_str()};
    for (const auto& [key, value] : address.secrets) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    connection_.reset(PQconnectdbParams(keys.data(), values.data(), 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail_with();
    run("SET client_min_messages = warning; SET timezone = 'UTC'");
    if (options.read_only) run("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY");
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
    return integer(value("the clock", "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"));
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
    fail("tune: ", name_, ": ", redacted(reason));
  }

  std::string name_;
  std::unique_ptr<PGconn, Finish> connection_;
  std::unordered_map<std::string, std::string> statements_;
};

}  // namespace

std::unique_ptr<Database> open_postgresql(const std::string& url, const OpenStorageOptions& options) {
  return std::make_unique<Postgresql>(url, options);
}

}  // namespace xgrad::tune

#else

std::unique_ptr<xgrad::tune::Database> xgrad::tune::open_postgresql(const std::string&, const OpenStorageOptions&) {
  fail("tune: this xgrad was built without PostgreSQL; install libpq-dev and build it again");
}

#endif
