// Prints the numbers of src/tokenizer/hash-order.test.ts: in which order libstdc++'s unordered_map lists its entries, and what its partial_sort
// leaves in front. g++ -O1 hash_order.cc && ./a.out; made with libstdc++ 12.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <unordered_map>
#include <vector>

int main() {
  std::unordered_map<uint64_t, int> small;
  for (uint64_t key : {1, 2, 14, 15, 3, 27}) small.insert({key, 0});
  for (auto& entry : small) std::printf("%lu ", entry.first);
  std::puts("");
  small.erase(15);
  small.erase(1);
  for (auto& entry : small) std::printf("%lu ", entry.first);
  std::puts("");

  std::unordered_map<uint64_t, int> table;
  std::vector<uint64_t> keys;
  uint64_t state = 1;
  auto random = [&] { return state = state * 6364136223846793005ull + 1442695040888963407ull; };
  for (int i = 1; i <= 2000; i++) {
    uint64_t key = random();
    table.insert({key, i});
    keys.push_back(key);
    if (i % 3 == 0) table.erase(keys[(random() >> 33) % keys.size()]);
  }
  auto digest = [](const std::vector<int>& numbers) {
    uint64_t hash = 0;
    for (int number : numbers) hash = (hash * 31 + number) % 1000003;
    return hash;
  };
  std::vector<int> listed;
  for (auto& entry : table) listed.push_back(entry.second);
  std::printf("%zu entries, digest %lu\n", listed.size(), digest(listed));
  for (int wanted : {1, 2, 10, 100, 1000}) {
    auto sorted = listed;
    std::partial_sort(sorted.begin(), sorted.begin() + wanted, sorted.end(), [](int a, int b) { return a % 7 > b % 7; });
    sorted.resize(wanted);
    std::sort(sorted.begin(), sorted.end());
    std::printf("the first %d, digest %lu\n", wanted, digest(sorted));
  }
}
