import { freemem, totalmem } from "node:os";
import { expect, test } from "vitest";
import { availableMemory, type MemorySystem } from "./available-memory.ts";

const GB = 1e9;
const meminfo = "MemTotal:       24683656 kB\nMemFree:         1000000 kB\nMemAvailable:   20000000 kB\n";

function linux(files: Readonly<Record<string, string>>): MemorySystem {
  return { platform: "linux", read: (path) => files[path], free: 3 * GB, total: 25 * GB };
}

test("Linux says what is available; an old kernel, only what is free", () => {
  expect(availableMemory(linux({ "/proc/meminfo": meminfo }))).toBe(20000000 * 1024);
  expect(availableMemory(linux({}))).toBe(3 * GB);
});

test("a control group of version 2 bounds it, its files' cache given back; so does any group around it", () => {
  const group = {
    "/proc/meminfo": meminfo,
    "/proc/self/cgroup": "0::/pod/box\n",
    "/sys/fs/cgroup/pod/box/memory.max": "max\n",
    "/sys/fs/cgroup/pod/box/memory.current": "700000000\n",
    "/sys/fs/cgroup/pod/memory.max": "4000000000\n",
    "/sys/fs/cgroup/pod/memory.current": "3500000000\n",
    "/sys/fs/cgroup/pod/memory.stat": "anon 1\ninactive_file 200000000\nactive_file 300000000\nshmem 5\n",
  };
  expect(availableMemory(linux(group))).toBe(1e9);
  expect(availableMemory(linux({ ...group, "/sys/fs/cgroup/pod/box/memory.max": "800000000\n" }))).toBe(1e8);
});

test("a control group of version 1, among other controllers; its huge number for no limit bounds nothing", () => {
  const group = {
    "/proc/meminfo": meminfo,
    "/proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/box\n0::/\n",
    "/sys/fs/cgroup/memory/box/memory.limit_in_bytes": "2000000000\n",
    "/sys/fs/cgroup/memory/box/memory.usage_in_bytes": "1900000000\n",
    "/sys/fs/cgroup/memory/box/memory.stat": "inactive_file 7\ntotal_inactive_file 100000000\ntotal_active_file 0\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes": "5\n",
  };
  expect(availableMemory(linux(group))).toBe(2e8);
  expect(availableMemory(linux({ ...group, "/sys/fs/cgroup/memory/box/memory.limit_in_bytes": "1000000000\n" }))).toBe(0);
});

test("other systems: Windows' own number, and on macOS all there is", () => {
  const read = () => undefined;
  expect(availableMemory({ platform: "win32", read, free: 3 * GB, total: 25 * GB })).toBe(3 * GB);
  expect(availableMemory({ platform: "darwin", read, free: 3 * GB, total: 25 * GB })).toBe(25 * GB);
});

test("this machine has some, and no more than it has", () => {
  expect(availableMemory()).toBeGreaterThan(0);
  expect(availableMemory()).toBeLessThanOrEqual(Math.max(totalmem(), freemem()));
});
