#include "actors/runtime/paced_log_sink.hpp"

#include "actors/runtime/file_descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace troupe;

namespace {

/// A logger whose lines come out of a pipe.
struct piped_log {
  explicit piped_log(std::chrono::milliseconds pause) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    out = file_descriptor(ends[0]);
    in = file_descriptor(ends[1]);
    sink = std::make_shared<paced_log_sink>(in.get(), pause);
    logger = std::make_unique<spdlog::logger>("piped", sink);
    logger->set_pattern("%v");
  }
  /// What one read brings; empty if nothing comes within `patience`.
  std::string read_some(int patience_ms) const {
    pollfd waited{out.get(), POLLIN, 0};
    if (::poll(&waited, 1, patience_ms) <= 0) return {};
    std::string text(1 << 16, 0);
    const auto size = ::read(out.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

  file_descriptor out, in;
  std::shared_ptr<paced_log_sink> sink;
  std::unique_ptr<spdlog::logger> logger;
};

constexpr std::chrono::hours forever{1};

}  // namespace

TEST_CASE("a first line is written at once, those of the pause after it together") {
  piped_log log{forever};
  log.logger->info("one");
  CHECK(log.read_some(30'000) == "one\n");
  log.logger->info("two");
  log.logger->info("three");
  CHECK(log.read_some(0).empty());
  log.logger->flush();
  CHECK(log.read_some(0) == "two\nthree\n");
}

TEST_CASE("an error is written before the call returns, with all that came before it") {
  piped_log log{forever};
  log.logger->info("one");
  REQUIRE(log.read_some(30'000) == "one\n");
  log.logger->info("two");
  log.logger->error("three");
  CHECK(log.read_some(0) == "two\nthree\n");
}

TEST_CASE("what is left is written at the end") {
  piped_log log{forever};
  log.logger->info("one");
  REQUIRE(log.read_some(30'000) == "one\n");
  log.logger->info("two");
  log.logger.reset();
  log.sink.reset();
  CHECK(log.read_some(0) == "two\n");
}

TEST_CASE("lines of many threads come out whole") {
  piped_log log{std::chrono::milliseconds(0)};
  constexpr int lines = 200;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < lines; ++n) log.logger->info("a line that is not torn");
    });
  for (auto& thread : threads) thread.join();
  log.logger->flush();
  std::string all;
  for (std::string some; !(some = log.read_some(0)).empty();) all += some;
  std::string expected;
  for (int n = 0; n < 4 * lines; ++n) expected += "a line that is not torn\n";
  CHECK(all == expected);
}

TEST_CASE("lines that cannot be written are counted in the next that can") {
  file_descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  file_descriptor out(ends[0]), in(ends[1]);
  paced_log_sink sink(full.get(), forever);
  sink.set_pattern("%v");
  sink.log({"test", spdlog::level::err, "one"});
  sink.log({"test", spdlog::level::err, "two"});
  REQUIRE(::dup2(in.get(), full.get()) >= 0);
  sink.log({"test", spdlog::level::err, "three"});
  char text[100];
  const auto size = ::read(out.get(), text, sizeof text);
  REQUIRE(size > 0);
  CHECK(std::string(text, static_cast<std::size_t>(size)) == "log.lost lines=2\nthree\n");
}
