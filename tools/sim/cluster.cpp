#include "tools/sim/cluster.hpp"

#include "actors/runtime/recorded_step.hpp"
#include "tools/sim/connection.hpp"
#include "tools/sim/coordination.hpp"

#include "troupe/internal/runtime.pb.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

/// Actors take turns; what a step decided is committed, then sent, then a timer is armed: as outbox_runner.hpp does it.
namespace troupe::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

constexpr monotonic_time clock_began{std::chrono::hours(1)};
constexpr std::chrono::hours wall_began{24 * 365 * 50};
constexpr microseconds turn{20};
constexpr microseconds slowest_turn{400};  // doubles with each of the priorities
constexpr std::uint64_t priorities = 9;
constexpr std::uint64_t priority_changes_every = 2000;  // steps

std::uint64_t mixed(std::uint64_t hash, std::uint64_t number) {
  hash = (hash ^ number) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

/// Eight bytes at a time.
std::uint64_t mixed(std::uint64_t hash, std::string_view bytes) {
  hash = mixed(hash, bytes.size());
  for (; bytes.size() >= sizeof hash; bytes.remove_prefix(sizeof hash)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = mixed(hash, word);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, bytes.data(), bytes.size());
  return mixed(hash, rest);
}

std::uint64_t hash_of(const Address& at) {
  return mixed(static_cast<std::uint64_t>(at.role()), at.id());
}

}  // namespace

monotonic_time host::monotonic(timeline::duration now) const {
  return clock_began + now + nanoseconds(now.count() / 1'000'000 * drift_ppm);
}

wall_time host::wall(timeline::duration now) const {
  return wall_time(wall_began + monotonic(now).time_since_epoch() + wall_offset);
}

timeline::duration host::moment_of(monotonic_time at) const {
  const auto shown = at - clock_began;
  auto moment = shown - nanoseconds(shown.count() / (1'000'000 + drift_ppm) * drift_ppm);
  while (monotonic(moment) < at) moment += nanoseconds(1000);
  return moment;
}

cluster::cluster(const cluster_options& options)
    : options_(options),
      luck_(options.seed),
      turns_(luck_.part("turns")),
      delays_(luck_.part("delays")),
      seeds_(luck_.part("seeds")),
      dials_(luck_.part("dials")) {}

cluster::~cluster() = default;

actor* process::find(const Address& to) const {
  if (main && same(to, at)) return main;
  const auto found = actors.find(to);
  return found == actors.end() ? nullptr : found->second.get();
}

process& cluster::find(const std::string& name) {
  const auto found = processes_.find(name);
  if (found == processes_.end()) throw std::invalid_argument("there is no process '" + name + "'");
  return *found->second;
}

process* cluster::find_at(const Address& at) const {
  const auto [first, last] = by_address_.equal_range(hash_of(at));
  for (auto it = first; it != last; ++it)
    if (same(it->second->at, at)) return it->second;
  return nullptr;
}

void cluster::set_address(process& p, const Address& at) {
  p.at = at;
  by_address_.emplace(hash_of(at), &p);
}

void cluster::forget_address(const process& p) {
  const auto [first, last] = by_address_.equal_range(hash_of(p.at));
  for (auto it = first; it != last; ++it)
    if (it->second == &p) {
      by_address_.erase(it);
      return;
    }
}

std::shared_ptr<const google::protobuf::Message> cluster::look(const process& p, const Address& at) const {
  const auto found = p.actors.find(at);
  return found == p.actors.end() ? nullptr : found->second->core->look();
}

process* cluster::leading_master() {
  process* newest = nullptr;
  std::uint64_t epoch = 0;
  for (auto* p : masters_) {
    if (!p->alive) continue;
    const auto master = p->actors.find(leader());
    if (master == p->actors.end()) continue;
    const auto led = master->second->incarnation;
    if (!newest || led > epoch) newest = p;
    epoch = std::max(epoch, led);
  }
  return newest;
}

void cluster::remark(const std::string& line) {
  if (!is_followed()) return;
  char text[32];
  std::snprintf(text, sizeof text, "%12.6fs  ", std::chrono::duration<double>(time_.now()).count());
  if (options_.tells)
    options_.tells(text + line);
  else
    transcript_.push_back(text + line);
}

void cluster::run_until(duration moment) {
  while (time_.run_one(moment)) {
  }
}

// --- actors ----------------------------------------------------------------------------------------------------------

