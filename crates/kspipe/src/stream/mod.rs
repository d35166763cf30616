//! Running a plan: filters that do something, queues, time, statistics.
