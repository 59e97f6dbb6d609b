#include "tools/sim/coordination.hpp"

#include <algorithm>
#include <utility>

namespace troupe::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t session_ms = 10000;
constexpr milliseconds touches_every{3000};
constexpr milliseconds expiry_looked_for_every{500};
constexpr milliseconds gives_up_within{4000};  // on an answer that does not come
constexpr milliseconds tries_again_every{1000};

internal::SessionEstablished established(std::uint64_t session) {
  internal::SessionEstablished fact;
  fact.set_session_id(session);
  fact.set_timeout_ms(session_ms);
  return fact;
}

template <class Message>
std::shared_ptr<const Message> shared(Message message) {
  return std::make_shared<const Message>(std::move(message));
}

}  // namespace

coordination_service::coordination_service(cluster& world, host& home) : world_(world), home_(home) {
  watch_time();
}

memory_coordination::time coordination_service::now() const {
  return home_.monotonic(world_.time().now());
}

void coordination_service::watch_time() {
  world_.time().after(expiry_looked_for_every, [this] {
    pass_on(state_.pass(now()).watches);
    watch_time();
  });
}

void coordination_service::pass_on(const std::vector<memory_coordination::fired>& watches) {
  for (const auto& each : watches)
    for (auto* c : clients_)
      if (c->session() == each.session) c->hear(each.what);
}

void coordination_service::expire(const process& p) {
  for (auto* c : clients_)
    if (&c->owner() == &p && c->session()) pass_on(state_.expire(*c->session()));
}

coordination_client::coordination_client(cluster& world, coordination_service& service, process& owner)
    : world_(world), service_(service), owner_(owner), luck_(world.luck("coordination of " + owner.name)) {
  service.add(*this);
}

void coordination_client::start() {
  session_.reset();
  connected_ = true;
  asked_.clear();
  missed_.clear();
  stay_in_touch(owner_.life);
}

bool coordination_client::is_path_whole() const {
  return !world_.is_blocked(*owner_.home, service_.home()) && !world_.is_blocked(service_.home(), *owner_.home);
}

timeline::duration coordination_client::next(duration& arrives) {
  arrives = std::max(arrives, world_.time().now() + luck_.heavy_tailed(world_.network.delay, world_.network.delay_max));
  return arrives;
}

void coordination_client::stay_in_touch(std::uint64_t life) {
  world_.time().after(touches_every, [this, life] {
    if (!is_of(life)) return;
    stay_in_touch(life);
    if (owner_.paused) return;
    if (!is_path_whole()) return disconnect();
    if (connected_ && session_ && !notice_expiry()) service_.state().touch(*session_, service_.now());
  });
}

// --- requests --------------------------------------------------------------------------------------------------------

void coordination_client::ask(std::shared_ptr<const google::protobuf::Message> request) {
  const bool opens = dynamic_cast<const internal::OpenSession*>(request.get()) != nullptr;
  if (!connected_) {
    if (!opens) say_lost(*request);
    return;
  }
  asked_.push_back({std::move(request), ++numbered_});
  world_.time().at(next(there_), [this, sent = asked_.back(), life = owner_.life] {
    if (is_of(life)) serve(sent);
  });
}

/// The request arrives, unless the connection has been lost since.
void coordination_client::serve(const pending& sent) {
  if (asked_.empty() || asked_.front().number != sent.number) return;
  const auto give_up = [this] {
    world_.time().after(luck_.between(duration(0), duration(gives_up_within)), [this, life = owner_.life] {
      if (is_of(life)) disconnect();
    });
  };
  if (world_.is_blocked(*owner_.home, service_.home())) return give_up();
  const bool answer_is_lost = world_.is_blocked(service_.home(), *owner_.home) || luck_.happens(service_.loses_answers);
  if (notice_expiry()) return;
  if (session_) service_.state().touch(*session_, service_.now());
  if (dynamic_cast<const internal::OpenSession*>(sent.request.get())) {
    if (answer_is_lost) return give_up();
    asked_.pop_front();
    if (!session_) session_ = service_.state().open_session(milliseconds(session_ms), service_.now());
    return tell(shared(established(*session_)));
  }
  if (!session_) {
    asked_.pop_front();
    return say_lost(*sent.request);
  }
  if (answer_is_lost && luck_.happens(0.5)) return give_up();
  auto done = service_.state().apply(*session_, *sent.request);
  service_.pass_on(done.watches);
  if (answer_is_lost) return give_up();
  asked_.pop_front();
  tell(done.answer);
}

