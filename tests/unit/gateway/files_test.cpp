#include "actors/gateway/files.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace troupe {

namespace {

namespace fs = std::filesystem;

/// A sandbox, and beside it what must not be seen from there.
struct sandbox_fixture {
  sandbox_fixture() {
    char folder[] = "/tmp/troupe-files-XXXXXX";
    REQUIRE(::mkdtemp(folder));
    top = folder;
    fs::create_directories(sandbox() / "logs/old");
    write(sandbox() / "stdout", "hello\nworld\n");
    write(sandbox() / "logs/a.log", "a");
    write(top / "secret", "the key");
    served.attach("/sandbox", sandbox().string());
  }
  ~sandbox_fixture() { fs::remove_all(top); }

  fs::path sandbox() const { return top / "work"; }
  static void write(const fs::path& at, const std::string& text) { std::ofstream(at) << text; }
  std::string content(const std::string& path) const {
    auto piece = served.read(path, 0, std::nullopt);
    return piece ? piece->data : piece.error().message;
  }
  errc failure(const std::string& path) const {
    auto piece = served.read(path, 0, std::nullopt);
    REQUIRE_FALSE(piece.has_value());
    CHECK(piece.error().message.find("the key") == std::string::npos);
    return piece.error().code;
  }

  fs::path top;
  files served;
};

}  // namespace

TEST_CASE("a file is read in pieces, and its size is what a reader without an offset learns") {
  sandbox_fixture f;
  CHECK(f.content("/sandbox/stdout") == "hello\nworld\n");
  auto piece = f.served.read("/sandbox/stdout", 6, 5);
  REQUIRE(piece.has_value());
  CHECK(piece->offset == 6);
  CHECK(piece->data == "world");
  auto size = f.served.read("/sandbox/stdout", std::nullopt, std::nullopt);
  CHECK(size->offset == 12);
  CHECK(size->data.empty());
  auto beyond = f.served.read("/sandbox/stdout", ~std::uint64_t{0}, 10);
  CHECK(beyond->offset == 12);
  CHECK(beyond->data.empty());
}

TEST_CASE("one read gives at most sixteen pages, whatever is asked") {
  sandbox_fixture f;
  sandbox_fixture::write(f.sandbox() / "large", std::string(200000, 'x'));
  CHECK(f.served.read("/sandbox/large", 0, ~std::uint64_t{0})->data.size() == 65536);
  CHECK(f.served.read("/sandbox/large", 150000, std::nullopt)->data.size() == 50000);
}

TEST_CASE("a folder is listed by rising path under the name that was asked for, a file is an empty list") {
  sandbox_fixture f;
  auto entries = f.served.browse("/sandbox/");
  REQUIRE(entries.has_value());
  REQUIRE(entries->size() == 2);
  CHECK(entries->at(0).path == "/sandbox/logs");
  CHECK(entries->at(0).mode[0] == 'd');
  CHECK(entries->at(1).path == "/sandbox/stdout");
  CHECK(entries->at(1).size_bytes == 12);
  CHECK(entries->at(1).links == 1);
  CHECK(f.served.browse("/sandbox/stdout")->empty());
  CHECK(f.served.browse("/sandbox/logs/old")->empty());
  CHECK(f.served.browse("/sandbox/logs")->front().path == "/sandbox/logs/a.log");
}

TEST_CASE("the longest name that a path begins with wins, and names are whole components") {
  sandbox_fixture f;
  f.served.attach("/sandbox/logs", (f.top / "work/logs/old").string());
  sandbox_fixture::write(f.sandbox() / "logs/old/b.log", "b");
  CHECK(f.content("/sandbox/logs/b.log") == "b");
  CHECK(f.failure("/sandboxes/stdout") == errc::not_found);
  f.served.detach("/sandbox/logs/");
  CHECK(f.content("/sandbox/logs/a.log") == "a");
}

TEST_CASE("a single file can have a name, and has nothing below it") {
  sandbox_fixture f;
  f.served.attach("/agent/log", (f.top / "work/stdout").string());
  CHECK(f.content("/agent/log") == "hello\nworld\n");
  CHECK(f.failure("/agent/log/x") == errc::not_found);
  CHECK(f.failure("/agent") == errc::not_found);
}

TEST_CASE("paths that are nowhere, no file, or no path are errors of their own kind") {
  sandbox_fixture f;
  CHECK(f.failure("/sandbox/missing") == errc::not_found);
  CHECK(f.failure("/sandbox/stdout/below") == errc::not_found);
  CHECK(f.failure("/elsewhere") == errc::not_found);
  CHECK(f.failure("/sandbox") == errc::invalid_argument);
  CHECK(f.failure("") == errc::invalid_argument);
  CHECK(f.failure(std::string("/sandbox/\0stdout", 16)) == errc::invalid_argument);
  CHECK(f.failure("/sandbox/" + std::string(5000, 'x')) == errc::not_found);
  std::string deep = "/sandbox";
  for (int i = 0; i < 5000; ++i) deep += "/logs";
  CHECK(f.failure(deep) == errc::not_found);
}

