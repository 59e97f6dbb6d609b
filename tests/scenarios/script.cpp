#include "tests/scenarios/script.hpp"

#include "tests/scenarios/letter_text.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

namespace troupe::testing {

namespace {

std::vector<std::string> words_of(const script_line& at, const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    const auto start = i;
    if (std::isspace(static_cast<unsigned char>(text[i]))) {
      ++i;
    } else if (text[i] == '#') {
      break;
    } else if (text[i] == '{') {
      words.push_back(text.substr(i));
      break;
    } else if (text[i] == '"') {
      const auto close = text.find('"', i + 1);
      if (close == std::string::npos) at.fail("a quoted text does not end on its line");
      i = close + 1;
      words.push_back(text.substr(start, i - start));
    } else {
      while (i < text.size() && !std::isspace(static_cast<unsigned char>(text[i]))) ++i;
      words.push_back(text.substr(start, i - start));
    }
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

cover cover_of(const script_line& line) {
  word_reader words(line);
  words.expect("covers");
  cover claim;
  claim.at = line;
  const auto& verb = words.take("a verb");
  try {
    claim.verb = verb_written(verb);
  } catch (const std::invalid_argument& unknown) {
    line.fail(unknown.what());
  }
  const auto& what = words.take("twice, late or never");
  words.end();
  for (auto each : {mishap::twice, mishap::late, mishap::never})
    if (what == name_of(each)) {
      claim.what = each;
      return claim;
    }
  line.fail("'" + what + "' is none of twice, late and never");
}

}  // namespace

void script_line::fail(const std::string& why) const {
  throw script_error(file + ":" + std::to_string(number) + ": " + joined(words) + "\n  " + why);
}

std::vector<scenario> read_scenarios(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw script_error(path + ": cannot be read");
  std::vector<scenario> found;
  std::vector<script_line> background;
  std::set<std::string> sentences;
  script_line line;
  line.file = std::filesystem::path(path).filename().string();
  for (std::string text; std::getline(in, text);) {
    ++line.number;
    line.words.clear();
    line.words = words_of(line, text);
    if (line.words.empty()) continue;
    if (line.words.front() == "scenario") {
      scenario next;
      next.sentence = joined({line.words.begin() + 1, line.words.end()});
      next.file = line.file;
      next.lines = background;
      if (next.sentence.empty()) line.fail("a scenario needs a sentence");
      if (!sentences.insert(next.sentence).second) line.fail("the file has another scenario of this name");
      found.push_back(std::move(next));
    } else if (line.words.front() == "covers") {
      if (found.empty()) line.fail("covers belongs to a scenario");
      found.back().covers.push_back(cover_of(line));
    } else {
      (found.empty() ? background : found.back().lines).push_back(line);
    }
  }
  return found;
}

std::vector<scenario> read_folder(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".scenario") paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  std::vector<scenario> all;
  for (const auto& path : paths)
    for (auto& each : read_scenarios(path)) all.push_back(std::move(each));
  return all;
}

const std::string& word_reader::take(const char* what) {
  if (at_end()) line_.fail(std::string("the line ends where it should name ") + what);
  return line_.words[next_++];
}

bool word_reader::take_if(const char* word) {
  if (at_end() || line_.words[next_] != word) return false;
  ++next_;
  return true;
}

void word_reader::expect(const char* word) {
  if (!take_if(word))
    line_.fail(at_end() ? std::string("'") + word + "' is missing at the end"
                        : "'" + line_.words[next_] + "' should be '" + word + "'");
}

std::vector<std::string> word_reader::rest() {
  std::vector<std::string> words(line_.words.begin() + static_cast<std::ptrdiff_t>(next_), line_.words.end());
  next_ = line_.words.size();
  return words;
}

void word_reader::end() const {
  if (!at_end()) line_.fail("'" + line_.words[next_] + "' is more than this line can say");
}

}  // namespace troupe::testing
