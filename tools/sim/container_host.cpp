#include "tools/sim/container_host.hpp"

#include <csignal>
#include <cstdlib>
#include <iterator>
#include <set>
#include <utility>

namespace troupe::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds unknown_command_lasts{10};
constexpr seconds hard_end_max{180};

std::string variable(const internal::LaunchContainer& plan, const std::string& name) {
  for (const auto& v : plan.environment().variables())
    if (v.name() == name) return v.value();
  return {};
}

double number_after(const std::string& text, const std::string& word, double otherwise) {
  const auto at = text.find(word);
  return at == std::string::npos ? otherwise : std::strtod(text.c_str() + at + word.size(), nullptr);
}

}  // namespace

container_label container_label::of(const internal::LaunchContainer& plan) {
  return {variable(plan, "TROUPE_FRAMEWORK_ID"), variable(plan, "TROUPE_TASK_ID"),
          variable(plan, "TROUPE_EXECUTOR_ID")};
}

command_course course_of(const v1::CommandInfo& command) {
  auto text = command.value();
  command_course course;
  const std::pair<const char*, command_course::at_term> habits[] = {
      {"trap '' TERM;", command_course::at_term::ignores}, {"trap 'exit 0' TERM;", command_course::at_term::ends_well}};
  for (const auto& [words, habit] : habits)
    if (const std::string prefix = words; text.compare(0, prefix.size(), prefix) == 0) {
      course.term = habit;
      text.erase(0, prefix.size());
    }
  const auto lasts = number_after(text, "sleep ", static_cast<double>(unknown_command_lasts.count()));
  course.lasts = timeline::duration(static_cast<std::int64_t>(lasts * 1e9));
  course.status = (static_cast<int>(number_after(text, "exit ", 0)) & 0xff) << 8;
  return course;
}

bool container_host::is_same(const std::string& id, std::uint64_t life) const {
  return life == life_ && all_.count(id) != 0;
}

void container_host::launch(const Address& asker, const internal::LaunchContainer& plan) {
  const auto& id = plan.container_id().value();
  if (const auto running = all_.find(id); running != all_.end()) {
    running->second.asker = asker;
    if (running->second.started) say_launched(asker, id);
    return;
  }
  if (ends_.count(id) != 0) {
    say_launched(asker, id);
    return say_end(asker, plan.container_id());
  }
  if (plan.only_if_known()) return say_end(asker, plan.container_id());
  auto& c = all_[id];
  c.label = container_label::of(plan);
  c.plan = plan;
  c.asker = asker;
  c.stubborn = luck_.happens(habits.stubborn);
  c.hardly_ends = luck_.happens(habits.hardly_ends);
  time_.after(luck_.heavy_tailed(habits.start, habits.start_max), [this, id, life = life_] { begin(id, life); });
}