TEST_CASE("attack: climbing out by name") {
  sandbox_fixture f;
  for (const auto* path : {"/sandbox/../secret", "/sandbox/logs/../../secret", "/..", "/sandbox/..", "../secret",
                           "/sandbox//..//secret"}) {
    INFO(path);
    CHECK(f.failure(path) == errc::invalid_argument);
  }
}

TEST_CASE("attack: links that lead out of a sandbox lead nowhere, links within it work") {
  sandbox_fixture f;
  fs::create_symlink(f.top / "secret", f.sandbox() / "absolute");
  fs::create_symlink("../secret", f.sandbox() / "relative");
  fs::create_symlink("logs/../../secret", f.sandbox() / "winding");
  fs::create_symlink("..", f.sandbox() / "up");
  fs::create_symlink("/", f.sandbox() / "root");
  fs::create_symlink("../../secret", f.sandbox() / "logs/deeper");
  fs::create_symlink("relative", f.sandbox() / "by-another-link");
  for (const auto* name : {"absolute", "relative", "winding", "up", "up/secret", "root", "root/etc/passwd",
                           "logs/deeper", "by-another-link"}) {
    INFO(name);
    CHECK(f.failure(std::string("/sandbox/") + name) == errc::not_found);
    CHECK_FALSE(f.served.browse(std::string("/sandbox/") + name).has_value());
  }
  fs::create_symlink("stdout", f.sandbox() / "latest");
  fs::create_symlink("../stdout", f.sandbox() / "logs/latest");
  fs::create_symlink("logs/old", f.sandbox() / "old");
  fs::create_symlink(".", f.sandbox() / "here");
  CHECK(f.content("/sandbox/latest") == "hello\nworld\n");
  CHECK(f.content("/sandbox/logs/latest") == "hello\nworld\n");
  CHECK(f.served.browse("/sandbox/old")->empty());
  CHECK(f.content("/sandbox/here/here/stdout") == "hello\nworld\n");
}

TEST_CASE("attack: links in circles, and links that grow as they are followed") {
  sandbox_fixture f;
  fs::create_symlink("b", f.sandbox() / "a");
  fs::create_symlink("a", f.sandbox() / "b");
  CHECK(f.failure("/sandbox/a") == errc::not_found);
  fs::create_symlink("grow/grow/grow", f.sandbox() / "grow");
  CHECK(f.failure("/sandbox/grow") == errc::not_found);
}

TEST_CASE("attack: pipes, sockets and devices are not opened, so nobody waits for them") {
  sandbox_fixture f;
  REQUIRE(::mkfifo((f.sandbox() / "pipe").c_str(), 0600) == 0);
  CHECK(f.failure("/sandbox/pipe") == errc::not_found);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (f.sandbox() / "socket").c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(fd, static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) == 0);
  CHECK(f.failure("/sandbox/socket") == errc::not_found);
  ::close(fd);
}

TEST_CASE("attack: a folder that is swapped for a link out while it is read never shows what is outside") {
  sandbox_fixture f;
  fs::create_directories(f.top / "outside");
  sandbox_fixture::write(f.top / "outside/file", "the key");
  fs::create_directories(f.sandbox() / "real");
  sandbox_fixture::write(f.sandbox() / "real/file", "mine");
  fs::create_symlink("../outside", f.sandbox() / "evil");
  fs::rename(f.sandbox() / "real", f.sandbox() / "door");
  std::atomic<bool> done{false};
  std::thread swapper([&] {
    const auto door = (f.sandbox() / "door").string(), evil = (f.sandbox() / "evil").string();
    while (!done) ::renameat2(AT_FDCWD, door.c_str(), AT_FDCWD, evil.c_str(), RENAME_EXCHANGE);
  });
  int mine = 0;
  for (int i = 0; i < 3000; ++i) {
    auto piece = f.served.read("/sandbox/door/file", 0, std::nullopt);
    if (piece && piece->data == "mine") ++mine;
    if (piece) CHECK(piece->data == "mine");
  }
  done = true;
  swapper.join();
  CHECK(mine > 0);
}

TEST_CASE("modes are shown as ls shows them") {
  CHECK(mode_text(S_IFREG | 0644) == "-rw-r--r--");
  CHECK(mode_text(S_IFDIR | 01777) == "drwxrwxrwt");
  CHECK(mode_text(S_IFREG | 04755) == "-rwsr-xr-x");
  CHECK(mode_text(S_IFREG | 02640) == "-rw-r-S---");
  CHECK(mode_text(S_IFLNK | 0777) == "lrwxrwxrwx");
}

}  // namespace troupe
