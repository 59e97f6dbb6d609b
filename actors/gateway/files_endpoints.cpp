#include "actors/gateway/files_endpoints.hpp"

#include "actors/gateway/json_answer.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

constexpr std::size_t piece_bytes = 256u << 10;

/// One request that the disk is read for, with the place that it has taken.
struct asked_for {
  std::shared_ptr<files> served;
  std::weak_ptr<disk_desk> desk;  ///< which may hold this
  std::shared_ptr<void> place;
  http_request request;
};

/// A number from the query; none when it is absent or -1.
result<std::optional<std::uint64_t>> number(const http_request& request, const std::string& name) {
  const auto it = request.query.find(name);
  if (it == request.query.end() || it->second == "-1") return std::optional<std::uint64_t>();
  std::uint64_t value = 0;
  const auto& text = it->second;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size())
    return invalid(name + ": must be a whole number of bytes, or -1");
  return std::optional<std::uint64_t>(value);
}

std::string path_of(const http_request& request) {
  const auto it = request.query.find("path");
  return it == request.query.end() ? std::string() : it->second;
}

/// How many of the bytes at the end begin a character whose rest is still to come.
std::size_t cut_character(const std::string& data) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, data.size()); ++back) {
    const auto c = static_cast<unsigned char>(data[data.size() - back]);
    if ((c & 0xc0) == 0x80) continue;
    const std::size_t needs = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    return needs > back ? back : 0;
  }
  return 0;
}

http_response browse(const asked_for& a) {
  const auto& request = a.request;
  auto entries = a.served->browse(path_of(request));
  if (!entries) return http_error(entries.error());
  std::string json;
  {
    json_array_writer list(json);
    for (const auto& entry : *entries) {
      json_object_writer(list.element())
          .field("path", entry.path)
          .field("nlink", entry.links)
          .field("size", entry.size_bytes)
          .field("mtime", entry.modified_s)
          .field("mode", entry.mode)
          .field("uid", std::to_string(entry.uid))
          .field("gid", std::to_string(entry.gid));
    }
  }
  return json_answer(request, std::move(json));
}

http_response read(const asked_for& a) {
  const auto& request = a.request;
  auto offset = number(request, "offset");
  if (!offset) return http_error(offset.error());
  auto length = number(request, "length");
  if (!length) return http_error(length.error());
  auto piece = a.served->read(path_of(request), *offset, *length);
  if (!piece) return http_error(piece.error());
  // A reader goes on behind what it got, so a character that the piece would cut in two is left to the next one; but it
  // must get on.
  const auto cut = cut_character(piece->data);
  if (cut < piece->data.size()) piece->data.resize(piece->data.size() - cut);
  std::string json;
  json_object_writer(json).field("offset", piece->offset).field("data", piece->data);
  return json_answer(request, std::move(json));
}

std::string content_type_of(const std::string& name) {
  static const std::map<std::string, std::string> types = {
      {"css", "text/css"},        {"csv", "text/csv"},          {"gif", "image/gif"},
      {"gz", "application/gzip"}, {"htm", "text/html"},         {"html", "text/html"},
      {"jpg", "image/jpeg"},      {"js", "text/javascript"},    {"json", "application/json"},
      {"log", "text/plain"},      {"pdf", "application/pdf"},   {"png", "image/png"},
      {"svg", "image/svg+xml"},   {"tar", "application/x-tar"}, {"txt", "text/plain"},
      {"xml", "application/xml"}, {"zip", "application/zip"}};
  const auto dot = name.rfind('.');
  const auto it = dot == std::string::npos ? types.end() : types.find(name.substr(dot + 1));
  return it == types.end() ? "application/octet-stream" : it->second;
}

/// In quotes, with nothing in it that could end them or the header.
std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (char c : name)
    out.push_back(c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '_' : c);
  return out + "\"";
}

/// The pieces of one file, each read when it is asked for, by a thread that may wait for the disk.
class file_source : public std::enable_shared_from_this<file_source> {
 public:
  file_source(std::weak_ptr<disk_desk> desk, std::shared_ptr<void> place, file_descriptor fd, std::uint64_t begin,
              std::uint64_t end)
      : desk_(std::move(desk)), place_(std::move(place)), fd_(std::move(fd)), at_(begin), end_(end) {}

  void next(std::function<void(std::optional<std::string>)> done) {
    const auto desk = desk_.lock();
    if (!desk) return done(std::nullopt);
    desk->post([self = shared_from_this(), done = std::move(done)] { done(self->read()); });
  }

 private:
  std::optional<std::string> read() {
    if (at_ == end_) return std::nullopt;
    auto piece = read_at(fd_.get(), at_, static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, end_ - at_)));
    if (!piece || piece->empty()) return std::nullopt;
    at_ += piece->size();
    return std::move(*piece);
  }

  std::weak_ptr<disk_desk> desk_;  ///< which may hold what waits for it
  std::shared_ptr<void> place_;
  file_descriptor fd_;
  std::uint64_t at_;
  const std::uint64_t end_;
};

http_response download(const asked_for& a) {
  const auto& request = a.request;
  auto offset = number(request, "offset");
  if (!offset) return http_error(offset.error());
  auto length = number(request, "length");
  if (!length) return http_error(length.error());
  auto file = a.served->open(path_of(request));
  if (!file) return http_error(file.error());
  http_response response;
  response.content_type = content_type_of(file->name);
  // What a task wrote is shown as a file, never as a page of ours.
  response.headers.emplace_back("Content-Disposition", "attachment; filename=" + quoted(file->name));
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  const auto begin = std::min(offset->value_or(0), file->size_bytes);
  response.source_bytes = std::min(length->value_or(file->size_bytes), file->size_bytes - begin);
  const auto pieces =
      std::make_shared<file_source>(a.desk, a.place, std::move(file->fd), begin, begin + response.source_bytes);
  response.source = [pieces](std::function<void(std::optional<std::string>)> done) { pieces->next(std::move(done)); };
  return response;
}

http_response debug(const asked_for& a) {
  std::string json;
  {
    json_object_writer names(json);
    for (const auto& [name, real] : a.served->attached()) names.field(name, real);
  }
  return json_answer(a.request, std::move(json));
}

}  // namespace

void serve_files(http_routes& routes, const std::shared_ptr<files>& served, const std::shared_ptr<disk_desk>& desk) {
  const auto serve = [&](const std::string& path, http_response (*answer)(const asked_for&)) {
    routes.add("GET", path, [served, desk, answer](const http_request& request, const responder& respond) {
      auto place = desk->take_place();
      if (!place) return respond(http_text(503, "As many files are being read as may be at once; try again."));
      desk->post([a = asked_for{served, desk, std::move(place), request}, answer, respond] { respond(answer(a)); });
    });
  };
  serve("/files/browse", browse);
  serve("/files/read", read);
  serve("/files/download", download);
  serve("/files/debug", debug);
}

}  // namespace troupe