void container_host::begin(const std::string& id, std::uint64_t life) {
  if (!is_same(id, life)) return;
  auto& c = all_.at(id);
  if (c.ending) return;
  if (luck_.happens(habits.start_fails)) {
    auto failed = std::make_shared<internal::ContainerLaunchFailed>();
    failed->mutable_container_id()->set_value(id);
    failed->set_message("no luck");
    const auto asker = c.asker;
    all_.erase(id);
    if (asker) say(*asker, std::move(failed));
    return;
  }
  c.started = true;
  c.launched_at = to_.wall();
  to_.started(id, c.plan);
  if (c.asker) say_launched(*c.asker, id);
  if (c.label.is_custom_executor()) return;
  const auto course = course_of(c.plan.command());
  c.term = course.term;
  internal::LaunchContainer().Swap(&c.plan);  // thousands run
  if (luck_.happens(habits.ends_badly)) {
    time_.after(luck_.between(timeline::duration(0), course.lasts), [this, id, life] {
      if (!is_same(id, life)) return;
      internal::ContainerExited how;
      how.set_status(SIGKILL);
      how.set_limitation_reason(v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
      how.set_limitation_message("Memory limit exceeded");
      ended(id, std::move(how));
    });
    return;
  }
  time_.after(course.lasts, [this, id, life, status = course.status] {
    if (is_same(id, life)) end(id, status);
  });
}

void container_host::say_launched(const Address& asker, const std::string& id) {
  auto launched = std::make_shared<internal::ContainerLaunched>();
  launched->mutable_container_id()->set_value(id);
  launched->set_pid(4242);
  launched->set_start_time(1);
  if (const auto running = all_.find(id); running != all_.end())
    launched->mutable_launched_at()->set_nanoseconds(running->second.launched_at.time_since_epoch().count());
  say(asker, std::move(launched));
}

void container_host::say_end(const Address& asker, const v1::ContainerID& id) {
  auto exited = std::make_shared<internal::ContainerExited>();
  if (const auto known = ends_.find(id.value()); known != ends_.end()) *exited = known->second;
  *exited->mutable_container_id() = id;
  say(asker, std::move(exited));
}

void container_host::signal(const Address& asker, const internal::SignalContainer& asked) {
  const auto found = all_.find(asked.container_id().value());
  if (found == all_.end()) return say_end(asker, asked.container_id());
  auto& c = found->second;
  if (!c.asker) c.asker = asker;
  if (asked.signal() == 0) return;
  c.asked_to_end = true;
  if (asked.signal() == SIGKILL)
    end_soon(found->first, c, SIGKILL);
  else if (!c.stubborn && c.term != command_course::at_term::ignores)
    end_soon(found->first, c, c.term == command_course::at_term::ends_well ? 0 : asked.signal());
}

void container_host::destroy(const Address& asker, const internal::DestroyContainer& asked) {
  const auto found = all_.find(asked.container_id().value());
  if (found == all_.end()) return say_end(asker, asked.container_id());
  if (!found->second.asker) found->second.asker = asker;
  found->second.asked_to_end = true;
  end_soon(found->first, found->second, SIGKILL);
}

void container_host::end_soon(const std::string& id, container& c, int status) {
  if (std::exchange(c.ending, true)) return;
  const auto wait = c.hardly_ends ? luck_.between(timeline::duration(0), timeline::duration(hard_end_max))
                                  : luck_.heavy_tailed(milliseconds(2), seconds(3));
  time_.after(wait, [this, id, life = life_, status] {
    if (is_same(id, life)) end(id, status);
  });
}

void container_host::release(const internal::ReleaseContainer& told) {
  ends_.erase(told.container_id().value());
}

void container_host::keep(const internal::KeepContainers& told) {
  std::set<std::string> wanted;
  for (const auto& id : told.container_ids()) wanted.insert(id.value());
  for (auto& [id, c] : all_)
    if (wanted.count(id) == 0) {
      c.asked_to_end = true;
      end_soon(id, c, SIGKILL);
    }
  for (auto it = ends_.begin(); it != ends_.end();) it = wanted.count(it->first) == 0 ? ends_.erase(it) : std::next(it);
}

void container_host::end(const std::string& id, int status) {
  internal::ContainerExited how;
  how.set_status(status);
  ended(id, std::move(how));
}

void container_host::ended(const std::string& id, internal::ContainerExited how) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  const auto c = std::move(found->second);
  all_.erase(found);
  how.mutable_container_id()->set_value(id);
  ends_[id] = how;
  container_end end;
  end.asked = c.asked_to_end;
  if (how.has_status() && !how.has_limitation_reason()) end.status = how.status();
  if (c.started) to_.ended(id, c.label, end);
  if (c.asker) say(*c.asker, std::make_shared<const internal::ContainerExited>(how));
}

void container_host::forget_all() {
  ++life_;
  auto gone = std::exchange(all_, {});
  ends_.clear();
  for (const auto& [id, c] : gone)
    if (c.started) to_.ended(id, c.label, {});
}

void container_host::lose(const std::string& id) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  const auto c = std::move(found->second);
  all_.erase(found);
  if (c.started) to_.ended(id, c.label, {});
}

void container_host::forget_askers() {
  for (auto& [id, c] : all_) c.asker.reset();
}

std::map<std::string, container_label> container_host::running() const {
  std::map<std::string, container_label> found;
  for (const auto& [id, c] : all_)
    if (c.started) found.emplace(id, c.label);
  return found;
}

}  // namespace troupe::sim
