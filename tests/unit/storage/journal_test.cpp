#include "storage/journal.hpp"

#include "tests/unit/storage/failing_env.hpp"
#include "tests/unit/storage/scratch_folder.hpp"
#include "tests/unit/storage/some_records.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

using namespace troupe;
using namespace troupe::test;

namespace {

/// A second process with a journal open: it commits `k-0`, `k-1`, … in pairs and tells each once it is durable, until
/// killed.
class committing_child {
 public:
  explicit committing_child(const std::filesystem::path& folder) {
    if (::pipe(told_) != 0) throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ == 0) commit_for_ever(folder, told_[1]);
    ::close(told_[1]);
  }
  ~committing_child() {
    kill();
    ::close(told_[0]);
  }
  committing_child(const committing_child&) = delete;
  committing_child& operator=(const committing_child&) = delete;

  pid_t process() const { return process_; }

  /// Waits for one more acknowledgement: the number of the pair.
  int next_acknowledged() {
    int number = -1;
    if (::read(told_[0], &number, sizeof number) != sizeof number) throw std::runtime_error("the child is gone");
    return number;
  }

  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

 private:
  [[noreturn]] static void commit_for_ever(const std::filesystem::path& folder, int told) {
    auto store = journal::open(folder);
    for (int i = 0; store; ++i) {
      const std::string name = std::to_string(i);
      if (!(*store)->commit({puts({"left/" + name, "right/" + name})})) break;
      if (::write(told, &i, sizeof i) != sizeof i) break;
    }
    ::_exit(1);
  }

  int told_[2] = {-1, -1};
  pid_t process_ = 0;
};

error open_error(const std::filesystem::path& folder) {
  auto opened = journal::open(folder);
  REQUIRE(opened.has_error());
  return opened.error();
}

}  // namespace

TEST_CASE("a journal opened again has what was committed before") {
  scratch_folder scratch;
  { REQUIRE(journal::open(scratch.path()).value()->commit({puts({"a", "b"})})); }
  { REQUIRE(journal::open(scratch.path()).value()->commit({batch({erase("a")})})); }
  CHECK(keys_of(journal::open(scratch.path()).value()->scan("").value()) == std::vector<std::string>{"b"});
}

TEST_CASE("a process killed at any moment loses nothing it acknowledged, and leaves no half of a commit") {
  scratch_folder scratch;
  for (int round = 0; round < 5; ++round) {
    const auto folder = scratch / std::to_string(round);
    committing_child child(folder);
    int acknowledged = 0;
    for (int i = 0; i <= 3 * round; ++i) acknowledged = child.next_acknowledged();
    child.kill();

    auto store = journal::open(folder).value();
    const auto left = store->scan("left").value();
    const auto right = store->scan("right").value();
    CHECK(left.damaged.empty());
    CHECK(left.records.size() == right.records.size());
    CHECK(left.records.size() > static_cast<std::size_t>(acknowledged));
  }
}

TEST_CASE("a folder that another process has open is refused with its pid") {
  scratch_folder scratch;
  committing_child child(scratch / "journal");
  child.next_acknowledged();
  const auto e = open_error(scratch / "journal");
  CHECK(e.code == errc::unavailable);
  CHECK(e.message.find("process " + std::to_string(child.process())) != std::string::npos);
  CHECK(e.message.find((scratch / "journal").string()) != std::string::npos);
  CHECK(child.next_acknowledged() > 0);
}

TEST_CASE("a folder that this process has open is refused, and the first journal keeps it") {
  scratch_folder scratch;
  auto first = journal::open(scratch.path()).value();
  const auto e = open_error(scratch.path());
  CHECK(e.code == errc::unavailable);
  CHECK(e.message.find("this process") != std::string::npos);
  CHECK(first->commit({puts({"k"})}));
}

TEST_CASE("a journal makes its folder and the parents, for its user alone") {
  scratch_folder scratch;
  const auto folder = scratch / "var/lib/troupe";
  REQUIRE(journal::open(folder).has_value());
  struct stat found = {};
  REQUIRE(::stat(folder.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
}

TEST_CASE("a path that is or leads through a file is refused as no folder") {
  scratch_folder scratch;
  std::ofstream(scratch / "file") << "x";
  for (const auto& path : {scratch / "file", scratch / "file/journal"}) {
    const auto e = open_error(path);
    CHECK(e.code == errc::invalid_argument);
    CHECK(e.message.find(path.string()) != std::string::npos);
  }
  CHECK(open_error("").code == errc::invalid_argument);
}

TEST_CASE("a commit that fails says what the disk said, and the journal refuses until it is opened anew") {
  const auto fault = GENERATE(failing_env::fault::append, failing_env::fault::sync);
  const auto number = GENERATE(ENOSPC, EIO);
  scratch_folder scratch;
  failing_env disk;
  journal::options options;
  options.disk = &disk;
  auto store = journal::open(scratch.path(), options).value();
  REQUIRE(store->commit({puts({"before"})}));

  disk.fail(fault, number);
  const auto failed = store->commit({puts({"lost"})});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == (number == ENOSPC ? errc::exhausted : errc::io));
  CHECK(failed.error().message.find(std::strerror(number)) != std::string::npos);

  disk.heal();
  const auto later = store->commit({puts({"later"})});
  REQUIRE_FALSE(later);
  CHECK(later.error().message == failed.error().message);
  CHECK(store->scan("").has_error());

  store.reset();
  store = journal::open(scratch.path(), options).value();
  const auto found = contents(store->scan("").value());
  CHECK(found.count("before") == 1);
  CHECK(found.count("later") == 0);
  CHECK(store->commit({puts({"after"})}));
}

TEST_CASE("a commit to a folder that was removed or replaced meanwhile fails, although the disk takes it") {
  scratch_folder scratch;
  const auto folder = scratch / "journal";
  auto store = journal::open(folder).value();
  REQUIRE(store->commit({puts({"before"})}));
  std::filesystem::rename(folder, scratch / "elsewhere");
  if (GENERATE(false, true)) std::filesystem::copy(scratch / "elsewhere", folder);

  const auto failed = store->commit({puts({"lost"})});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == errc::io);
  CHECK(failed.error().message.find(folder.string()) != std::string::npos);
  CHECK(store->commit({puts({"later"})}).has_error());
  CHECK(store->scan("").has_error());
}

TEST_CASE("tables are read without being mapped: what the disk cannot deliver is an error, not the end") {
  scratch_folder scratch;
  const auto path = (scratch / "table").string();
  std::ofstream(path) << std::string(100, 'x');
  journal_disk disk;
  leveldb::RandomAccessFile* made = nullptr;
  REQUIRE(disk.NewRandomAccessFile(path, &made).ok());
  const std::unique_ptr<leveldb::RandomAccessFile> file(made);
  std::filesystem::resize_file(path, 10);
  char space[100];
  leveldb::Slice found;
  REQUIRE(file->Read(5, 50, &found, space).ok());
  CHECK(found.ToString() == "xxxxx");
  CHECK(file->Read(50, 50, &found, space).ok());
  CHECK(found.empty());
  CHECK(disk.NewRandomAccessFile((scratch / "none").string(), &made).IsNotFound());
}

TEST_CASE("a disk that is full when the journal is opened is said to be full") {
  scratch_folder scratch;
  failing_env disk;
  journal::options options;
  options.disk = &disk;
  disk.fail(failing_env::fault::append, ENOSPC);
  const auto opened = journal::open(scratch.path(), options);
  REQUIRE(opened.has_error());
  CHECK(opened.error().code == errc::exhausted);
  CHECK(opened.error().message.find("Free some space") != std::string::npos);
}
