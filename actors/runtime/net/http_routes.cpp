#include "actors/runtime/net/http_routes.hpp"

#include <exception>
#include <mutex>

namespace troupe {

namespace {

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

http_response wrong_method(const std::map<std::string, http_handler>& handlers, const std::string& received) {
  std::string allowed;
  for (const auto& [method, handler] : handlers) allowed += (allowed.empty() ? "" : ", ") + method;
  auto response = http_text(405, "This endpoint takes " + allowed + "; the request was " + received + ".");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

void call(const http_handler& handler, const http_request& request, const responder& respond) {
  try {
    handler(request, respond);
  } catch (const std::exception& e) {
    respond(http_text(500, e.what()));
  }
}

}  // namespace

void http_routes::add(const std::string& method, const std::string& path, http_handler handler) {
  insert(method, path, std::move(handler), false);
}

void http_routes::add_below(const std::string& method, const std::string& path, http_handler handler) {
  insert(method, path, std::move(handler), true);
}

void http_routes::insert(const std::string& method, const std::string& path, http_handler handler, bool below) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  auto& at = routes_[without_trailing_slash(path)];
  at.handlers[method] = std::move(handler);
  at.below = at.below || below;
}

const http_routes::route* http_routes::find(std::string path) const {
  bool whole = true;
  for (;;) {
    const auto it = routes_.find(path);
    if (it != routes_.end() && (whole || it->second.below)) return &it->second;
    if (path == "/") return nullptr;
    whole = false;
    const auto slash = path.rfind('/');
    path.erase(slash == 0 ? 1 : slash);
  }
}

void http_routes::dispatch(const http_request& request, const responder& respond) const {
  if (request.path.empty() || request.path.front() != '/') return respond(http_text(400));
  if (request.path.find("/..") != std::string::npos) return respond(http_text(404));
  http_handler handler;
  {
    std::shared_lock<std::shared_mutex> lock(mutex_);
    const auto* found = find(without_trailing_slash(request.path));
    if (!found) {
      lock.unlock();
      return respond(http_text(404));
    }
    auto it = found->handlers.find(request.method);
    if (it == found->handlers.end() && request.method == "HEAD") it = found->handlers.find("GET");
    if (it == found->handlers.end()) it = found->handlers.find("*");
    if (it == found->handlers.end()) {
      auto response = wrong_method(found->handlers, request.method);
      lock.unlock();
      return respond(std::move(response));
    }
    handler = it->second;
  }
  call(handler, request, respond);
}

}  // namespace troupe
