#include "tools/sim/connection.hpp"

#include "troupe/internal/runtime.pb.h"

#include <algorithm>
#include <utility>

/// Links as link_hub and link_connector make them of TCP: ordered, with a reason at each end when they are over. A cut
/// path delivers nothing and breaks nothing: what was said waits, until the path is whole again or an end gives up.
namespace troupe::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds redial_first{100};
constexpr seconds handshake_patience{5};
constexpr milliseconds silence_checked_within{500};  // of when it is due

std::string pair_of(const process& from, const process& to) {
  return from.name + ">" + to.name;
}

}  // namespace

timeline::duration cluster::delay_between(const process& a, const process& b) {
  if (a.home == b.home) return delays_.around(std::chrono::microseconds(20));
  return delays_.heavy_tailed(network.delay, network.delay_max);
}

std::shared_ptr<connection> cluster::link_to(process& from, const Address& to) const {
  if (from.up && from.up->near.up) {
    const bool to_leader = same(to, leader()) && from.up->far.of->role == internal::MASTER;
    if (to_leader || same(to, from.up->far.of->at)) return from.up;
  }
  // Most who are written to have dialled us, and still think so.
  if (const auto* there = find_at(to); there && there->up && there->up->far.of == &from && there->up->far.up)
    return there->up;
  const auto found = from.down.find(to);
  return found == from.down.end() ? nullptr : found->second;
}

// --- they come -------------------------------------------------------------------------------------------------------

void cluster::dial(process& p, duration wait) {
  if (!p.server) return;
  time_.after(wait, [this, &p, life = p.life] { try_dial(p, life); });
}

void cluster::try_dial(process& p, std::uint64_t life) {
  if (!p.alive || p.life != life || p.up) return;
  const auto again = [&] {
    const auto wait = std::min<duration>(redial_first * (1u << std::min(p.dial_failures, 12u)), p.redial_max);
    ++p.dial_failures;
    dial(p, dials_.between(wait / 2, wait));
  };
  if (p.paused) return again();
  auto* server = p.server(p);
  if (!server || !server->alive || (server->listens && !server->listens())) return again();
  if (is_blocked(*p.home, *server->home) || is_blocked(*server->home, *p.home) || server->paused) {
    ++p.dial_failures;
    return dial(p, handshake_patience);
  }
  const auto wait = delay_between(p, *server) + delay_between(*server, p);
  if (wait > handshake_patience) return dial(p, handshake_patience);
  time_.after(wait, [this, &p, server, life, again, servers_life = server->life] {
    if (!p.alive || p.life != life || p.up) return;
    const bool there = server->alive && server->life == servers_life && (!server->listens || server->listens());
    if (!there || is_blocked(*p.home, *server->home) || is_blocked(*server->home, *p.home))
      return dial(p, redial_first);
    establish(p, *server);
  });
}

void cluster::establish(process& near, process& far) {
  if (const auto former = far.down.find(near.at); former != far.down.end()) {
    const auto replaced = former->second;
    end_of(replaced, false, "replaced", true);
  }
  auto made = std::make_shared<connection>();
  made->near = {&near, near.life, near.hang_ups, true};
  made->far = {&far, far.life, far.hang_ups, true};
  near.up = made;
  near.dial_failures = 0;
  far.down[near.at] = made;
  for (auto* h : {near.home, far.home}) {
    // When there is no room for more, those that are over make some.
    if (h->links.size() == h->links.capacity())
      h->links.erase(std::remove_if(h->links.begin(), h->links.end(), [](const auto& c) { return c.expired(); }),
                     h->links.end());
    h->links.push_back(made);
  }
  remark(near.name + " and " + far.name + " are linked");
  const auto greet = [this](process& to, const process& peer) {
    internal::PeerConnected here;
    *here.mutable_peer() = peer.at;
    here.set_incarnation(peer.incarnation);
    notify(to, std::move(here));
  };
  greet(far, near);
  greet(near, far);
  for (const auto& [from, to] : {std::pair(&near, &far), std::pair(&far, &near)}) {
    const auto left = unsure_.find(pair_of(*from, *to));
    if (left == unsure_.end()) continue;
    auto unsure = std::move(left->second);
    unsure_.erase(left);
    if (unsure.life != to->life || unsure.hang_ups != to->hang_ups) continue;
    for (auto& letter : unsure.letters) {
      letter.is_repeated = true;
      over_link(*from, made, std::move(letter));
    }
  }
}

