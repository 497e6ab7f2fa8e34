#include "cope/base/task_crew.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

namespace cope {
namespace {

const auto kNoPoll = [] {};

void count_up(void* counter) { static_cast<std::atomic<int>*>(counter)->fetch_add(1); }

TEST(TaskCrew, RunsEveryTask) {
  for (int num_threads : {1, 2, 8}) {
    std::atomic<int> count{0};
    TaskCrew crew(num_threads);
    EXPECT_EQ(crew.num_threads(), num_threads);
    for (int i = 0; i < 500; ++i) crew.submit({count_up, &count});
    crew.wait([&count] { return count.load() == 500; }, kNoPoll);
    EXPECT_EQ(count.load(), 500);
  }
}

TEST(TaskCrew, AloneItRunsTasksInTheOwnersThread) {
  struct Log {
    std::thread::id thread;
    std::atomic<bool> done = false;
  } log;
  TaskCrew crew(1);
  crew.submit({[](void* context) {
                 static_cast<Log*>(context)->thread = std::this_thread::get_id();
                 static_cast<Log*>(context)->done = true;
               },
               &log});
  EXPECT_FALSE(log.done);
  crew.wait([&log] { return log.done.load(); }, kNoPoll);
  EXPECT_EQ(log.thread, std::this_thread::get_id());
}

TEST(TaskCrew, NeverUsesMoreThreadsThanItMay) {
  struct Load {
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    std::atomic<int> done{0};
  } load;
  TaskCrew crew(3);
  for (int i = 0; i < 200; ++i) {
    crew.submit({[](void* context) {
                   auto& shared = *static_cast<Load*>(context);
                   const int running = ++shared.running;
                   int most = shared.most.load();
                   while (running > most && !shared.most.compare_exchange_weak(most, running)) {
                   }
                   std::this_thread::yield();
                   --shared.running;
                   ++shared.done;
                 },
                 &load});
  }
  crew.wait([&load] { return load.done.load() == 200; }, kNoPoll);
  EXPECT_LE(load.most.load(), 3);
}

// Two tasks that wait for each other run although the second comes when the first has begun.
TEST(TaskCrew, AsksForAThreadWhileOthersAreBusy) {
  if (ThreadPool::shared().num_threads() < 2) GTEST_SKIP() << "one CPU";
  struct Pair {
    std::latch first{1};
    std::latch second{1};
    std::atomic<int> done{0};
  } pair;
  TaskCrew crew(2);
  crew.submit({[](void* context) {
                 auto& self = *static_cast<Pair*>(context);
                 self.first.count_down();
                 self.second.wait();
                 ++self.done;
               },
               &pair});
  pair.first.wait();
  crew.submit({[](void* context) {
                 auto& self = *static_cast<Pair*>(context);
                 self.second.count_down();
                 ++self.done;
               },
               &pair});
  crew.wait([&pair] { return pair.done.load() == 2; }, kNoPoll);
  EXPECT_EQ(pair.done.load(), 2);
}

// A crew whose work never ends leaves room for others.
TEST(TaskCrew, CrewsTakeTurns) {
  struct Endless {
    TaskCrew crew{8};
    static void step(void* context) {
      static_cast<Endless*>(context)->crew.submit({step, context});
    }
  } endless;
  for (int i = 0; i < 32; ++i) endless.crew.submit({Endless::step, &endless});
  std::atomic<int> count{0};
  TaskCrew crew(2);
  for (int i = 0; i < 20; ++i) crew.submit({count_up, &count});
  crew.wait([&count] { return count.load() == 20; }, kNoPoll);
  EXPECT_EQ(count.load(), 20);
  EXPECT_LE(endless.crew.fair_share(), 8);
  endless.crew.clear();
}

TEST(TaskCrew, SharesThreadsWithThoseAtWork) {
  const auto wait_for = [](void* latch) { static_cast<std::latch*>(latch)->wait(); };
  std::latch go(1);
  TaskCrew crew(64);
  const int num_threads = ThreadPool::shared().num_threads();
  EXPECT_EQ(crew.fair_share(), std::min(64, num_threads));
  TaskCrew first(2);
  TaskCrew second(2);
  first.submit({wait_for, &go});
  second.submit({wait_for, &go});
  EXPECT_EQ(crew.fair_share(), std::max(1, num_threads / 2));
  go.count_down();
  first.clear();
  second.clear();
  EXPECT_EQ(crew.fair_share(), std::min(64, num_threads));
}

TEST(TaskCrew, ClearDropsWhatHasNotBegun) {
  std::atomic<int> count{0};
  {
    TaskCrew crew(1);
    for (int i = 0; i < 10; ++i) crew.submit({count_up, &count});
    crew.clear();
    crew.submit({count_up, &count});
  }
  EXPECT_EQ(count.load(), 0);
}

TEST(TaskCrew, WaitsForWhatHasBegunBeforeItEnds) {
  struct Slow {
    std::latch begun{1};
    std::latch go{1};
    std::atomic<bool> done = false;
  } slow;
  std::thread opener;
  {
    TaskCrew crew(2);
    crew.submit({[](void* context) {
                   auto& self = *static_cast<Slow*>(context);
                   self.begun.count_down();
                   self.go.wait();
                   self.done = true;
                 },
                 &slow});
    slow.begun.wait();
    opener = std::thread([&slow] { slow.go.count_down(); });
  }
  EXPECT_TRUE(slow.done);
  opener.join();
}

TEST(TaskCrew, TasksMaySubmitTasks) {
  for (int num_threads : {1, 3}) {
    struct Chain {
      TaskCrew crew;
      std::atomic<int> left{100};
      static void step(void* context) {
        auto& chain = *static_cast<Chain*>(context);
        if (--chain.left > 0) chain.crew.submit({step, context});
      }
      explicit Chain(int n) : crew(n) {}
    } chain(num_threads);
    chain.crew.submit({Chain::step, &chain});
    chain.crew.wait([&chain] { return chain.left.load() == 0; }, kNoPoll);
    chain.left = 1 << 30;  // without end
    chain.crew.submit({Chain::step, &chain});
    chain.crew.clear();
  }
}

TEST(TaskCrew, APollThatThrowsLeavesTheTasks) {
  std::atomic<int> count{0};
  TaskCrew crew(1);
  for (int i = 0; i < 3; ++i) crew.submit({count_up, &count});
  const auto all_done = [&count] { return count.load() == 3; };
  EXPECT_THROW(crew.wait(all_done, [] { throw std::runtime_error("stop"); }), std::runtime_error);
  EXPECT_EQ(count.load(), 1);
  crew.wait(all_done, kNoPoll);
  EXPECT_EQ(count.load(), 3);
}

}  // namespace
}  // namespace cope
