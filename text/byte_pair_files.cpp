// The files of byte-pair encodings: tokenizer.json, vocab.json and merges.txt.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "../io/file.hpp"
#include "byte_pair_tables.hpp"
#include "utf8.hpp"

namespace xgrad::text {

namespace {

using nlohmann::json;

/// read(), with what the JSON library throws as Error.
template <class F>
auto reading(const std::string& where, F&& read) {
  return detail::with_memory_for("BytePairEncoding", [&] {
    try {
      return read();
    } catch (const json::exception& error) {
      fail(where, ": ", error.what());
    }
  });
}

bool absent(const json& object, const char* name) { return !object.contains(name) || object.at(name).is_null(); }

template <class T>
T value_or(const json& object, const char* name, T otherwise) {
  return absent(object, name) ? otherwise : object.at(name).get<T>();
}

/// Throws Error unless an entry is missing or of this value.
template <class T>
void expect(const std::string& where, const json& object, const char* name, const T& value) {
  if (absent(object, name) || object.at(name) == value) return;
  fail(where, ": `", name, "` of ", object.at(name).dump(), " is not supported");
}

void read_vocabulary(const std::string& where, const json& vocabulary, auto& tables) {
  check(vocabulary.is_object(), where, ": the vocabulary is no object");
  for (const auto& [text, number] : vocabulary.items()) {
    std::optional<std::string> bytes = unwritten(text);
    const bool joinable = bytes.has_value();
    check(number.is_number_integer(), where, ": token `", text, "` has no whole number");
    tables.add(where, number.template get<std::int64_t>(), joinable ? std::move(*bytes) : text, joinable);
  }
}

void read_merges(const std::string& where, const json& merges, auto& tables) {
  check(merges.is_array(), where, ": the merges are no array");
  for (const json& merge : merges) {
    if (merge.is_array()) {
      check(merge.size() == 2, where, ": a merge is of two tokens, not ", merge.size());
      tables.add_merge(where, merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>());
    } else {
      const auto& text = merge.get_ref<const std::string&>();
      const std::size_t space = text.find(' ');
      check(space != std::string::npos && text.find(' ', space + 1) == std::string::npos, where, ": the merge `", text,
            "` is not two tokens with a space between them");
      tables.add_merge(where, std::string_view(text).substr(0, space), std::string_view(text).substr(space + 1));
    }
  }
}

void read_pre_tokenizer(const std::string& where, const json& step, bool alone, auto& tables) {
  const auto& type = step.at("type").get_ref<const std::string&>();
  const auto add = [&](std::string expression) { tables.words.emplace_back(where.c_str(), std::move(expression)); };
  if (type == "Sequence") {
    const json& steps = step.at("pretokenizers");
    check(alone && steps.is_array(), where, ": a sequence of pre-tokenizers in another is not supported");
    for (const json& one : steps) read_pre_tokenizer(where, one, false, tables);
  } else if (type == "ByteLevel") {
    tables.add_prefix_space = value_or(step, "add_prefix_space", true);
    check(alone || !tables.add_prefix_space, where,
          ": `add_prefix_space` after another pre-tokenizer is not supported");
    if (value_or(step, "use_regex", true)) add(gpt2_words);
  } else if (type == "Digits") {
    add(value_or(step, "individual_digits", false) ? R"(\p{N})" : R"(\p{N}+)");
  } else if (type == "Split") {
    expect(where, step, "behavior", "Isolated");
    expect(where, step, "invert", false);
    const json& pattern = step.at("pattern");
    if (pattern.contains("Regex")) {
      add(pattern.at("Regex").get<std::string>());
    } else {
      const auto& text = pattern.at("String").get_ref<const std::string&>();
      if (!text.empty()) add(any_of({text}));
    }
  } else {
    fail(where, ": pre-tokenizer ", type, " is not supported: only ByteLevel, Split and Digits are");
  }
}

void read_added(const std::string& where, const json& added, auto& tables) {
  for (const json& one : added) {
    for (const char* flag : {"single_word", "lstrip", "rstrip"}) expect(where, one, flag, false);
    const auto number = one.at("id").get<std::int64_t>();
    check(number >= 0 && number <= 0x7FFFFFFF, where, ": the added token ", number, " is out of range");
    const bool special = value_or(one, "special", false);
    tables.add_added(where, {one.at("content").get<std::string>(), static_cast<Token>(number), special,
                             value_or(one, "normalized", !special)});
  }
}

void read_tokenizer(const std::string& where, const json& all, auto& tables) {
  check(all.is_object() && all.contains("model"), where, ": this is no tokenizer.json: it has no `model`");
  check(absent(all, "normalizer"), where, ": normalizers are not supported");
  const json& model = all.at("model");
  check(!absent(model, "vocab") && !absent(model, "merges"), where, ": the model has no vocabulary and merges of BPE");
  expect(where, model, "type", "BPE");
  expect(where, model, "continuing_subword_prefix", "");
  expect(where, model, "end_of_word_suffix", "");
  expect(where, model, "dropout", 0.0);
  expect(where, model, "byte_fallback", false);
  tables.ignore_merges = value_or(model, "ignore_merges", false);
  check(!absent(all, "pre_tokenizer"), where, ": this is no byte-level BPE: it has no pre-tokenizer");
  const json& pre_tokenizer = all.at("pre_tokenizer");
  read_pre_tokenizer(where, pre_tokenizer, true, tables);
  check(pre_tokenizer.dump().find("\"ByteLevel\"") != std::string::npos, where,
        ": this is no byte-level BPE: no pre-tokenizer is ByteLevel");
  read_vocabulary(where, model.at("vocab"), tables);
  read_merges(where, model.at("merges"), tables);
  if (!absent(all, "added_tokens")) read_added(where, all.at("added_tokens"), tables);
  tables.finish();
}

}  // namespace

BytePairEncoding BytePairEncoding::parse(const std::string& where, std::string_view text) {
  return reading(where, [&] {
    auto tables = std::make_shared<Tables>();
    read_tokenizer(where, json::parse(text), *tables);
    return BytePairEncoding(std::move(tables));
  });
}

BytePairEncoding BytePairEncoding::from_json(std::string_view text) { return parse("BytePairEncoding", text); }

BytePairEncoding BytePairEncoding::load(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return parse("BytePairEncoding: " + path, io::read_file(path));
  const fs::path folder = path;
  if (fs::exists(folder / "tokenizer.json", ignored)) return load((folder / "tokenizer.json").string());
  return load((folder / "vocab.json").string(), (folder / "merges.txt").string());
}

BytePairEncoding BytePairEncoding::load(const std::string& vocab_json, const std::string& merges_txt) {
  const std::string in_vocabulary = "BytePairEncoding: " + vocab_json, in_merges = "BytePairEncoding: " + merges_txt;
  return reading(in_vocabulary, [&] {
    auto tables = std::make_shared<Tables>();
    read_vocabulary(in_vocabulary, json::parse(io::read_file(vocab_json)), *tables);
    const std::string text = io::read_file(merges_txt);
    check_utf8(in_merges.c_str(), text);
    json merges = json::array();
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty() && !line.starts_with("#version")) merges.push_back(std::move(line));
      begin = end + 1;
    }
    read_merges(in_merges, merges, *tables);
    tables->words.emplace_back("BytePairEncoding", gpt2_words);
    if (const std::string end = "<|endoftext|>"; tables->number.contains(end))
      tables->add_added(in_vocabulary, {end, tables->number.at(end), true, false});
    tables->finish();
    return BytePairEncoding(std::move(tables));
  });
}

