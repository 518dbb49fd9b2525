#pragma once
// Text that others wrote: names, choices, messages.

#include <string>
#include <string_view>

namespace xgrad::tune {

bool is_utf8(std::string_view text);

/// Throws Error, `op: the name of a WHAT ...`, unless a name has 1 to 512 bytes of UTF-8 without NUL: what every
/// storage can hold.
void check_name(std::string_view op, std::string_view what, std::string_view name);

/// For a terminal: control characters, marks that turn the direction of writing, and bytes that are no UTF-8 as
/// escapes, `\n`, `\x1b`, `\u202e`.
std::string printable(std::string_view text);

/// Whether a key, as in KEY=VALUE, is that of a password or another secret.
bool names_secret(std::string_view key);

/// Without what is secret in it. Of every URL with a password, in whatever scheme and spelling, the password is
/// replaced by `***`; so is each value of a URL's query that is not known to be harmless, and the value of KEY=VALUE
/// for keys that name a password or another secret. What looks like several things is hidden in the widest sense:
/// more may be missing than the secret, never less.
std::string redacted(std::string_view text);

}  // namespace xgrad::tune
