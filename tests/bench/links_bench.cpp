// Links between two processes over loopback TCP, against bare sockets that carry the same envelopes, parsed and
// serialised alike. Each run has a fresh server process and fresh connections; connecting is not measured.
#include "tests/bench/figures.hpp"
#include "tests/bench/link_workload.hpp"

#include <cstdlib>
#include <string_view>

namespace troupe::bench {
namespace {

link_outcome over_links(const link_workload& work) {
  server_process server("links", work.answer_every);
  return run_links(work, server.port());
}

link_outcome over_epoll(const link_workload& work) {
  server_process server("epoll", work.answer_every);
  return run_epoll(work, server.port());
}

void measure_rate(const request& asked, const std::string& name, link_workload work) {
  if (!asked.wants(name)) return;
  work.messages = (asked.scaled(work.messages) / work.outstanding + 1) * work.outstanding;
  const auto messages = work.clients * work.messages;
  std::vector<double> ours, floor, our_cpu, floor_cpu;
  for (std::size_t pair = 0; pair < asked.pairs; ++pair) {
    our_cpu.push_back(cpu_us_each(messages, [&] { ours.push_back(over_links(work).per_s); }));
    floor_cpu.push_back(cpu_us_each(messages, [&] { floor.push_back(over_epoll(work).per_s); }));
  }
  figure line(name);
  line.with("links", std::string(std::getenv("TROUPE_TLS_CERT") ? "tls" : "plain"));
  line.with("clients", work.clients).with("outstanding", work.outstanding).with("answer_every", work.answer_every);
  line.with("body_bytes", work.body_bytes).with("per_s", median(ours), 0).with("epoll_per_s", median(floor), 0);
  line.with_ratio("epoll", ours, floor).with("cpu_us", median(our_cpu), 2).with("epoll_cpu_us", median(floor_cpu), 2);
}

void measure_latency(const request& asked, const std::string& name, link_workload work) {
  if (!asked.wants(name)) return;
  work.messages = asked.scaled(work.messages);
  std::vector<double> ours, floor, all_ours, all_floor;
  for (std::size_t pair = 0; pair < asked.pairs; ++pair) {
    const auto us = over_links(work).waits_us;
    const auto them = over_epoll(work).waits_us;
    ours.push_back(median(us));
    floor.push_back(median(them));
    all_ours.insert(all_ours.end(), us.begin(), us.end());
    all_floor.insert(all_floor.end(), them.begin(), them.end());
  }
  figure line(name);
  line.with("links", std::string(std::getenv("TROUPE_TLS_CERT") ? "tls" : "plain"));
  line.with("outstanding", work.outstanding).with("body_bytes", work.body_bytes).with("n", all_ours.size());
  line.with("p50_us", median(all_ours), 1).with("p99_us", rank(all_ours, 0.99), 1);
  line.with("epoll_p50_us", median(all_floor), 1).with("epoll_p99_us", rank(all_floor, 0.99), 1);
  line.with_ratio("epoll", ours, floor);
}

void measure_all(const request& asked) {
  constexpr std::size_t ack_every = 1'000;
  measure_rate(asked, "links.rpc", {8, 250, 50'000, 1, 3});
  measure_latency(asked, "links.latency", {1, 1, 5'000, 1, 3});
  measure_rate(asked, "links.oneway", {1, 16 * ack_every, 400'000, ack_every, 200});
  // What is outstanding fits into a link's send queue, or a server that the scheduler leaves out counts as a slow
  // reader.
  measure_rate(asked, "links.oneway", {1, 2 * ack_every, 200'000, ack_every, 2048});
}

}  // namespace
}  // namespace troupe::bench

int main(int argument_count, char** arguments) {
  using namespace troupe::bench;
  if (argument_count == 4 && std::string_view(arguments[1]) == "--serve") {
    const auto answer_every = static_cast<std::size_t>(std::atoi(arguments[3]));
    std::string_view(arguments[2]) == "links" ? serve_links(answer_every) : serve_epoll(answer_every);
    return 0;
  }
  measure_all(parse_request(argument_count, arguments));
}