void coordination_client::tell(std::shared_ptr<const google::protobuf::Message> news) {
  world_.time().at(next(back_), [this, news = std::move(news), life = owner_.life] {
    if (is_of(life)) world_.notify(owner_, address(internal::ELECTOR, "local"), news, coordinator());
  });
}

void coordination_client::say_lost(const google::protobuf::Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  if (!field) return;
  internal::RequestLost fact;
  fact.set_request_id(request.GetReflection()->GetUInt64(request, field));
  tell(shared(std::move(fact)));
}

void coordination_client::hear(const internal::WatchFired& fired) {
  auto news = shared(fired);
  if (connected_)
    tell(std::move(news));
  else
    missed_.push_back(std::move(news));
}

// --- the connection --------------------------------------------------------------------------------------------------

void coordination_client::disconnect() {
  if (!connected_) return;
  connected_ = false;
  world_.remark(owner_.name + " has lost its line to the coordination service");
  for (const auto& each : std::exchange(asked_, {})) say_lost(*each.request);
  if (session_) {
    internal::SessionSuspended fact;
    fact.set_session_id(*session_);
    tell(shared(std::move(fact)));
  }
  try_again();
}

void coordination_client::try_again() {
  world_.time().after(tries_again_every, [this, life = owner_.life] {
    if (!is_of(life) || connected_) return;
    if (owner_.paused || !is_path_whole()) return try_again();
    connected_ = true;
    world_.remark(owner_.name + " has its line to the coordination service again");
    if (!session_ || notice_expiry()) return missed_.clear();
    service_.state().touch(*session_, service_.now());
    tell(shared(established(*session_)));
    for (auto& each : std::exchange(missed_, {})) tell(std::move(each));
  });
}

/// A service that is asked says that the session is over.
bool coordination_client::notice_expiry() {
  if (!session_ || service_.state().is_open(*session_)) return false;
  internal::SessionExpired fact;
  fact.set_session_id(*session_);
  session_.reset();
  for (const auto& each : std::exchange(asked_, {})) say_lost(*each.request);
  tell(shared(std::move(fact)));
  return true;
}

// --- the registry ----------------------------------------------------------------------------------------------------

std::unique_ptr<registry_store> coordination_client::open_registry(const std::string& root, const leadership& by) {
  if (!session_ || !is_path_whole()) return nullptr;
  // The line lasts as long as the service and this.
  auto line = std::make_shared<memory_coordination_line>(service_.state(), *session_,
                                                         [this](const auto& watches) { service_.pass_on(watches); });
  auto opened = registry_store::open(*line, root, by);
  if (!opened) return nullptr;
  lines_.push_back(std::move(line));
  return std::move(*opened);
}

void coordination_client::commit(registry_store& store, std::vector<edit> edits, disk::done then) {
  auto batch = std::make_shared<const std::vector<edit>>(std::move(edits));
  world_.time().at(next(there_), [this, &store, batch, then = std::move(then), life = owner_.life] {
    if (!is_of(life)) return;
    const auto answer = [this, life, then](bool durable, duration wait) {
      world_.time().after(wait, [this, life, then, durable] {
        if (is_of(life)) then(durable);
      });
    };
    const bool arrives = !world_.is_blocked(*owner_.home, service_.home());
    const bool is_answered =
        arrives && !world_.is_blocked(service_.home(), *owner_.home) && !luck_.happens(service_.loses_answers);
    if (arrives && (is_answered || luck_.happens(0.5))) {
      const auto done = store.commit({batch});
      if (is_answered) {
        const auto at = next(back_);
        return answer(bool(done), at - world_.time().now());
      }
    }
    answer(false, gives_up_within);
  });
}

}  // namespace troupe::sim