// --- what is said over them ------------------------------------------------------------------------------------------

void cluster::over_link(process& from, const std::shared_ptr<connection>& over, mail letter) {
  const bool upwards = over->near.of == &from;
  const auto& to = upwards ? *over->far.of : *over->near.of;
  if (!may_cross_link(from.at.role(), to.at.role(), letter.head.verb()))
    throw broken("links", from.name + " says " + std::string(verb_name(letter.head.verb())) + " to " + to.name +
                              ", which must not cross a link");
  auto& way = upwards ? over->upwards : over->downwards;
  way.under_way.push_back(std::move(letter));
  way.arrives = std::max(way.arrives, time_.now() + delay_between(from, to));
  time_.at(way.arrives, [this, over, upwards] {
    auto& stalled = (upwards ? over->upwards : over->downwards).stalled;
    if (is_cut(*over, upwards) || !stalled.empty())
      return stalled.push_back([this, over, upwards] { arrive(over, upwards); });
    arrive(over, upwards);
  });
}

bool cluster::is_cut(const connection& over, bool upwards) const {
  const auto& near = *over.near.of->home;
  const auto& far = *over.far.of->home;
  return upwards ? is_blocked(near, far) : is_blocked(far, near);
}

/// Runs `arrive` at the other end, after all that set out before; waits while the path is cut.
void cluster::travel(const std::shared_ptr<connection>& over, bool upwards, timeline::action arrive) {
  auto& way = upwards ? over->upwards : over->downwards;
  auto& from = upwards ? *over->near.of : *over->far.of;
  auto& to = upwards ? *over->far.of : *over->near.of;
  way.arrives = std::max(way.arrives, time_.now() + delay_between(from, to));
  time_.at(way.arrives, [this, over, upwards, arrive = std::move(arrive)]() mutable {
    auto& stalled = (upwards ? over->upwards : over->downwards).stalled;
    if (is_cut(*over, upwards) || !stalled.empty()) return stalled.push_back(std::move(arrive));
    arrive();
  });
}

/// What a process was not sure of goes with it.
void cluster::forget_unsure(const process& from) {
  const auto prefix = from.name + ">";
  auto it = unsure_.lower_bound(prefix);
  while (it != unsure_.end() && it->first.compare(0, prefix.size(), prefix) == 0) it = unsure_.erase(it);
}

/// The first of what is under way.
void cluster::arrive(const std::shared_ptr<connection>& over, bool upwards) {
  auto& way = upwards ? over->upwards : over->downwards;
  auto letter = std::move(way.under_way.front());
  way.under_way.pop_front();
  auto& end = upwards ? over->far : over->near;
  auto& to = *end.of;
  if (!end.up || !to.alive || to.life != end.life) {
    ++letters_lost_;
    return;
  }
  auto* found = to.find(letter.head.to());
  if (!found) {
    ++letters_lost_;
    return;
  }
  push(*found, std::move(letter));
}

// --- they go ---------------------------------------------------------------------------------------------------------

