#include "tests/crash/faulty_disk.hpp"

#include "tests/unit/storage/scratch_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

using namespace troupe::test;

namespace {

namespace fs = std::filesystem;
using kind = disk_step::kind;

struct on_disk : scratch_folder {
  std::string at(const std::string& name) const { return (path() / name).string(); }

  std::unique_ptr<leveldb::WritableFile> make(faulty_disk& disk, const std::string& name) const {
    leveldb::WritableFile* out = nullptr;
    REQUIRE(disk.NewWritableFile(at(name), &out).ok());
    return std::unique_ptr<leveldb::WritableFile>(out);
  }
  std::string read(const std::string& name) const {
    std::ifstream in(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

}  // namespace

TEST_CASE_METHOD(on_disk, "after a power cut there are the bytes and names that were synced, and no others") {
  faulty_disk disk(path());
  auto kept = make(disk, "kept");
  auto unnamed = make(disk, "unnamed");
  REQUIRE(kept->Append("durable").ok());
  REQUIRE(kept->Sync().ok());
  REQUIRE(disk.SyncDir(path().string()).ok());
  REQUIRE(kept->Append(" and not").ok());
  auto later = make(disk, "later");
  REQUIRE(later->Append("x").ok());
  REQUIRE(later->Sync().ok());
  CHECK(read("kept") == "durable and not");
  disk.restore_after_power_cut();
  CHECK(read("kept") == "durable");
  CHECK(read("unnamed").empty());
  CHECK(fs::exists(at("unnamed")));
  CHECK_FALSE(fs::exists(at("later")));
}

TEST_CASE_METHOD(on_disk,
                 "a file that was removed or renamed is back after a power cut, unless the folder was synced") {
  const bool synced = GENERATE(false, true);
  std::ofstream(at("a")) << "a";
  std::ofstream(at("b")) << "b";
  faulty_disk disk(path());
  REQUIRE(disk.RemoveFile(at("a")).ok());
  REQUIRE(disk.RenameFile(at("b"), at("c")).ok());
  if (synced) REQUIRE(disk.SyncDir(path().string()).ok());
  disk.restore_after_power_cut();
  CHECK(fs::exists(at("a")) == !synced);
  CHECK(fs::exists(at("b")) == !synced);
  CHECK(read("c") == (synced ? "b" : ""));
}

TEST_CASE_METHOD(on_disk, "a torn append leaves a part of itself, and everything fails from then on") {
  faulty_disk disk(path());
  auto file = make(disk, "file");
  REQUIRE(file->Append("0123").ok());
  const auto fault =
      GENERATE(disk_fault::cut_torn_one_byte, disk_fault::cut_torn_half, disk_fault::cut_torn_all_but_one);
  disk.inject(disk.steps().size(), fault);
  CHECK_FALSE(file->Append("456789").ok());
  CHECK(disk.is_cut());
  CHECK_FALSE(file->Append("more").ok());
  CHECK_FALSE(file->Sync().ok());
  CHECK_FALSE(disk.RenameFile(at("file"), at("other")).ok());
  disk.restore_after_power_cut();
  CHECK(read("file") == (fault == disk_fault::cut_torn_one_byte ? "01234"
                         : fault == disk_fault::cut_torn_half   ? "0123456"
                                                                : "012345678"));
}

TEST_CASE_METHOD(on_disk, "what a failed sync should have made durable never is, though it can be read") {
  faulty_disk disk(path());
  auto file = make(disk, "file");
  REQUIRE(disk.SyncDir(path().string()).ok());
  REQUIRE(file->Append("a").ok());
  REQUIRE(file->Sync().ok());
  REQUIRE(file->Append("b").ok());
  disk.inject(disk.steps().size(), disk_fault::sync_error);
  CHECK_FALSE(file->Sync().ok());
  CHECK(read("file") == "ab");
  REQUIRE(file->Append("c").ok());
  CHECK(file->Sync().ok());
  disk.restore_after_power_cut();
  CHECK(read("file") == "a");
}

TEST_CASE_METHOD(on_disk, "a full disk takes half of an append, and then nothing that needs space") {
  faulty_disk disk(path());
  auto file = make(disk, "file");
  disk.inject(disk.steps().size(), disk_fault::full);
  const auto refused = file->Append("0123");
  CHECK(refused.ToString().find("No space left on device") != std::string::npos);
  CHECK_FALSE(file->Append("4").ok());
  CHECK(file->Sync().ok());
  CHECK(disk.RemoveFile(at("file")).ok());
}

TEST_CASE_METHOD(on_disk, "steps are told in order, with the folder's sync before that of a MANIFEST") {
  faulty_disk disk(path());
  auto file = make(disk, "MANIFEST-000001");
  REQUIRE(file->Append("x").ok());
  REQUIRE(file->Sync().ok());
  std::vector<std::string> told;
  for (const auto& each : disk.steps()) told.push_back(to_string(each));
  CHECK(told == std::vector<std::string>{"make_file MANIFEST-000001", "append MANIFEST-000001 1", "sync_folder .",
                                         "sync MANIFEST-000001"});
}
