#include "tools/journal_command.hpp"

#include "storage/journal_inspection.hpp"
#include "tools/journal_view.hpp"
#include "tools/master_client.hpp"

#include <iostream>
#include <memory>

namespace troupe {

namespace {

struct journal_flags {
  std::string path, key;
  bool json = false;
};

int list(const journal_flags& given) {
  const auto journal = inspect_journal(given.path);
  if (!journal) return fail(journal.error());
  if (given.json) {
    std::cout << journal_view::summary_json(*journal) << '\n';
  } else {
    journal_view::print_tree(*journal, std::cout);
  }
  if (!journal->findings.empty())
    std::cerr << "warning: this journal is damaged; `troupe journal check " << given.path << "` says where\n";
  return 0;
}

int get(const journal_flags& given) {
  const auto journal = inspect_journal(given.path);
  if (!journal) return fail(journal.error());
  const auto* record = journal->find(given.key);
  if (record == nullptr)
    return fail({errc::not_found, "there is no record " + given.key + " in " + journal->folder.string() +
                                      "; `troupe journal ls " + given.path + "` lists them"});
  if (given.json) {
    std::cout << journal_view::record_json(*record) << '\n';
  } else {
    journal_view::print_record(*record, std::cout);
  }
  return record->problem ? 1 : 0;
}

int check(const journal_flags& given) {
  const auto journal = inspect_journal(given.path);
  if (!journal) return fail(journal.error());
  if (given.json) {
    std::cout << journal_view::findings_json(*journal) << '\n';
  } else {
    journal_view::print_findings(*journal, std::cout);
  }
  return journal->findings.empty() ? 0 : 1;
}

int export_all(const journal_flags& given) {
  const auto journal = inspect_journal(given.path);
  if (!journal) return fail(journal.error());
  for (const auto& record : journal->records) std::cout << journal_view::record_json(record) << '\n';
  for (const auto& each : journal->findings)
    std::cerr << "warning: " << to_string(each.is) << ' ' << each.where << ": " << each.what << '\n';
  return std::cout.flush() ? 0 : fail({errc::io, "cannot write the records"});
}

using action = int (*)(const journal_flags&);

CLI::App* add(CLI::App& journal, const char* name, const char* help, bool has_json, action run, int& exit_code) {
  auto* command = journal.add_subcommand(name, help);
  auto given = std::make_shared<journal_flags>();
  command
      ->add_option("path", given->path,
                   "The work folder of a master or agent, a framework's state folder, or LevelDB's folder in it")
      ->required();
  if (std::string(name) == "get")
    command->add_option("key", given->key, "The record's key, as `troupe journal ls --json` shows it")->required();
  if (has_json) command->add_flag("--json", given->json, "Print JSON");
  command->callback([given, run, &exit_code] { exit_code = run(*given); });
  return command;
}

}  // namespace

void add_journal_command(CLI::App& app, int& exit_code) {
  auto* journal = app.add_subcommand("journal", "What a daemon remembers, read from its files without it");
  journal->require_subcommand(1);
  add(*journal, "ls", "The tree of keys, with the types and bytes of the records", true, list, exit_code)
      ->footer("example: troupe journal ls /var/lib/troupe/agent");
  add(*journal, "get", "One record, decoded; exit code 1 if it is damaged", true, get, exit_code)
      ->footer("example: troupe journal get /var/lib/troupe/agent agent/self --json");
  add(*journal, "check", "Every damaged or missing file, block and record; exit code 0 if there is none, 1 if there is",
      true, check, exit_code)
      ->footer("example: troupe journal check /var/lib/troupe/master || echo damaged");
  add(*journal, "export", "All records, one line of JSON each", false, export_all, exit_code)
      ->footer("example: troupe journal export /var/lib/troupe/master | jq -r .key");
  journal->footer(
      "The files are read as they are and never changed, not even repaired; that takes no more than the right to read "
      "them.\nThe daemon may be running. What is shown then is its state after one commit, none older than the last "
      "that was\nanswered before the command began.\n\n"
      "examples: troupe journal ls /var/lib/troupe/agent\n"
      "          troupe journal check /var/lib/troupe/master\n"
      "exit codes: 0 done, 1 damaged or failed, 2 the command line or the path was wrong");
}

}  // namespace troupe
