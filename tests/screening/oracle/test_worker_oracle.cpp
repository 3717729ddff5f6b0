#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "tamiz/core/base/descriptor.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/screening/oracle/worker_oracle.hpp"

namespace tamiz {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

const std::string k_script = std::string(TAMIZ_TEST_DATA) + "/screening/oracle/workers/odd_worker.py";

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

Structure silicon(double a = 5.43) {
  Mat3 cell;
  cell << 0, a / 2, a / 2, a / 2, 0, a / 2, a / 2, a / 2, 0;
  Coordinates positions(2, 3);
  positions << 0, 0, 0, a / 4, a / 4, a / 4;
  return {Lattice(cell), k_periodic, {Element(14), Element(14)}, Cartesian{positions}};
}

LabelRequest request(const std::string& mode, double timeout = 20.0) {
  return {.id = "x/" + mode, .structure = silicon(), .task = LabelTask::single_point, .level = "odd",
          .settings = R"({"mode":")" + mode + "\"}", .timeout = timeout};
}

/// Child processes of this one that are still there, zombies included.
std::vector<pid_t> children() {
  std::vector<pid_t> pids;
  for (const auto& entry : fs::directory_iterator("/proc/self/task")) {
    std::ifstream file(entry.path() / "children");
    for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  }
  return pids;
}

int n_children() { return static_cast<int>(children().size()); }

std::map<std::int64_t, LabelResult> collect(Oracle& oracle, std::size_t n, double limit = 60.0) {
  std::map<std::int64_t, LabelResult> results;
  const auto begin = Clock::now();
  while (results.size() < n && seconds_since(begin) < limit)
    for (auto& [ticket, result] : oracle.poll(1.0)) EXPECT_TRUE(results.emplace(ticket, result).second) << "given twice";
  EXPECT_EQ(results.size(), n);
  return results;
}

class WorkerOracles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    scratch = fs::temp_directory_path() / ("tamiz-worker-" + std::string(test->name()) + "-" + std::to_string(::getpid()));
  }
  void TearDown() override {
    EXPECT_EQ(n_children(), 0) << "a worker or a zombie was left";
    fs::remove_all(scratch);
  }

  std::unique_ptr<WorkerOracle> start(int n_workers = 1, const std::string& how = "well", double timeout = 30.0) const {
    return std::make_unique<WorkerOracle>("odd", std::vector<std::string>{TAMIZ_PYTHON, k_script, how}, n_workers, scratch,
                                          timeout);
  }
  std::string start_error(const std::string& how, double timeout = 30.0) const {
    try {
      start(1, how, timeout);
    } catch (const OracleError& error) {
      return error.what();
    }
    return {};
  }
  /// The answer to a mode, and that the oracle still works after it.
  LabelResult answer_to(const std::string& mode, double timeout = 20.0) const {
    const auto oracle = start();
    const auto odd = oracle->submit(request(mode, timeout)), well = oracle->submit(request("well"));
    const auto results = collect(*oracle, 2);
    EXPECT_EQ(results.at(well).status, LabelStatus::finished) << results.at(well).reason;
    return results.at(odd);
  }

  fs::path scratch;
};

TEST_F(WorkerOracles, keep_out_of_a_folder_where_an_earlier_worker_is_still_at_work) {
  fs::create_directories(scratch / "worker-0");
  const Descriptor held(scratch / "worker-0" / ".lock", O_RDWR | O_CREAT);
  ASSERT_TRUE(lock_file(held.get(), scratch));
  const auto oracle = start();
  EXPECT_FALSE(fs::exists(scratch / "worker-0" / "stderr.txt"));
  EXPECT_TRUE(fs::exists(scratch / "worker-0-2" / "stderr.txt"));
}

TEST_F(WorkerOracles, hold_their_folder_themselves) {
  const auto oracle = start();
  const Descriptor late(scratch / "worker-0" / ".lock", O_RDWR);
  EXPECT_FALSE(lock_file(late.get(), scratch));
}

