#include "cope/base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "cope/base/cpu_count.h"

namespace cope {
namespace {

void count_up(void* counter) { static_cast<std::atomic<int>*>(counter)->fetch_add(1); }

TEST(ThreadPool, RunsEveryTaskBeforeItEnds) {
  std::atomic<int> count{0};
  {
    ThreadPool pool(3);
    EXPECT_EQ(pool.num_threads(), 3);
    for (int i = 0; i < 1000; ++i) pool.submit({count_up, &count});
  }
  EXPECT_EQ(count.load(), 1000);
}

struct Ordered {
  std::array<int, 300>* log;
  int* next;
  int value;
};

void append(void* context) {
  auto* task = static_cast<Ordered*>(context);
  (*task->log)[static_cast<std::size_t>((*task->next)++)] = task->value;
}

TEST(ThreadPool, OneThreadRunsInOrderWhileTheQueueGrows) {
  std::array<int, 300> log{};
  int next = 0;
  std::array<Ordered, 300> tasks;
  std::latch gate(1);
  {
    ThreadPool pool(1);
    pool.submit({[](void* latch) { static_cast<std::latch*>(latch)->wait(); }, &gate});
    for (int i = 0; i < 300; ++i) {  // more than the queue's first size, all waiting
      tasks[static_cast<std::size_t>(i)] = {&log, &next, i};
      pool.submit({append, &tasks[static_cast<std::size_t>(i)]});
    }
    gate.count_down();
  }
  ASSERT_EQ(next, 300);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(log[static_cast<std::size_t>(i)], i);
}

// Tasks and visitors share the places: never more than there are, and everyone's turn comes.
TEST(ThreadPool, CallersThreadsCountLikeItsOwn) {
  struct Load {
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    std::atomic<int> done{0};

    static void run(void* context) {
      auto& load = *static_cast<Load*>(context);
      const int running = ++load.running;
      int most = load.most.load();
      while (running > most && !load.most.compare_exchange_weak(most, running)) {
      }
      std::this_thread::yield();
      --load.running;
      ++load.done;
    }
  } load;
  for (const int num_places : {1, 3}) {
    load.most = 0;
    load.done = 0;
    {
      ThreadPool pool(num_places);
      std::vector<std::thread> callers;
      for (int i = 0; i < 8; ++i) {
        callers.emplace_back([&pool, &load] {
          for (int n = 0; n < 50; ++n) {
            pool.run_here({Load::run, &load});
            pool.submit({Load::run, &load});
          }
        });
      }
      for (std::thread& caller : callers) caller.join();
    }
    EXPECT_EQ(load.done.load(), 800);
    EXPECT_LE(load.most.load(), num_places);
  }
}

TEST(ThreadPool, RunsHereInTheCallersThread) {
  ThreadPool pool(2);
  std::thread::id thread;
  pool.run_here(
      {[](void* id) { *static_cast<std::thread::id*>(id) = std::this_thread::get_id(); }, &thread});
  EXPECT_EQ(thread, std::this_thread::get_id());
}

TEST(TaskRing, PutsFirstWhatIsUrgent) {
  TaskRing ring;
  std::array<int, 200> values{};
  for (std::size_t i = 0; i < 100; ++i) {  // grows on the way
    ring.push({nullptr, &values[100 + i]});
    ring.push_front({nullptr, &values[99 - i]});
  }
  for (int& value : values) EXPECT_EQ(ring.pop().context, &value);
  EXPECT_TRUE(ring.empty());
}

TEST(ThreadPool, AForkedChildGetsItsOwn) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer has no threads in a forked child";
#endif
  std::atomic<int> count{0};
  std::latch done(1);
  struct Both {
    std::atomic<int>* count;
    std::latch* done;
  } both{&count, &done};
  const auto run = [](void* context) {
    static_cast<Both*>(context)->count->fetch_add(1);
    static_cast<Both*>(context)->done->count_down();
  };
  ThreadPool* const parent_pool = &ThreadPool::shared();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(10);  // a child that waits for threads which it does not have must not hang the test
    ThreadPool::shared().submit({run, &both});
    done.wait();
    _exit(&ThreadPool::shared() != parent_pool && count.load() == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(&ThreadPool::shared(), parent_pool);
}

class CpuCount : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / ("cope_cgroup_" + std::to_string(getpid()));
    std::filesystem::remove_all(root_);
  }
  void TearDown() override {
    std::filesystem::remove_all(root_);
    unsetenv("COPE_NUM_THREADS");
  }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << '\n';
  }
  std::optional<int> limit(const std::string& self) {
    return cgroup_cpu_limit(root_.string(), self);
  }
  std::filesystem::path root_;
};

TEST_F(CpuCount, VersionTwoTakesTheTightestAncestor) {
  write("cpu.max", "max 100000");
  write("a/cpu.max", "150000 100000");
  write("a/b/cpu.max", "800000 100000");
  EXPECT_EQ(limit("0::/a/b\n"), 2);  // 1.5 CPUs, rounded up
  EXPECT_EQ(limit("0::/\n"), std::nullopt);
  EXPECT_EQ(limit("0::/absent\n"), std::nullopt);
}

TEST_F(CpuCount, VersionOneReadsTheCpuController) {
  write("cpu/job/cpu.cfs_quota_us", "300000");
  write("cpu/job/cpu.cfs_period_us", "100000");
  EXPECT_EQ(limit("5:memory:/x\n3:cpuacct,cpu:/job\n"), 3);
  write("cpu/job/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(limit("3:cpuacct,cpu:/job\n"), std::nullopt);
}

TEST_F(CpuCount, TheEnvironmentOverrides) {
  setenv("COPE_NUM_THREADS", "7", 1);
  EXPECT_EQ(available_cpus(), 7);
  for (const char* nonsense : {"0", "-2", "many", "3 ", ""}) {
    setenv("COPE_NUM_THREADS", nonsense, 1);
    EXPECT_GE(available_cpus(), 1) << nonsense;
    EXPECT_NE(available_cpus(), 7);
  }
}

}  // namespace
}  // namespace cope
