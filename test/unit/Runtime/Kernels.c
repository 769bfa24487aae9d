/* Kernels.c - the code object of the unit tests' bundles.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include "mxn/Driver/CPUKernel.h"

#define KERNEL(name)                                                                                                   \
  __attribute__((visibility("default"))) int32_t name(void *const *bindings, const uint64_t *lengths,                  \
                                                      const int64_t *constants, uint64_t x, uint64_t y, uint64_t z)

/* Through a table of addresses, so that the object has relocations. */
static float plus(float a, float b) { return a + b; }
static float times(float a, float b) { return a * b; }
static float (*const operations[])(float, float) = {plus, times};

/* out[x] = operation(a[x], b[x]); constants: operation */
KERNEL(binary) {
  if ((x + 1) * sizeof(float) > lengths[2])
    return MXN_KERNEL_OUT_OF_BOUNDS;
  float (*volatile operation)(float, float) = operations[constants[0] != 0];
  ((float *)bindings[2])[x] = operation(((const float *)bindings[0])[x], ((const float *)bindings[1])[x]);
  return (int32_t)(y + z);
}

/* counter[0] += constants[0]; keep_going[0] = counter[0] < constants[1] */
KERNEL(count) {
  int64_t *counter = bindings[0];
  *counter += constants[0];
  *(uint8_t *)bindings[1] = *counter < constants[1];
  return (int32_t)(x + y + z);
}

/* Fails at grid point constants[0] with constants[1]. */
KERNEL(complain) { return (int64_t)x == constants[0] ? (int32_t)constants[1] : (int32_t)(y + z); }

/* A toy language model with two paged caches of 4 tokens a block: "all" [blocks, 2, 2, 2, 4, 4] keeps every token,
 * "near" [blocks, 1, 2, 1, 4, 2] the first two and the last six. It writes each token's id into every element that
 * belongs to it, plus the element's number; test/e2e/toy_model.py says what it answers.
 *
 * bindings: ids, positions, sequence_starts, context_lengths, rows, table all, cache all, table near, cache near,
 * logits */
enum { BLOCK = 4, ALL = 2 * 2 * 2 * 4, NEAR = 1 * 2 * 1 * 2, SINK = 2, WINDOW = 6 };

/* Where element `number` of the token at `position` lies; NULL where the table leads nowhere. */
static float *element(const int32_t *table, uint64_t columns, float *cache, uint64_t bytes, int64_t position,
                      uint64_t size, uint64_t head_size, uint64_t number) {
  uint64_t column = (uint64_t)position / BLOCK, slot = (uint64_t)position % BLOCK;
  uint64_t blocks = bytes / (size * BLOCK * sizeof(float));
  if (column >= columns || table[column] < 0 || (uint64_t)table[column] >= blocks)
    return 0;
  uint64_t plane = number / head_size, lane = number % head_size;
  return cache + ((uint64_t)table[column] * size / head_size + plane) * BLOCK * head_size + slot * head_size + lane;
}

/* Writes (id >= 0) or reads a token; -1 where it isn't there or isn't whole. */
static int64_t token(const int32_t *table, uint64_t columns, float *cache, uint64_t bytes, int64_t position,
                     uint64_t size, uint64_t head_size, int64_t id) {
  int64_t first = -1;
  for (uint64_t number = 0; number < size; ++number) {
    float *at = element(table, columns, cache, bytes, position, size, head_size, number);
    if (!at)
      return -1;
    if (id >= 0)
      *at = (float)(id + (int64_t)number);
    int64_t value = (int64_t)*at - (int64_t)number;
    if (number && value != first)
      return -1;
    first = value;
  }
  return first;
}

KERNEL(toy) {
  const int64_t *ids = bindings[0], *positions = bindings[1];
  const int32_t *starts = bindings[2], *contexts = bindings[3], *rows = bindings[4];
  const uint64_t tokens = lengths[0] / 8, sequences = lengths[3] / 4, row_count = lengths[4] / 4;
  const uint64_t columns[] = {lengths[5] / 4 / sequences, lengths[7] / 4 / sequences};
  const uint64_t vocabulary = row_count ? lengths[9] / 4 / row_count : 0;
  (void)constants;
  if (starts[0] != 0 || (uint64_t)starts[sequences] != tokens)
    return MXN_KERNEL_BAD_VALUE;
  for (uint64_t s = 0; s < sequences; ++s) {
    const int32_t *all = (const int32_t *)bindings[5] + s * columns[0];
    const int32_t *near = (const int32_t *)bindings[7] + s * columns[1];
    for (int64_t t = starts[s]; t < starts[s + 1]; ++t) {
      int64_t position = contexts[s] + t - starts[s];
      if (ids[t] < 0 || ids[t] >= 512)
        return MXN_KERNEL_OUT_OF_BOUNDS;
      if (positions[t] != position ||
          token(all, columns[0], bindings[6], lengths[6], position, ALL, 4, ids[t]) != ids[t] ||
          token(near, columns[1], bindings[8], lengths[8], position, NEAR, 2, ids[t]) != ids[t])
        return MXN_KERNEL_BAD_VALUE;
    }
  }
  for (uint64_t r = 0; r < row_count; ++r) {
    uint64_t s = 0;
    while (rows[r] >= starts[s + 1])
      ++s;
    const int32_t *all = (const int32_t *)bindings[5] + s * columns[0];
    const int32_t *near = (const int32_t *)bindings[7] + s * columns[1];
    int64_t position = contexts[s] + rows[r] - starts[s], sum = position;
    for (int64_t p = 0; p <= position; ++p) {
      int64_t id = token(all, columns[0], bindings[6], lengths[6], p, ALL, 4, -1);
      if (id < 0)
        return MXN_KERNEL_BAD_VALUE;
      sum += (p + 1) * id;
      if (p >= SINK && p + WINDOW <= position)
        continue;
      id = token(near, columns[1], bindings[8], lengths[8], p, NEAR, 2, -1);
      if (id < 0)
        return MXN_KERNEL_BAD_VALUE;
      sum += 31 * id;
    }
    for (uint64_t v = 0; v < vocabulary; ++v)
      ((float *)bindings[9])[r * vocabulary + v] = -(float)((v + vocabulary - (uint64_t)sum % vocabulary) % vocabulary);
  }
  return (int32_t)(x + y + z);
}