TEST_F(WorkerOracles, gives_the_labels_that_the_worker_sent) {
  const auto oracle = start();
  const LabelRequest asked = request("two_lines_at_once");

  const auto ticket = oracle->submit(asked);
  const LabelResult result = collect(*oracle, 1).at(ticket);

  EXPECT_EQ(result.id, asked.id);
  EXPECT_EQ(result.key, asked.key());
  EXPECT_EQ(result.status, LabelStatus::finished) << result.reason;
  EXPECT_EQ(result.frame->labels.energy, -1.5);
  EXPECT_FALSE(result.frame->labels.stress);
  EXPECT_EQ(result.frame->structure.content_hash(), silicon().content_hash()) << "the geometry came back altered";
  EXPECT_EQ(result.cost, 0.25);
  EXPECT_TRUE(result.trajectory.empty()) << "the last step is the frame of the result";
  const auto properties = nlohmann::json::parse(result.properties);
  EXPECT_EQ(properties.at("oracle"), "odd");
  EXPECT_EQ(properties.at("version"), "0.9");
}

TEST_F(WorkerOracles, keep_the_reason_and_the_cost_of_a_failure) {
  const LabelResult result = answer_to("fails");

  EXPECT_EQ(result.status, LabelStatus::failed);
  EXPECT_EQ(result.reason, "did not converge");
  EXPECT_EQ(result.cost, 2.5);
  EXPECT_EQ(nlohmann::json::parse(result.properties).at("steps"), 7);
}

TEST_F(WorkerOracles, a_dead_worker_fails_its_request_alone) {
  const LabelResult killed = answer_to("dies"), left = answer_to("exits");

  EXPECT_EQ(killed.status, LabelStatus::failed);
  EXPECT_EQ(killed.reason, "worker died (signal 9), killed from outside, often for lack of memory: out of memory, or so");
  EXPECT_TRUE(left.reason.starts_with("worker died (exit code 3)")) << left.reason;
}

TEST_F(WorkerOracles, signals_to_the_whole_job_leave_workers_alone) {
  EXPECT_EQ(answer_to("is_told_to_stop").status, LabelStatus::finished);
}

TEST_F(WorkerOracles, what_a_dead_worker_used_and_found_is_kept) {
  const LabelResult result = answer_to("dies_after_step");

  EXPECT_EQ(result.status, LabelStatus::failed);
  ASSERT_EQ(result.trajectory.size(), 1U);
  EXPECT_EQ(result.trajectory[0].labels.energy, -1.5);
  EXPECT_GE(result.cost, 0.28);
  EXPECT_LT(result.cost, 2.0);
}

TEST_F(WorkerOracles, a_dead_worker_is_noticed_though_its_child_keeps_the_pipe_open) {
  const auto begin = Clock::now();

  const LabelResult result = answer_to("leaves_a_child");

  EXPECT_TRUE(result.reason.starts_with("worker died (exit code 4)")) << result.reason;
  EXPECT_LT(seconds_since(begin), 15.0);
}

TEST_F(WorkerOracles, a_label_that_had_to_wait_is_not_lost) {
  LabelRequest waits = request("well", 0.5);
  waits.settings = R"({"mode":"well","sleep":1.5})";
  const auto oracle = start();

  const auto ticket = oracle->submit(waits);
  const LabelResult result = collect(*oracle, 1).at(ticket);

  EXPECT_EQ(result.status, LabelStatus::finished) << result.reason;
}

TEST_F(WorkerOracles, a_worker_that_only_waits_ends_on_the_clock) {
  LabelRequest waits = request("well", 0.2);
  waits.settings = R"({"mode":"well","sleep":1000.0})";
  const auto oracle = start();

  const auto ticket = oracle->submit(waits);
  const LabelResult result = collect(*oracle, 1).at(ticket);

  EXPECT_EQ(result.status, LabelStatus::timed_out);
  EXPECT_TRUE(result.reason.starts_with("timed out after 2 s on the clock")) << result.reason;
}

