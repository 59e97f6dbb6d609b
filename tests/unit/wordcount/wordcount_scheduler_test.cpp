#include "frameworks/wordcount/wordcount_scheduler.hpp"
#include "storage/records.hpp"

#include <catch2/catch.hpp>

namespace troupe::wordcount {

namespace {

plan job(unsigned reduces) {
  plan work;
  work.maps = {{{"/a", 1}}};
  work.reduces = reduces;
  return work;
}

std::string finished_map(unsigned reduces) {
  PieceRecord record;
  record.set_task_id("map-0.0");
  record.set_index(0);
  record.set_maps(1);
  record.set_reduces(reduces);
  record.mutable_output()->set_files(1);
  for (unsigned i = 0; i < reduces; ++i) record.mutable_output()->add_paths("/part");
  return encode_record(record);
}

/// The ids of the tasks that it launches on an offer of plenty.
std::vector<std::string> launched_by(wordcount_scheduler& scheduler) {
  v1::Offer offer;
  offer.mutable_id()->set_value("o");
  offer.mutable_agent_id()->set_value("a");
  resources::parse("cpus:10;mem:10000").value().allocated_to("*").add_to(offer.mutable_resources());
  outbox out;
  Envelope head;
  context now;
  step s{head, now, out};
  framework_id framework("f");
  std::optional<monotonic_time> wake;
  std::optional<int> exit_code;
  sdk::calls call(s, framework, wake, exit_code);
  scheduler.on_offers(call, {offer});
  std::vector<std::string> ids;
  for (const auto& letter : out.letters) {
    const auto* accept = dynamic_cast<const v1::scheduler::Call::Accept*>(letter.body.get());
    if (!accept) continue;
    for (const auto& task : accept->operations(0).launch().task_infos()) ids.push_back(task.task_id().value());
  }
  return ids;
}

}  // namespace

TEST_CASE("a job that is resumed goes on from what is done") {
  wordcount_scheduler scheduler(job(2), [](const job_progress&) {});
  scheduler.remember("map-0", finished_map(2));
  CHECK(launched_by(scheduler) == std::vector<std::string>{"reduce-0.0", "reduce-1.0"});
}

TEST_CASE("what a job that was cut otherwise has done is done again, under a new name") {
  wordcount_scheduler scheduler(job(3), [](const job_progress&) {});
  scheduler.remember("map-0", finished_map(2));
  CHECK(launched_by(scheduler) == std::vector<std::string>{"map-0.1"});
}

}  // namespace troupe::wordcount
