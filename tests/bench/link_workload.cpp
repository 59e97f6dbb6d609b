#include "tests/bench/link_workload.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace troupe::bench {

scheduler::Call::Message question(std::size_t body_bytes) {
  scheduler::Call::Message asked;
  asked.mutable_agent_id()->set_value("a");
  asked.mutable_executor_id()->set_value("e");
  asked.set_data(std::string(body_bytes, 'q'));
  return asked;
}

scheduler::Event::Message answer_to(const scheduler::Call::Message& asked) {
  scheduler::Event::Message answer;
  *answer.mutable_agent_id() = asked.agent_id();
  *answer.mutable_executor_id() = asked.executor_id();
  answer.set_data("ack");
  return answer;
}

Envelope head_of(const Address& from, const Address& to, std::uint32_t verb, std::uint64_t sequence) {
  Envelope head;
  *head.mutable_from() = from;
  *head.mutable_to() = to;
  head.set_incarnation(1);
  head.set_sequence(sequence);
  head.set_trace(0x9e3779b97f4a7c15u);
  head.set_cause(0x9e3779b97f4a7c16u);
  head.set_sent_at_ns(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  head.set_verb(verb);
  return head;
}

Address client_address(std::size_t number) {
  return address(internal::FRAMEWORK, "0123456789abcdef0123456789abcde" + std::to_string(number));
}

Address server_address() {
  return address(internal::MASTER, "fedcba9876543210fedcba9876543210");
}

server_process::server_process(const std::string& kind, std::size_t answer_every) {
  int input[2], output[2];
  if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0) std::abort();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  std::string program = "/proc/self/exe", serve = "--serve", what = kind, every = std::to_string(answer_every);
  char* arguments[] = {program.data(), serve.data(), what.data(), every.data(), nullptr};
  if (::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&actions);
  ::close(input[0]);
  ::close(output[1]);
  input_ = input[1];
  std::FILE* said = ::fdopen(output[0], "r");
  unsigned port = 0;
  if (std::fscanf(said, "%u", &port) != 1) {
    std::fprintf(stderr, "links_bench: the server does not start\n");
    std::exit(1);
  }
  std::fclose(said);
  port_ = static_cast<std::uint16_t>(port);
}

server_process::~server_process() {
  ::close(input_);
  ::waitpid(pid_, nullptr, 0);
}

void announce_port(std::uint16_t port) {
  std::printf("%u\n", static_cast<unsigned>(port));
  std::fflush(stdout);
}

}  // namespace troupe::bench
