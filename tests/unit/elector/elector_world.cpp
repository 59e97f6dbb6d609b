#include "tests/unit/elector/elector_world.hpp"

#include <algorithm>
#include <utility>

namespace troupe::testing {

using namespace std::chrono_literals;

namespace {

elector_options options_of(const std::string& name, bool stands) {
  elector_options options;
  options.root = "/troupe/test";
  if (!stands) return options;
  internal::Candidate candidate;
  candidate.set_name(name);
  *candidate.mutable_address() = address(internal::MASTER, name);
  candidate.set_endpoint(name + ":5050");
  options.candidate = candidate;
  return options;
}

template <class Message>
std::shared_ptr<const Message> shared(Message message) {
  return std::make_shared<const Message>(std::move(message));
}

template <class Fact>
elector_world::message of_session(memory_coordination::session_id session) {
  Fact fact;
  fact.set_session_id(session);
  return shared(std::move(fact));
}

elector_world::message established(memory_coordination::session_id session, std::uint64_t timeout_ms) {
  internal::SessionEstablished fact;
  fact.set_session_id(session);
  fact.set_timeout_ms(timeout_ms);
  return shared(std::move(fact));
}

elector_world::message lost(const google::protobuf::Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  internal::RequestLost fact;
  fact.set_request_id(request.GetReflection()->GetUInt64(request, field));
  return shared(std::move(fact));
}

constexpr std::uint64_t timeout_ms = 10000;

}  // namespace

elector_world::member::member(const std::string& own_name, bool stands)
    : name(own_name),
      core([=] { return elector(options_of(own_name, stands)); },
           [=](const internal::ElectorState& s) { return elector::load(s, options_of(own_name, stands)); }) {}

elector_world::member& elector_world::add(const std::string& name, bool stands) {
  const auto behind = members_.empty() ? 0ns : members_.front()->core.now().time_since_epoch();
  members_.push_back(std::make_unique<member>(name, stands));
  auto& m = *members_.back();
  if (behind > 0ns) m.core.pass(behind - m.core.now().time_since_epoch());
  m.core.recover(name);
  take(m, m.core.last().letters);
  return m;
}

monotonic_time elector_world::now() const {
  return members_.front()->core.now();
}

// --- one thing at a time

void elector_world::take(member& m, const std::vector<letter>& letters) {
  for (const auto& each : letters) {
    if (each.to.role() == internal::COORDINATOR)
      m.requests.push_back(each.body);
    else
      note(m, each);
  }
}

void elector_world::note(member& m, const letter& said) {
  if (const auto* started = dynamic_cast<const internal::StartedLeading*>(said.body.get())) {
    m.facts.push_back("started " + std::to_string(started->epoch()));
    REQUIRE(m.epoch == 0);
    REQUIRE(started->epoch() > highest_epoch_);
    m.epoch = highest_epoch_ = started->epoch();
    m.last_started = *started;
  } else if (const auto* stopped = dynamic_cast<const internal::StoppedLeading*>(said.body.get())) {
    m.facts.push_back("stopped " + std::to_string(stopped->epoch()) + " " +
                      internal::StoppedLeading::Reason_Name(stopped->reason()));
    REQUIRE(m.epoch == stopped->epoch());
    m.epoch = 0;
  } else if (const auto* changed = dynamic_cast<const internal::LeaderChanged*>(said.body.get())) {
    m.facts.push_back("leader " + (changed->has_leader() ? changed->leader().name() : "nobody"));
  } else {
    FAIL(said.body->GetTypeName());
  }
}

void elector_world::pass_on(const std::vector<memory_coordination::fired>& watches) {
  for (const auto& each : watches)
    for (auto& m : members_)
      if (m->session == each.session) (m->connected && !m->cut_off ? m->news : m->missed).push_back(shared(each.what));
}

bool elector_world::serve(member& m, fate what) {
  if (m.requests.empty()) return false;
  const auto request = m.requests.front();
  m.requests.pop_front();
  const bool opens = dynamic_cast<const internal::OpenSession*>(request.get()) != nullptr;
  if (!m.connected) {
    if (!opens) m.news.push_back(lost(*request));
    return true;
  }
  if (m.cut_off) {
    if (!opens) m.news.push_back(answer_of_cut_off(m, *request));
    return true;
  }
  if (notice_expiry(m)) return true;
  if (m.session) service.touch(*m.session, now());
  if (opens) {
    if (!m.session) m.session = service.open_session(std::chrono::milliseconds(timeout_ms), now());
    m.news.push_back(established(*m.session, timeout_ms));
    return true;
  }
  if (what == fate::lost_before || !m.session) {
    m.news.push_back(lost(*request));
    return true;
  }
  auto done = service.apply(*m.session, *request);
  pass_on(done.watches);
  m.news.push_back(what == fate::lost_after ? lost(*request) : done.answer);
  return true;
}

bool elector_world::tell(member& m) {
  if (m.news.empty()) return false;
  const auto news = m.news.front();
  m.news.pop_front();
  m.core.hear(coordinator(), *news);
  take(m, m.core.last().letters);
  return true;
}

/// Answers on their way are lost; requests find no connection when they are served.
void elector_world::disconnect(member& m) {
  if (!m.connected) return;
  m.connected = false;
  m.cut_off.reset();
  std::deque<message> arrived;
  std::deque<message> on_the_way;
  for (auto& each : m.news) {
    const bool watch = dynamic_cast<const internal::WatchFired*>(each.get()) != nullptr;
    const auto* field = each->GetDescriptor()->FindFieldByName("request_id");
    if (watch)
      on_the_way.push_back(each);
    else if (field)
      arrived.push_back(lost(*each));
    else
      arrived.push_back(each);
  }
  if (m.session) arrived.push_back(of_session<internal::SessionSuspended>(*m.session));
  m.news = std::move(arrived);
  m.missed = std::move(on_the_way);
}

void elector_world::reconnect(member& m) {
  if (m.connected) return;
  m.connected = true;
  if (!m.session) return;
  if (!notice_expiry(m)) {
    service.touch(*m.session, now());
    m.news.push_back(established(*m.session, timeout_ms));
    m.news.insert(m.news.end(), m.missed.begin(), m.missed.end());
  }
  m.missed.clear();
}

void elector_world::cut_off(member& m) {
  if (m.connected && m.session && service.is_open(*m.session)) m.cut_off = service;
}

elector_world::message elector_world::answer_of_cut_off(member& m, const google::protobuf::Message& request) {
  const bool reads = dynamic_cast<const internal::ReadZnode*>(&request) != nullptr ||
                     dynamic_cast<const internal::ListChildren*>(&request) != nullptr;
  return reads ? m.cut_off->apply(*m.session, request).answer : lost(request);
}

/// A service that is asked says so.
bool elector_world::notice_expiry(member& m) {
  if (!m.connected || m.cut_off || !m.session || service.is_open(*m.session)) return false;
  m.news.push_back(of_session<internal::SessionExpired>(*m.session));
  m.session.reset();
  return true;
}

void elector_world::expire(member& m) {
  if (m.session) pass_on(service.expire(*m.session));
}

void elector_world::tick(std::chrono::nanoseconds time) {
  const auto later = now() + time;
  for (auto& m : members_)
    if (m->connected && !m->cut_off && m->session) service.touch(*m->session, later);
  pass_on(service.pass(later).watches);
  for (auto& m : members_) notice_expiry(*m);
  for (auto& m : members_) take(*m, m->core.pass(time));
}

// --- many

void elector_world::settle() {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& m : members_) {
      while (tell(*m)) moved = true;
      while (serve(*m)) moved = true;
    }
  }
}

void elector_world::run(std::chrono::nanoseconds time) {
  settle();
  for (auto left = time; left > 0ns; left -= std::min<std::chrono::nanoseconds>(left, 50ms)) {
    tick(std::min<std::chrono::nanoseconds>(left, 50ms));
    settle();
  }
}

std::vector<elector_world::member*> elector_world::leaders() {
  std::vector<member*> all;
  for (auto& m : members_)
    if (m->epoch != 0) all.push_back(m.get());
  return all;
}

std::set<std::string> elector_world::members_in_service() const {
  const auto* folder = service.find("/troupe/test/members");
  return folder ? folder->children : std::set<std::string>{};
}

std::optional<internal::EpochRecord> elector_world::epoch_in_service() const {
  const auto* found = service.find("/troupe/test/epoch");
  internal::EpochRecord record;
  if (!found || !record.ParseFromString(found->data)) return std::nullopt;
  return record;
}

elector_world::message elector_world::ask(const google::protobuf::Message& request) {
  if (!other_) other_ = service.open_session(std::chrono::hours(1000), now());
  auto done = service.apply(*other_, request);
  pass_on(done.watches);
  return done.answer;
}

}  // namespace troupe::testing