/// One end is over. `tells_peer`: the other end hears of it, when all that was said before has arrived.
void cluster::end_of(std::shared_ptr<connection> c, bool near, const std::string& why, bool tells_peer) {
  auto& end = near ? c->near : c->far;
  if (!end.up) return;
  end.up = false;
  auto& p = *end.of;
  auto& peer = near ? *c->far.of : *c->near.of;
  if (near && p.up == c) p.up = nullptr;
  if (!near) {
    const auto found = p.down.find(peer.at);
    if (found != p.down.end() && found->second == c) p.down.erase(found);
  }
  remark(p.name + " is no longer linked with " + peer.name + ": " + why);
  if (p.alive && p.life == end.life) {
    internal::PeerDisconnected gone;
    *gone.mutable_peer() = peer.at;
    gone.set_reason(why);
    notify(p, std::move(gone));
    if (near) dial(p, dials_.between(duration(0), duration(redial_first)));
  }
  // What has not arrived may be said again on the next link, if this side is one that does so.
  auto& way = near ? c->upwards : c->downwards;
  const auto& other = near ? c->far : c->near;
  if (p.alive && p.life == end.life && !way.under_way.empty() && delays_.happens(network.repeats_at_reconnect))
    unsure_[pair_of(p, peer)] = {other.life, other.hang_ups, {way.under_way.begin(), way.under_way.end()}};
  if (!tells_peer) return;
  travel(c, near, [this, c, near] { end_of(c, !near, "closed by the other end", false); });
  // Whoever does not hear of it hears nothing any more.
  time_.after(network.silence, [this, c, near] { end_of(c, !near, "silence", false); });
}

void cluster::break_link(process& dialler) {
  const auto c = dialler.up;
  if (!c) return;
  end_of(c, true, "connection lost", false);
  end_of(c, false, "connection lost", false);
}

void cluster::half_break_link(process& dialler, bool near_end) {
  const auto c = dialler.up;
  if (!c) return;
  end_of(c, near_end, "connection lost", false);
  time_.after(network.silence, [this, c, near_end] { end_of(c, !near_end, "silence", false); });
}

void cluster::hang_up(process& p, const std::string& why) {
  ++p.hang_ups;
  const auto down = p.down;
  for (const auto& [name, c] : down) end_of(c, false, why, true);
}

// --- paths -----------------------------------------------------------------------------------------------------------

void cluster::block(const host& from, const host& to) {
  if (&from == &to) return;
  const auto number = ++blocks_;
  blocked_[{&from, &to}] = number;
  remark("the path from " + from.name + " to " + to.name + " is cut");
  time_.after(network.silence + luck_.between(duration(0), duration(silence_checked_within)),
              [this, &from, &to, number] {
                const auto found = blocked_.find({&from, &to});
                if (found != blocked_.end() && found->second == number) hear_silence(from, to);
              });
}

/// The machine that has fewer links knows them.
std::vector<std::shared_ptr<connection>> cluster::links_between(const host& a, const host& b) const {
  std::vector<std::shared_ptr<connection>> found;
  for (const auto& weak : (a.links.size() < b.links.size() ? a : b).links) {
    auto c = weak.lock();
    if (!c) continue;
    const auto* near = c->near.of->home;
    const auto* far = c->far.of->home;
    if ((near == &a && far == &b) || (near == &b && far == &a)) found.push_back(std::move(c));
  }
  return found;
}

/// Every end on `to` of a link with `from` has heard nothing for too long.
void cluster::hear_silence(const host& from, const host& to) {
  for (const auto& c : links_between(from, to)) end_of(c, c->near.of->home == &to, "silence", true);
}

void cluster::unblock(const host& from, const host& to) {
  if (blocked_.erase({&from, &to}) == 0) return;
  remark("the path from " + from.name + " to " + to.name + " is whole");
  for (const auto& c : links_between(from, to)) {
    auto& way = c->near.of->home == &from ? c->upwards : c->downwards;
    auto stalled = std::exchange(way.stalled, {});
    for (auto& arrive : stalled) arrive();
  }
}

/// In the order in which they were cut: by where machines happen to lie in memory they are not sorted alike twice.
void cluster::unblock_all() {
  std::map<std::uint64_t, std::pair<const host*, const host*>> all;
  for (const auto& [path, number] : blocked_) all[number] = path;
  for (const auto& [number, path] : all) unblock(*path.first, *path.second);
}

}  // namespace troupe::sim
