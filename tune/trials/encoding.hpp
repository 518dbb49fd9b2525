#pragma once
// The texts in which a study is stored; those that Optuna reads too are in its form.

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "record.hpp"

namespace xgrad::tune {

/// A distribution as Optuna's distribution_to_json() writes it. Optuna has no log_one_minus: such a range is linear to
/// it, and has an entry "scale" beside Optuna's.
std::string distribution_to_json(const Distribution& distribution);
/// Reads what distribution_to_json() of this library and of Optuna give, also Optuna's names from before version 3.
/// Throws Error for anything else.
Distribution distribution_from_json(std::string_view json);

/// A search space: an object with a distribution for each name, as Optuna's `ask --search-space` takes it.
std::map<std::string, Distribution> space_from_json(std::string_view json);

/// Throws Error for what JSON does not have: numbers that are not finite, text that is no UTF-8.
std::string choice_to_json(const Choice& choice);
/// Throws Error unless it is null, a boolean, a number or a string; for a whole number beyond 64 bits too.
Choice choice_from_json(std::string_view json);
/// Values by name, as in Optuna's attribute fixed_params.
std::string choices_to_json(const std::map<std::string, Choice>& choices);
std::map<std::string, Choice> choices_from_json(std::string_view json);

/// A number, where Python writes them also NaN, Infinity and -Infinity.
std::string number_to_json(double value);
double number_from_json(std::string_view json);
std::vector<double> numbers_from_json(std::string_view json);

/// A list of texts.
std::string texts_to_json(const std::vector<std::string>& texts);
std::vector<std::string> texts_from_json(std::string_view json);

/// As JSON: in quotes, escaped; bytes that are no UTF-8 replaced.
std::string text_to_json(std::string_view text);
/// The text of a JSON string; other JSON as it is written.
std::string text_from_json(std::string_view json);
/// What is wrong with a text that shall be JSON: it is none, is nested deeper than 100 (whoever walks through it
/// recurses), or is longer than 64 MiB; nothing where nothing is.
std::string_view json_fault(std::string_view text);
/// Of these only what can be wrong with a text that need not be JSON.
std::string_view size_fault(std::string_view text);
bool is_json(std::string_view text);

/// `2026-01-31 23:59:59.123456`, in UTC.
std::string time_to_text(std::chrono::system_clock::time_point time);
/// Throws Error for another form, and outside of the years 1678 to 2261, which the clock does not hold; the fraction
/// may be missing.
std::chrono::system_clock::time_point time_from_text(std::string_view text);

std::string_view name_of(TrialState state);
std::string_view name_of(Direction direction);

}  // namespace xgrad::tune