TEST_F(WorkerOracles, a_hanging_worker_is_killed_at_its_timeout) {
  const auto begin = Clock::now();

  const LabelResult result = answer_to("hangs", 1.0);

  EXPECT_EQ(result.status, LabelStatus::timed_out);
  // A machine that is shared by more than ten gives it less than a tenth of a core, and the clock ends it.
  EXPECT_TRUE(result.reason.starts_with("timed out after 1")) << result.reason;
  EXPECT_GE(result.cost, 0.1) << "its CPU time counts";
  EXPECT_LE(result.cost, 3.0);
  EXPECT_EQ(result.trajectory.size(), 1U);
  EXPECT_LT(seconds_since(begin), 15.0);
}

TEST_F(WorkerOracles, programs_that_a_worker_runs_end_with_it_and_are_paid) {
  const LabelResult result = answer_to("hangs_in_child", 1.5);

  EXPECT_EQ(result.status, LabelStatus::timed_out);
  EXPECT_GE(result.cost, 0.1) << "the child's CPU time counts";
}

TEST_F(WorkerOracles, whatever_breaks_the_protocol_fails_the_request) {
  for (const std::string mode : {"garbage", "not_text", "nan", "huge_number", "other_id", "odd_state"}) {
    const LabelResult result = answer_to(mode);
    EXPECT_EQ(result.status, LabelStatus::failed) << mode;
    EXPECT_TRUE(result.reason.starts_with("worker broke the protocol: expected ")) << mode << ": " << result.reason;
  }
}

TEST_F(WorkerOracles, an_unusable_result_fails_with_its_reason) {
  const std::map<std::string, std::string> reasons{
      {"shape", "unusable result: forces: expected an array of shape (2, 3)"},
      {"other_atoms", "unusable result: the frame has other atoms than the request, or another order"},
      {"flat_cell", "unusable result: "},
      {"no_energy", "unusable result: an energy was asked for, but the frame has none"},
      {"no_frame", "unusable result: member frame is missing"},
      {"odd_status", "unusable result: status: expected finished or failed, got \"maybe\""},
      {"gap_of_nothing", "unusable result: property gap: expected a number"},
      {"mesh_of_numbers", "unusable result: property mesh: expected a text"},
      {"types", "unusable result: properties: expected an object"}};

  for (const auto& [mode, reason] : reasons) {
    const LabelResult result = answer_to(mode);
    EXPECT_EQ(result.status, LabelStatus::failed) << mode;
    EXPECT_TRUE(result.reason.starts_with(reason)) << mode << ": " << result.reason;
    EXPECT_FALSE(result.frame) << mode;
    EXPECT_GE(result.cost, 0.0) << mode;
  }
}

TEST_F(WorkerOracles, a_worker_that_died_while_it_was_idle_costs_no_label) {
  const auto oracle = start();
  oracle->submit(request("well"));
  collect(*oracle, 1);
  for (const pid_t pid : children()) {
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    siginfo_t ended;
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT), 0);
  }

  const auto ticket = oracle->submit(request("well"));

  const LabelResult result = collect(*oracle, 1).at(ticket);
  EXPECT_EQ(result.status, LabelStatus::finished) << result.reason;
}

TEST_F(WorkerOracles, a_timeout_may_be_for_ever) {
  EXPECT_EQ(answer_to("well", 1e18).status, LabelStatus::finished);
}

TEST_F(WorkerOracles, lines_may_come_in_pieces) {
  EXPECT_EQ(answer_to("pieces").status, LabelStatus::finished);
}

TEST_F(WorkerOracles, cpu_time_is_measured_where_the_worker_does_not_say) {
  const LabelResult result = answer_to("no_cost");

  EXPECT_GE(result.cost, 0.25);
  EXPECT_LT(result.cost, 2.0);
}

TEST_F(WorkerOracles, messages_of_megabytes_pass_both_ways) {
  Coordinates positions = Coordinates::Random(40000, 3) * 100.0;
  const Structure large(Lattice(Mat3::Identity() * 500.0), k_periodic, std::vector<Element>(40000, Element(6)),
                        Cartesian{positions});
  LabelRequest asked = request("well");
  asked.structure = large;
  const auto oracle = start(2);

  oracle->submit(asked);
  oracle->submit(asked);

  for (const auto& [ticket, result] : collect(*oracle, 2)) {
    ASSERT_EQ(result.status, LabelStatus::finished) << result.reason;
    EXPECT_EQ(result.frame->structure.content_hash(), large.content_hash());
  }
}