actor& cluster::add_actor(process& home, const Address& at, std::unique_ptr<machine> core, const std::string& prefix) {
  if (!prefix.empty()) {
    const auto& records = home.store->records();
    for (auto it = records.lower_bound(prefix + "/");
         it != records.end() && it->first.compare(0, prefix.size() + 1, prefix + "/") == 0; ++it)
      core->remember(it->first, it->second);
  }
  auto a = std::make_shared<actor>();
  a->at = at;
  a->key = hash_of(at);
  a->home = &home;
  a->core = std::move(core);
  a->priority = turns_.below(priorities);
  auto& slot = home.actors[at];
  if (slot) slot->gone = true;
  slot = std::move(a);
  if (same(at, home.at)) home.main = slot.get();
  return *slot;
}

void cluster::remove_actor(process& home, const Address& at) {
  const auto found = home.actors.find(at);
  if (found == home.actors.end()) return;
  found->second->gone = true;
  if (home.main == found->second.get()) home.main = nullptr;
  home.actors.erase(found);
}

void cluster::notify(process& p, const Address& to, std::shared_ptr<const google::protobuf::Message> body,
                     const Address& from) {
  auto* found = p.find(to);
  if (!found) return;
  mail letter;
  *letter.head.mutable_from() = from;
  *letter.head.mutable_to() = to;
  letter.head.set_verb(verb_of(*body));
  letter.body = std::move(body);
  push(*found, std::move(letter));
}

void cluster::push(actor& to, mail letter) {
  to.mailbox.push_back(std::move(letter));
  longest_mailbox_ = std::max(longest_mailbox_, to.mailbox.size());
  plan_step(to);
}

void cluster::plan_step(actor& a) {
  if (a.is_ready || a.gone || a.mailbox.empty() || a.home->paused) return;
  a.is_ready = true;
  time_.after(turn_of(a), [this, self = a.shared_from_this()] { step(self); });
}

timeline::duration cluster::turn_of(const actor& a) {
  auto wait = turns_.around(turn);
  if (options_.priorities) wait += turns_.around(slowest_turn * (1 << a.priority) / (1 << 4));
  return wait;
}

void cluster::step(const std::shared_ptr<actor>& a) {
  a->is_ready = false;
  if (a->gone || a->mailbox.empty() || a->home->paused) return;
  const auto letter = std::move(a->mailbox.front());
  a->mailbox.pop_front();
  ++steps_;
  if (options_.priorities && turns_.below(priority_changes_every) == 0) a->priority = turns_.below(priorities);
  context now;
  now.now = a->home->home->monotonic(time_.now());
  now.wall_now = a->home->home->wall(time_.now());
  now.incarnation = a->incarnation != 0 ? a->incarnation : a->home->incarnation;
  now.random_seed = seeds_.next();
  if (!options_.record_to.empty() && a->steps++ == 0) begin_recording(*a);
  outbox out;
  try {
    out = a->core->on(letter.head, *letter.body, now);
  } catch (const std::logic_error& failure) {
    throw broken("core", a->home->name + " " + to_string(a->at) + " at " + std::string(verb_name(letter.head.verb())) +
                             ": " + failure.what());
  }
  if (a->home->voice && a == a->home->actors.at(a->home->at)) a->home->voice(out);
  note(*a, letter, out);
  if (a->recorder)
    if (auto added = a->recorder->add(recorded_step(steps_, letter.head, *letter.body, now, out)); !added)
      a->recorder.reset();
  for (auto* o : observers_) o->on_step(*a, letter, now, out);
  carry_out(a, std::move(out), steps_);
  if (!a->gone) plan_step(*a);
}

/// Of the kinds of actors that can be played again.
void cluster::begin_recording(actor& a) {
  const auto state = a.core->saved();
  if (!state || !a.core->made_with()) return;
  auto name = a.home->name + "-" + std::to_string(a.home->life) + "-" + to_string(a.at);
  std::replace(name.begin(), name.end(), '/', '-');
  auto made = recording_writer::create(options_.record_to + "/" + name + "-" + std::to_string(steps_) + ".recording");
  if (!made) throw std::runtime_error(made.error().message);
  internal::RecordingHeader header;
  *header.mutable_actor() = a.at;
  header.set_incarnation(a.incarnation != 0 ? a.incarnation : a.home->incarnation);
  header.set_software("troupe sim, seed " + std::to_string(options_.seed));
  header.set_begun_wall_ns(a.home->home->wall(time_.now()).time_since_epoch().count());
  if (auto begun = (*made)->begin(header, *state, a.core->made_with()); !begun)
    throw std::runtime_error(begun.error().message);
  a.recorder = std::move(*made);
}

void cluster::note(const actor& a, const mail& heard, const outbox& out) {
  auto hash = mixed(hash_, static_cast<std::uint64_t>(time_.now().count()));
  hash = mixed(mixed(hash, a.key), heard.head.verb());
  for (const auto& e : out.edits) hash = mixed(mixed(hash, e.key), e.record ? *e.record : "");
  for (const auto& l : out.letters) hash = mixed(mixed(mixed(hash, l.to.id()), l.verb), l.body->ByteSizeLong());
  hash_ = mixed(hash, out.wake_at ? static_cast<std::uint64_t>(out.wake_at->time_since_epoch().count()) : 0);
  if (!is_followed()) return;
  for (const auto& line : out.log) remark(a.home->name + ": " + line);
}