void BytePairEncoding::save(const std::string& path) const {
  const Tables& tables = *tables_;
  json vocabulary = json::object(), merges = json::array(), added = json::array(), steps = json::array();
  const auto as_written = [&](Token token) { return written(tables.tokens[static_cast<std::size_t>(token)]); };
  for (std::size_t token = 0; token < tables.tokens.size(); ++token) {
    const std::string& bytes = tables.tokens[token];
    const auto joinable = tables.number.find(bytes);
    const bool is_joinable = joinable != tables.number.end() && joinable->second == static_cast<Token>(token);
    if (!bytes.empty()) vocabulary[is_joinable ? written(bytes) : bytes] = token;
  }
  for (const Merges::Pair& pair : tables.merges.in_order())
    merges.push_back({as_written(pair.left), as_written(pair.right)});
  for (const AddedToken& one : tables.added)
    added.push_back({{"id", one.token},
                     {"content", one.content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", one.normalized},
                     {"special", one.special}});
  for (const Pattern& pattern : tables.words)
    if (!(tables.add_prefix_space && pattern.expression() == gpt2_words))
      steps.push_back({{"type", "Split"},
                       {"pattern", {{"Regex", pattern.expression()}}},
                       {"behavior", "Isolated"},
                       {"invert", false}});
  const bool own_words = tables.add_prefix_space && !tables.words.empty();
  const json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", tables.add_prefix_space},
                           {"trim_offsets", true},
                           {"use_regex", own_words}};
  steps.push_back(byte_level);
  const json pre_tokenizer =
      steps.size() == 1 ? byte_level : json{{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
  const json all = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", std::move(added)},
      {"normalizer", nullptr},
      {"pre_tokenizer", pre_tokenizer},
      {"post_processor", nullptr},
      {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", false},
        {"byte_fallback", false},
        {"ignore_merges", tables.ignore_merges},
        {"vocab", std::move(vocabulary)},
        {"merges", std::move(merges)}}}};
  io::atomic_write(path, all.dump(1) + '\n');
}

}  // namespace xgrad::text