TEST_F(WorkerOracles, requests_run_side_by_side_in_workers_of_one_thread) {
  const auto oracle = start(2);
  LabelRequest slow = request("well");
  slow.settings = R"({"sleep":0.5})";

  for (int k = 0; k < 4; ++k) oracle->submit(slow);
  const auto environment = oracle->submit(request("environment"));
  auto results = collect(*oracle, 5);

  EXPECT_EQ(oracle->n_workers(), 2);
  const auto threads = nlohmann::json::parse(results.at(environment).properties);
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) EXPECT_EQ(threads.at(name), "1");
  results.erase(environment);
  std::set<int> workers;
  for (const auto& [ticket, result] : results) workers.insert(nlohmann::json::parse(result.properties).at("pid").get<int>());
  EXPECT_EQ(workers.size(), 2U);
}

TEST_F(WorkerOracles, cancelling_ends_what_runs_and_what_waits) {
  const auto oracle = start();
  const auto running = oracle->submit(request("hangs", 0.0)), waiting = oracle->submit(request("hangs", 0.0));
  const auto begin = Clock::now();
  while (oracle->running_costs().empty() || oracle->running_costs()[0].second < 0.2) {
    ASSERT_TRUE(oracle->poll(0.1).empty());
    ASSERT_LT(seconds_since(begin), 30.0);
  }

  oracle->cancel(running);
  oracle->cancel(waiting);
  oracle->cancel(12345);
  const auto results = collect(*oracle, 2);

  EXPECT_EQ(results.at(running).status, LabelStatus::cancelled);
  EXPECT_GE(results.at(running).cost, 0.2) << "what was spent counts";
  EXPECT_EQ(results.at(waiting).status, LabelStatus::cancelled);
  EXPECT_EQ(results.at(waiting).cost, 0.0);
  EXPECT_TRUE(oracle->poll(0.0).empty());
  EXPECT_EQ(n_children(), 0) << "nothing is left to do, so no worker was started again";
}

TEST_F(WorkerOracles, a_label_goes_on_from_the_state_that_the_last_attempt_left) {
  const auto oracle = start();
  LabelRequest asked = request("keeps_a_state", 0.0);
  const auto begin = Clock::now();

  for (int attempt = 1; attempt < 3; ++attempt) {
    const auto ticket = oracle->submit(asked);
    std::vector<std::pair<std::int64_t, std::string>> states;
    while (states.empty() && seconds_since(begin) < 30.0) {
      oracle->poll(0.1);
      states = oracle->new_states();
    }
    ASSERT_EQ(states.size(), 1U);
    EXPECT_EQ(states[0].first, ticket);
    EXPECT_EQ(nlohmann::json::parse(states[0].second), nlohmann::json({{"number", attempt}}));
    EXPECT_TRUE(oracle->new_states().empty()) << "each is said once";
    asked.state = states[0].second;
    oracle->cancel(ticket);
    collect(*oracle, 1);
  }
  const auto ticket = oracle->submit(asked);
  const LabelResult result = collect(*oracle, 1).at(ticket);

  EXPECT_EQ(nlohmann::json::parse(result.properties).at("number"), 3);
  EXPECT_TRUE(oracle->new_states().empty()) << "a label that is done needs none";
  EXPECT_EQ(result.key, request("keeps_a_state").key()) << "the state is no part of what is asked for";
}

TEST_F(WorkerOracles, polling_with_nothing_to_wait_for_returns_at_once) {
  const auto oracle = start();
  const auto begin = Clock::now();

  EXPECT_TRUE(oracle->poll(10.0).empty());

  EXPECT_LT(seconds_since(begin), 2.0);
}