void cluster::carry_out(const std::shared_ptr<actor>& a, outbox out, std::uint64_t event) {
  if (out.edits.empty() && a->pending.empty()) {
    send(*a, out.letters, event);
    if (a->gone) return;
    a->wish = out.wake_at;
    return arm(a);
  }
  auto item = std::make_shared<actor::held>();
  item->letters = std::move(out.letters);
  item->wake_at = out.wake_at;
  item->cause = event;
  item->durable = out.edits.empty();
  a->pending.push_back(item);
  if (item->durable) return release(a);
  const auto on_committed = [this, a, item, life = a->home->life](bool durable) {
    if (a->gone || a->home->life != life) return;
    if (!durable) {
      ++commits_failed_;
      return end(*a->home, "its disk failed");
    }
    item->durable = true;
    release(a);
  };
  if (a->commit) return a->commit(std::move(out.edits), on_committed);
  a->home->store->commit(std::move(out.edits), on_committed);
}

void cluster::release(const std::shared_ptr<actor>& a) {
  while (!a->gone && !a->pending.empty() && a->pending.front()->durable) {
    const auto item = std::move(a->pending.front());
    a->pending.pop_front();
    send(*a, item->letters, item->cause);
    if (a->gone) return;
    a->wish = item->wake_at;
    arm(a);
  }
}

void cluster::send(actor& from, std::vector<letter>& letters, std::uint64_t cause) {
  const auto epoch = from.core->epoch();
  for (auto& out : letters) {
    if (const auto muted = from.home->mutes.find(out.verb);
        muted != from.home->mutes.end() && turns_.happens(muted->second))
      continue;
    for (auto* o : observers_) o->on_said(from, out);
    mail letter;
    *letter.head.mutable_from() = from.at;
    *letter.head.mutable_to() = out.to;
    letter.head.set_incarnation(from.home->incarnation);
    letter.head.set_sequence(++from.sequence);
    letter.head.set_cause(cause);
    if (epoch != 0) letter.head.set_epoch(epoch);
    letter.head.set_verb(out.verb);
    letter.body = std::move(out.body);
    if (auto* beside = from.home->find(out.to)) {
      push(*beside, std::move(letter));
    } else if (!serve(from, out.to, letter.body)) {
      const auto over = link_to(*from.home, out.to);
      const bool leaves = over && (traps_.empty() || !spring_trap(*from.home, *over, letter.head.verb()));
      if (from.gone) return;
      if (!leaves) {
        ++letters_lost_;
        continue;
      }
      const auto twice = from.home->stutters.find(letter.head.verb());
      if (twice != from.home->stutters.end() && turns_.happens(twice->second)) over_link(*from.home, over, letter);
      over_link(*from.home, over, std::move(letter));
    }
    if (from.gone) return;  // it has ended its own process
  }
}

/// True: the letter never leaves.
bool cluster::spring_trap(process& from, const connection& over, std::uint32_t verb) {
  const auto found = std::find_if(traps_.begin(), traps_.end(), [verb](const auto& t) { return t.verb == verb; });
  if (found == traps_.end()) return false;
  const auto trap = std::move(*found);
  traps_.erase(found);
  return !trap.spring(from, over.near.of == &from ? *over.far.of : *over.near.of);
}

/// The timer that is armed may come too early, when another wish has taken its place: then it is armed anew.
void cluster::arm(const std::shared_ptr<actor>& a) {
  if (!a->wish) return;
  const auto moment = a->home->home->moment_of(*a->wish);
  if (a->armed && *a->armed <= moment) return;
  a->armed = moment;
  time_.at(moment, [this, a, timer = ++a->timer] {
    if (!a->gone && a->timer == timer) on_timer(a);
  });
}

void cluster::on_timer(const std::shared_ptr<actor>& a) {
  a->armed.reset();
  if (!a->wish) return;
  if (a->home->home->monotonic(time_.now()) < *a->wish) return arm(a);
  a->wish.reset();
  static const auto fired = std::make_shared<const internal::TimerFired>();
  mail letter;
  *letter.head.mutable_from() = address(internal::RUNTIME, "local");
  *letter.head.mutable_to() = a->at;
  letter.head.set_verb(verb_number<internal::TimerFired>::value);
  letter.body = fired;
  push(*a, std::move(letter));
}

void cluster::tell(process& p, const std::string& event, const std::string& data) {
  internal::ProgramEvent told;
  told.set_name(event);
  told.set_data(data);
  notify(p, std::move(told));
}

}  // namespace troupe::sim
