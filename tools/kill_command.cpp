#include "tools/kill_command.hpp"

#include "actors/runtime/net/link_dialler.hpp"
#include "protocol/verbs.hpp"
#include "tools/master_client.hpp"
#include "tools/release.hpp"

#include <unistd.h>

#include <chrono>
#include <future>
#include <iostream>
#include <random>

namespace troupe {

namespace {

struct kill_flags : master_flags {
  std::string task, framework;
};

/// One question over a link of our own: asked when the link is up, answered by KillTaskAnswered.
class kill_question {
 public:
  explicit kill_question(const kill_flags& given) : given_(given) {}

  link_events events() {
    link_events hear;
    hear.up = [this](const std::shared_ptr<link>& connection) { ask(*connection); };
    hear.envelope = [this](const std::shared_ptr<link>&, Envelope&& envelope, const std::shared_ptr<void>&) {
      internal::KillTaskAnswered answer;
      if (envelope.verb() == verb_number<internal::KillTaskAnswered>::value &&
          answer.ParseFromString(envelope.payload()))
        settle(answer);
    };
    hear.down = [this](const std::shared_ptr<link>&, const std::string& reason) {
      settle(error{errc::unavailable, "the link to the master ended: " + reason});
    };
    return hear;
  }

  void settle(result<internal::KillTaskAnswered> outcome) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!settled_) outcome_.set_value(std::move(outcome));
    settled_ = true;
  }

  result<internal::KillTaskAnswered> await() {
    auto answer = outcome_.get_future();
    if (answer.wait_for(std::chrono::seconds(15)) == std::future_status::ready) return answer.get();
    return error{errc::unavailable, "the master did not answer within 15 s"};
  }

  link_identity self;

 private:
  void ask(link& connection) {
    internal::KillTaskByOperator request;
    request.mutable_task_id()->set_value(given_.task);
    if (!given_.framework.empty()) request.mutable_framework_id()->set_value(given_.framework);
    Envelope envelope;
    *envelope.mutable_from() = self.address();
    *envelope.mutable_to() = leader();
    envelope.set_verb(verb_number<internal::KillTaskByOperator>::value);
    envelope.set_payload(request.SerializeAsString());
    connection.send(std::move(envelope));
  }

  const kill_flags& given_;
  std::mutex mutex_;
  bool settled_ = false;
  std::promise<result<internal::KillTaskAnswered>> outcome_;
};

int kill(const kill_flags& given) {
  auto url = master_url(given);
  if (!url) return fail(url.error());
  auto target = parse_link_target(*url);
  if (!target) return fail(target.error());
  io_threads io;
  kill_question question(given);
  question.self.role = internal::OPERATOR;
  question.self.id = std::to_string(::getpid()) + "-" + std::to_string(std::random_device{}());
  question.self.software = std::string("troupe ") + release_version;
  auto attempt =
      dial(io, *target, question.self, question.events(), {}, [&question](const error& e) { question.settle(e); });
  auto answer = question.await();
  attempt->cancel("done");
  io.stop();
  if (!answer) return fail(answer.error());
  if (answer->has_refusal()) {
    const bool ambiguous = answer->refusal().find("name one of them") != std::string::npos;
    return fail({errc::not_found, answer->refusal() + (ambiguous ? " with --framework" : "")});
  }
  std::cout << "kill sent: task " << given.task << " will end within its grace period\n";
  return 0;
}

}  // namespace

void add_kill_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("kill", "End a task, whichever framework's it is");
  auto given = std::make_shared<kill_flags>();
  add_master_flags(*command, *given, false);
  command->add_option("task", given->task, "The task's id, as `troupe tasks` shows it")->required();
  command->add_option("--framework", given->framework, "Whose task, where several frameworks have one of that id");
  command->footer("example: troupe kill sh-4711");
  command->callback([given, &exit_code] { exit_code = kill(*given); });
}

}  // namespace troupe
