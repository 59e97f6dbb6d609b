#include "tests/scenarios/world.hpp"

#include "tests/scenarios/letter_text.hpp"
#include "troupe/internal/agent_state.pb.h"
#include "troupe/internal/sdk_state.pb.h"

#include <algorithm>
#include <cstdio>
#include <utility>

/// Events are taken from one queue, in the order in which they were said; the clock moves only when it is empty.
namespace troupe::testing {

namespace {

constexpr int steps_at_one_moment_max = 20000;

std::string clock_text(monotonic_time now) {
  char text[32];
  std::snprintf(text, sizeof text, "%10.3fs",
                std::chrono::duration<double>(now - monotonic_time(std::chrono::hours(1))).count());
  return text;
}

}  // namespace

world::world(std::uint64_t seed, bool doubts) : random_(seed), doubts_(doubts) {}

const world::process& world::find(const std::string& name) const {
  auto it = processes_.find(name);
  if (it == processes_.end()) throw std::invalid_argument("there is no process '" + name + "'");
  return it->second;
}

world::process& world::find(const std::string& name) {
  return const_cast<process&>(std::as_const(*this).find(name));
}

std::string world::name_at(const Address& at) const {
  for (const auto& [name, p] : processes_)
    if (p.alive && same(p.at, at)) return name;
  return {};
}

void world::remark(const std::string& line) {
  transcript_.push_back(clock_text(now_) + "  " + readable(line));
}

std::string world::readable(std::string text) const {
  for (const auto& [name, id] : ids_) {
    if (id.size() < 4) continue;
    for (auto at = text.find(id); at != std::string::npos; at = text.find(id, at + name.size()))
      text.replace(at, id.size(), name);
  }
  return text;
}

// --- one step --------------------------------------------------------------------------------------------------------

void world::step(const std::string& where, const Address& at, const Envelope& head,
                 const google::protobuf::Message& body) {
  auto& home = find(where);
  auto found = home.actors.find(at);
  if (found == home.actors.end()) return remark(where + " drops " + written(head.verb()) + ": no " + to_string(at));
  ++steps_;
  context now;
  now.now = now_;
  now.wall_now = wall_time(std::chrono::hours(24 * 365 * 50) + now_.time_since_epoch());
  now.incarnation = home.incarnation;
  now.random_seed = random_.next();
  try {
    carry_out(where, at, found->second.core->on(head, body, now));
  } catch (const world_error&) {
    throw;
  } catch (const std::logic_error& failure) {
    throw world_error(to_string(at) + " of " + where + " at " + written(head.verb()) + ": " + failure.what());
  }
  if (home.alive && same(at, home.at)) learn_id(where);
}

void world::carry_out(const std::string& where, const Address& at, outbox out) {
  auto& home = find(where);
  for (const auto& line : out.log) remark("        | " + where + ": " + line);
  if (!out.edits.empty() && !commit(where, out.edits)) return crash(where);
  auto& self = home.actors.at(at);
  self.wake_at = out.wake_at;
  const auto epoch = self.core->epoch();
  for (auto& letter : out.letters) {
    Envelope head;
    *head.mutable_from() = at;
    *head.mutable_to() = letter.to;
    head.set_incarnation(home.incarnation);
    head.set_sequence(++self.sequence);
    if (epoch != 0) head.set_epoch(epoch);
    head.set_sent_at_ns(now_.time_since_epoch().count());
    head.set_verb(letter.verb);
    route(where, head, letter.body);
    ++home.letters_said;
    if (doom_.first == where && doom_.second != 0 && --doom_.second == 0) return crash(where);
  }
}

void world::learn_id(const std::string& name) {
  const auto& home = find(name);
  const auto seen = home.actors.at(home.at).core->look();
  std::string id;
  if (const auto* agent = dynamic_cast<const internal::AgentView*>(seen.get())) id = agent->info().id().value();
  if (const auto* self = dynamic_cast<const internal::SchedulerState*>(seen.get())) id = self->framework_id().value();
  if (!id.empty()) ids_[name] = id;
}

std::string world::id_of(const std::string& name) const {
  auto it = ids_.find(name);
  return it == ids_.end() ? std::string() : it->second;
}

// --- letters ---------------------------------------------------------------------------------------------------------

void world::near(const std::string& where, const Address& from, const Address& to,
                 std::shared_ptr<const google::protobuf::Message> body) {
  pending next;
  next.near.where = where;
  *next.near.head.mutable_from() = from;
  *next.near.head.mutable_to() = to;
  next.near.head.set_verb(verb_of(*body));
  next.near.body = std::move(body);
  queue_.push_back(std::move(next));
}

void world::route(const std::string& where, const Envelope& head,
                  std::shared_ptr<const google::protobuf::Message> body) {
  const auto& home = find(where);
  const auto& to = head.to();
  const bool service =
      to.role() == internal::RUNTIME || to.role() == internal::CONTAINERIZER || to.role() == internal::SUPERVISOR;
  if (service || home.actors.count(to) != 0) {
    pending next;
    next.near = {where, head, std::move(body)};
    queue_.push_back(std::move(next));
    return;
  }
  const auto target = same(to, leader()) ? std::string("master") : name_at(to);
  if (target.empty() || !has(target))
    return remark(where + " says " + written(head.verb()) + " to nobody: " + to_string(to));
  over_link(where, target, head, std::move(body));
}

void world::over_link(const std::string& from, const std::string& to, const Envelope& head,
                      std::shared_ptr<const google::protobuf::Message> body) {
  const auto& a = find(from);
  const auto& b = find(to);
  const auto link = a.server == to ? a.link : b.server == from ? b.link : 0;
  const auto what = from + " -> " + to + "  " + written(head.verb());
  if (link == 0) return remark(what + "  (no link)");
  if (!may_cross_link(a.at.role(), b.at.role(), head.verb()))
    throw world_error(what + " must not cross a link between these roles");
  crossing letter{from, to, link, head, std::move(body), false, std::nullopt};
  auto travelling = net_.say(letter, steps_);
  const bool kept = travelling.empty();
  const auto times = travelling.size() == 2 ? "  (twice)" : kept ? "  (held or lost)" : "";
  remark(what + times + "  " + line_of(*letter.body));
  travel(std::move(travelling));
}

void world::travel(std::vector<crossing> letters) {
  for (auto& letter : letters) {
    pending next;
    next.far = std::move(letter);
    queue_.push_back(std::move(next));
  }
}

void world::release(const letter_pattern& what) {
  auto letters = net_.release(what);
  if (letters.empty()) throw std::invalid_argument("no " + written(what.verb) + " is held");
  for (const auto& letter : letters)
    remark(letter.from + " -> " + letter.to + "  " + written(letter.head.verb()) + "  (late)");
  travel(std::move(letters));
}

void world::arrive(crossing letter) {
  const auto& a = find(letter.from);
  auto& b = find(letter.to);
  const auto link = a.server == letter.to ? a.link : b.link;
  if (!b.alive || (link != letter.link && !letter.last_word))
    return remark(letter.from + " -> " + letter.to + "  " + written(letter.head.verb()) + "  (lost with its link)");
  if (letter.copy) net_.note(letter.head.verb(), mishap::twice);
  if (letter.held_at_step && *letter.held_at_step < steps_) net_.note(letter.head.verb(), mishap::late);
  b.heard.push_back({letter.from, letter.head.verb(), letter.body});
  const auto to = letter.head.to();
  if (b.actors.count(to) != 0) step(letter.to, to, letter.head, *letter.body);
}

void world::arrive(local_letter letter) {
  if (!find(letter.where).alive) return;
  if (serve_locally(letter.where, letter.head, *letter.body)) return;
  step(letter.where, letter.head.to(), letter.head, *letter.body);
}

void world::settle() {
  int budget = steps_at_one_moment_max;
  do {
    while (!queue_.empty()) {
      if (--budget < 0) throw world_error("the cluster does not come to rest: its last words repeat without end");
      auto next = std::move(queue_.front());
      queue_.pop_front();
      if (next.far)
        arrive(std::move(*next.far));
      else
        arrive(std::move(next.near));
    }
    if (--budget < 0) throw world_error("the cluster does not come to rest: a timer fires without end");
  } while (fire_one(now_));
}

bool world::fire_one(monotonic_time until) {
  const std::string* where = nullptr;
  const Address* at = nullptr;
  monotonic_time first = until;
  for (const auto& [name, p] : processes_)
    for (const auto& [address, self] : p.actors)
      if (self.wake_at && (*self.wake_at < first || (!where && *self.wake_at == first))) {
        where = &name;
        at = &address;
        first = *self.wake_at;
      }
  if (!where) return false;
  now_ = std::max(now_, first);
  find(*where).actors.at(*at).wake_at.reset();
  near(*where, address(internal::RUNTIME, "local"), Address(*at), std::make_shared<internal::TimerFired>());
  return true;
}

void world::pass(std::chrono::nanoseconds time) {
  settle();
  const auto end = now_ + time;
  while (fire_one(end)) settle();
  now_ = end;
}

void world::tell(const std::string& name, const std::string& event, const std::string& data) {
  internal::ProgramEvent told;
  told.set_name(event);
  told.set_data(data);
  if (!alive(name)) throw std::invalid_argument(name + " is not running");
  notify(name, std::move(told));
}

void world::say(const std::string& from, const std::string& to, const google::protobuf::Message& body) {
  Envelope head;
  *head.mutable_from() = find(from).at;
  *head.mutable_to() = find(to).at;
  head.set_verb(verb_of(body));
  std::shared_ptr<google::protobuf::Message> copy(body.New());
  copy->CopyFrom(body);
  over_link(from, to, head, std::move(copy));
}

}  // namespace troupe::testing
