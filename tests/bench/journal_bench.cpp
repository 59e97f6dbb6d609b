// Durable records a second: commit requests of one record of 200 bytes to the journal's actor from another actor, so
// many outstanding. The journal notes which groups it wrote; the peers then write the same groups, with the same keys
// and as many bytes, each with one sync: raw LevelDB as one batch, a raw file as one write and fdatasync.
#include "storage/journal_actor.hpp"
#include "storage/seal.hpp"
#include "tests/bench/figures.hpp"

#include <fcntl.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>
#include <unistd.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>

namespace troupe::bench {
namespace {

constexpr std::size_t record_bytes = 200;
constexpr std::size_t keys_in_use = 10'000;  // records are written over, as those of tasks are
constexpr std::chrono::seconds patience{60};

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "journal_bench: %s\n", what.c_str());
  std::exit(1);
}

std::string key_of(std::size_t number) {
  char text[32];
  std::snprintf(text, sizeof(text), "master/tasks/%08zu", number % keys_in_use);
  return text;
}

/// A folder on the disk that journals are on, not in a memory file system; gone afterwards.
class disk_folder {
 public:
  disk_folder() {
    const char* chosen = std::getenv("TROUPE_BENCH_DIR");
    auto name = (std::filesystem::path(chosen ? chosen : "/var/tmp") / "troupe-bench.XXXXXX").string();
    if (!::mkdtemp(name.data())) give_up("cannot make " + name + "; TROUPE_BENCH_DIR names another place");
    path_ = name;
  }
  ~disk_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  disk_folder(const disk_folder&) = delete;
  disk_folder& operator=(const disk_folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The journal, and the size of every group that was committed to it.
class noting_store final : public journal_store {
 public:
  noting_store(const std::filesystem::path& folder, std::vector<std::size_t>& groups) : groups_(groups) {
    auto opened = journal::open(folder);
    if (!opened) give_up(opened.error().message);
    store_ = std::move(*opened);
  }
  result<void> commit(const std::vector<edit_batch>& group) override {
    groups_.push_back(group.size());
    return store_->commit(group);
  }
  result<scan_result> scan(std::string_view prefix) override { return store_->scan(prefix); }

 private:
  std::unique_ptr<journal_store> store_;
  std::vector<std::size_t>& groups_;
};

/// Keeps so many commits outstanding until all are done.
class client {
 public:
  client(caf::event_based_actor* self, journal_actor to, std::size_t count, std::function<void()> done)
      : self_(self), to_(std::move(to)), count_(count), done_(std::move(done)), record_(record_bytes, 'r') {}

  void commit_next() {
    if (asked_ == count_) return;
    auto edits = std::make_shared<const std::vector<edit>>(std::vector<edit>{{key_of(asked_++), record_}});
    self_->request(to_, patience, commit_request{std::move(edits)})
        .then(
            [this](const commit_done&) {
              if (++finished_ == count_) {
                done_();
                self_->quit();
              } else {
                commit_next();
              }
            },
            [](const caf::error& failure) { give_up(journal_error(failure).message); });
  }

 private:
  caf::event_based_actor* self_;
  journal_actor to_;
  std::size_t count_, asked_ = 0, finished_ = 0;
  std::function<void()> done_;
  std::string record_;
};

double run_journal(std::size_t count, std::size_t outstanding, std::vector<std::size_t>& groups) {
  disk_folder folder;
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{1});
  caf::actor_system system(config);
  auto store = std::make_unique<noting_store>(folder.path() / "journal", groups);
  auto journal = spawn_journal(system, std::move(store), std::make_shared<journal_counters>());
  std::promise<void> done;
  const auto rate = per_second(count, [&] {
    system.spawn([&](caf::event_based_actor* self) {
      auto work = std::make_shared<client>(self, journal, count, [&done] { done.set_value(); });
      self->attach_functor([work](const caf::error&) {});
      for (std::size_t i = 0; i < outstanding; ++i) work->commit_next();
    });
    done.get_future().wait();
  });
  caf::anon_send_exit(journal, caf::exit_reason::user_shutdown);
  journal = nullptr;
  system.await_all_actors_done();
  return rate;
}

double run_leveldb(std::size_t count, const std::vector<std::size_t>& groups) {
  disk_folder folder;
  leveldb::Options how;
  how.create_if_missing = true;
  leveldb::DB* opened = nullptr;
  if (auto s = leveldb::DB::Open(how, (folder.path() / "leveldb").string(), &opened); !s.ok()) give_up(s.ToString());
  std::unique_ptr<leveldb::DB> database(opened);
  const std::string record(seal(key_of(0), std::string(record_bytes, 'r')).size(), 'r');
  leveldb::WriteOptions durable;
  durable.sync = true;
  return per_second(count, [&] {
    std::size_t number = 0;
    for (auto size : groups) {
      leveldb::WriteBatch batch;
      for (std::size_t i = 0; i < size; ++i) batch.Put(key_of(number++), record);
      if (auto s = database->Write(durable, &batch); !s.ok()) give_up(s.ToString());
    }
  });
}

double run_file(std::size_t count, const std::vector<std::size_t>& groups) {
  disk_folder folder;
  const int fd = ::open((folder.path() / "file").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) give_up("cannot make a file in " + folder.path().string());
  const std::string record(seal(key_of(0), std::string(record_bytes, 'r')).size(), 'r');
  const auto rate = per_second(count, [&] {
    std::size_t number = 0;
    std::string bytes;
    for (auto size : groups) {
      bytes.clear();
      for (std::size_t i = 0; i < size; ++i) bytes.append(key_of(number++)).append(record);
      const auto written = ::write(fd, bytes.data(), bytes.size());
      if (written != static_cast<ssize_t>(bytes.size()) || ::fdatasync(fd) != 0) give_up("cannot write the raw file");
    }
  });
  ::close(fd);
  return rate;
}

std::vector<std::size_t> full_groups(std::size_t count, std::size_t size) {
  return std::vector<std::size_t>(count / size, size);
}

void measure(const request& asked, const std::string& name, std::size_t outstanding, std::size_t count) {
  if (!asked.wants(name)) return;
  count = std::max(outstanding, asked.scaled(count) / outstanding * outstanding);
  std::vector<double> ours, leveldb, file, leveldb_full, file_full, means;
  for (std::size_t pair = 0; pair < asked.pairs; ++pair) {
    std::vector<std::size_t> groups;
    ours.push_back(run_journal(count, outstanding, groups));
    leveldb.push_back(run_leveldb(count, groups));
    file.push_back(run_file(count, groups));
    if (outstanding > 1) {
      leveldb_full.push_back(run_leveldb(count, full_groups(count, outstanding)));
      file_full.push_back(run_file(count, full_groups(count, outstanding)));
    }
    means.push_back(static_cast<double>(count) / static_cast<double>(groups.size()));
  }
  const auto print = [&](const std::string& peer, const std::vector<double>& theirs) {
    if (theirs.empty()) return;
    figure line(name);
    line.with("outstanding", outstanding).with("record_bytes", record_bytes).with("records", count);
    line.with("per_s", median(ours), 0).with("group_mean", median(means), 1);
    line.with(peer + "_per_s", median(theirs), 0).with_ratio(peer, ours, theirs);
  };
  print("leveldb", leveldb);
  print("fdatasync", file);
  print("leveldb_full_groups", leveldb_full);
  print("fdatasync_full_groups", file_full);
}

}  // namespace
}  // namespace troupe::bench

int main(int argument_count, char** arguments) {
  using namespace troupe::bench;
  const auto asked = parse_request(argument_count, arguments);
  measure(asked, "journal.one", 1, 2'000);
  measure(asked, "journal.records", 64, 64'000);
  measure(asked, "journal.records", 512, 256'000);
}