TEST_F(WorkerOracles, leaving_with_work_under_way_leaves_no_process) {
  const auto begin = Clock::now();
  {
    const auto oracle = start(2);
    for (int k = 0; k < 5; ++k) oracle->submit(request("hangs", 0.0));
    oracle->poll(0.3);
  }

  EXPECT_EQ(n_children(), 0);
  EXPECT_LT(seconds_since(begin), 10.0);
}

TEST_F(WorkerOracles, say_why_a_worker_does_not_start) {
  EXPECT_NE(start_error("dies").find("the licence server does not answer"), std::string::npos) << start_error("dies");
  EXPECT_EQ(start_error("silent", 0.3).find("licence"), std::string::npos) << "an earlier worker's last words";
  EXPECT_NE(start_error("silent", 0.5).find("no greeting within 0.5 s"), std::string::npos) << start_error("silent", 0.5);
  EXPECT_NE(start_error("other_protocol").find("expected protocol 1, the worker speaks 2"), std::string::npos);
  EXPECT_NE(start_error("chatty").find("got \"Welcome to this code\""), std::string::npos) << start_error("chatty");
  EXPECT_THROW(WorkerOracle("x", {"/no/such/program"}, 1, scratch), OracleError);
  EXPECT_THROW(WorkerOracle("x", {}, 1, scratch), OracleError);
  EXPECT_THROW(make_command_oracle({}, 1, scratch), OracleError);
}

// The first start is well; after the death of that worker, no other one comes up.
TEST_F(WorkerOracles, give_up_when_no_worker_starts_any_more) {
  fs::create_directories(scratch);
  const fs::path flag = scratch / "started", script = scratch / "once.sh";
  std::ofstream(script) << "if [ -e " << flag << " ]; then echo no more licences >&2; exit 1; fi\ntouch " << flag << "\nexec "
                        << TAMIZ_PYTHON << " " << k_script << " well\n";
  WorkerOracle oracle("once", {"/bin/sh", script.string()}, 1, scratch);
  oracle.submit(request("dies"));
  oracle.submit(request("well"));

  const auto results = collect(oracle, 1);
  const auto wait_for_more = [&] {
    for (int k = 0; k < 100; ++k) oracle.poll(0.2);
  };

  EXPECT_EQ(results.begin()->second.status, LabelStatus::failed);
  try {
    wait_for_more();
    FAIL() << "it went on without a worker";
  } catch (const OracleError& error) {
    EXPECT_NE(std::string(error.what()).find("no more licences"), std::string::npos) << error.what();
  }
}

TEST_F(WorkerOracles, refuse_settings_that_are_no_object) {
  const auto oracle = start();
  LabelRequest asked = request("well");
  asked.settings = "[1, 2";

  EXPECT_THROW(oracle->submit(asked), FormatError);
}

// Workers must not go on for hours after the program that wanted their answers was killed.
TEST_F(WorkerOracles, end_with_the_program_that_started_them) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TAMIZ_PYTHON", TAMIZ_PYTHON, 1);
    ::setenv("PYTHONPATH", fs::path(k_script).parent_path().c_str(), 1);
    const auto oracle = make_ase_oracle("odd_calculator:Endless", 1, scratch);
    oracle->submit(request("well", 0.0));
    while (oracle->running_costs().empty() || oracle->running_costs()[0].second < 0.3) oracle->poll(0.1);
    std::ifstream file("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    int worker = 0;
    file >> worker;
    if (::write(pipe[1], &worker, sizeof worker) != sizeof worker) ::_exit(1);
    ::pause();
  }
  int worker = 0;
  ASSERT_EQ(::read(pipe[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  ASSERT_EQ(::kill(worker, 0), 0);

  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);

  const auto begin = Clock::now();
  const auto runs = [&] {
    std::ifstream file("/proc/" + std::to_string(worker) + "/stat");
    std::string text;
    std::getline(file, text);
    return !text.empty() && text[text.rfind(')') + 2] != 'Z';
  };
  while (runs() && seconds_since(begin) < 10.0) ::usleep(50000);
  EXPECT_FALSE(runs());
}

}  // namespace
}  // namespace tamiz
