/* Cache.h - serving language models: the paged cache of a ragged entry, and steps through it.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A language model's bundle has a function "step" that takes tokens of any number of sequences. What the model keeps of
 * the tokens before (keys and values of attention) lies in a cache: one pool of blocks for each cache group of the
 * function. A block holds some consecutive tokens of one sequence in all layers of the group. A sequence is a list of
 * blocks; sequences that begin alike share blocks, and whoever writes to a shared block gets a copy of it first.
 *
 * A sequence has a length, the tokens that are in the cache, and room for more, which mxn_cache_sequence_reserve makes.
 * A step writes into that room, and mxn_cache_sequence_commit adds what it wrote to the length. mxn_step does all of
 * this in one call; the functions below serve those who bind the function's inputs themselves.
 *
 * Threads. A cache belongs to one thread at a time, as a context does. Nothing here locks.
 *
 * Memory. Pools are mapped when the cache is created and take physical memory when blocks are first used. Blocks given
 * back are used again first. Statuses, mxn_last_error and struct_size: as Runtime.h says. A function that fails changes
 * nothing.
 */
#ifndef MXN_RUNTIME_CACHE_H
#define MXN_RUNTIME_CACHE_H

#include "mxn/Runtime/Runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Cache groups of a function ----------------------------------------------------------------------------------- */

/* The layers of one template and type, which share a pool. The string belongs to the model. */
typedef struct mxn_cache_group_info {
  uint32_t struct_size;
  mxn_type_t type;
  const char *name;
  uint32_t cache_input;  /* number of the input that is the pool: [blocks, layers, 2, heads, block_tokens, head_size] */
  uint32_t table_input;  /* number of the input that is the block table: int32 [sequences, columns] */
  uint32_t cache_output; /* number of the output that takes over the pool */
  uint32_t layers;
  uint32_t heads; /* for keys and values */
  uint32_t head_size;
  uint32_t block_tokens; /* tokens that a block holds */
  uint32_t reserved;     /* 0 */
  uint64_t block_bytes;
  uint64_t sink;   /* tokens at a sequence's start that are kept ... */
  uint64_t window; /* ... and at its end; 0, 0: all are kept */
} mxn_cache_group_info_t;

/* How many cache groups a function has; 0 for one that has no paged cache. */
MXN_API uint32_t mxn_model_cache_group_count(const mxn_model_t *model, uint32_t function);

/* Describes a cache group. Set out_info->struct_size before. */
MXN_API mxn_status_t mxn_model_cache_group_info(const mxn_model_t *model, uint32_t function, uint32_t group,
                                                mxn_cache_group_info_t *out_info);

/* --- Caches ------------------------------------------------------------------------------------------------------- */

typedef struct mxn_cache mxn_cache_t;

typedef struct mxn_cache_options {
  uint32_t struct_size;
  uint32_t blocks;        /* blocks of each group; 0: as many as max_tokens needs */
  uint64_t max_tokens;    /* tokens of all sequences together; looked at where `blocks` is 0 */
  uint32_t max_sequences; /* sequences that share max_tokens, each of which may leave its last block partly unused;
                             0: one */
  uint32_t reserved;      /* 0 */
  const mxn_allocator_t *allocator; /* for the pools, copied; NULL: the runtime's own, which maps memory */
} mxn_cache_options_t;

typedef struct mxn_cache_stats {
  uint32_t struct_size;
  uint32_t sequences;    /* that exist */
  uint64_t blocks_total; /* of all groups together, as are the next two */
  uint64_t blocks_free;
  uint64_t blocks_shared; /* that more than one sequence uses */
  uint64_t bytes;         /* memory of the pools */
  uint64_t bytes_used;    /* of the blocks that are not free */
  uint64_t bytes_copied;  /* since the cache was created, because a sequence wrote to a shared block */
} mxn_cache_stats_t;

/* Makes the pools for a function with cache groups. `options` must give `blocks` or `max_tokens`. The model must
 * outlive the cache. Pools are aligned to pages, all zero, and advised to be of huge pages. */
MXN_API mxn_status_t mxn_cache_create(mxn_model_t *model, uint32_t function, const mxn_cache_options_t *options,
                                      mxn_cache_t **out_cache);

/* Destroys a cache with all its sequences; NULL is ignored. */
MXN_API void mxn_cache_destroy(mxn_cache_t *cache);

/* Describes the pool of a group as the input (and the output) that it is: shape, type, memory, MXN_TENSOR_DONATE. Set
 * out_tensor->struct_size before. */
MXN_API mxn_status_t mxn_cache_pool(mxn_cache_t *cache, uint32_t group, mxn_tensor_t *out_tensor);

/* What the cache holds now. Set out_stats->struct_size before. */
MXN_API mxn_status_t mxn_cache_stats(const mxn_cache_t *cache, mxn_cache_stats_t *out_stats);

/* --- Sequences ---------------------------------------------------------------------------------------------------- */

/* Makes an empty sequence, a number that says so if it is used after it was freed. The caller frees it. */
MXN_API mxn_status_t mxn_cache_sequence_create(mxn_cache_t *cache, uint32_t *out_sequence);

/* Frees a sequence and the blocks that no other one uses. */
MXN_API mxn_status_t mxn_cache_sequence_free(mxn_cache_t *cache, uint32_t sequence);

/* Makes a sequence with the same tokens. All blocks are shared: only the one at the end is copied, when the first of
 * the two grows. */
MXN_API mxn_status_t mxn_cache_sequence_fork(mxn_cache_t *cache, uint32_t sequence, uint32_t *out_copy);

/* Makes a sequence with the first `tokens` tokens of another one, such as a system prompt that many sequences begin
 * with. Fails with MXN_STATUS_WRONG_STATE where a group with a window has given back what the prefix needs. */
MXN_API mxn_status_t mxn_cache_share_prefix(mxn_cache_t *cache, uint32_t from, uint64_t tokens, uint32_t *out_sequence);

/* Makes room for `tokens` more tokens behind the sequence's length; room from an earlier call counts. Without enough
 * free blocks: MXN_STATUS_OUT_OF_MEMORY, with the counts in the message. */
MXN_API mxn_status_t mxn_cache_sequence_reserve(mxn_cache_t *cache, uint32_t sequence, uint64_t tokens);

/* Adds `tokens` that a step wrote into the room to the length. Groups with a window give back blocks that lie wholly
 * between the sink and the window. */
MXN_API mxn_status_t mxn_cache_sequence_commit(mxn_cache_t *cache, uint32_t sequence, uint64_t tokens);

/* Shortens a sequence to `length` tokens, at most what it has, and gives back its room: for speculation that went
 * wrong, or to go on from an earlier point. Fails with MXN_STATUS_WRONG_STATE as mxn_cache_share_prefix does. */
MXN_API mxn_status_t mxn_cache_sequence_truncate(mxn_cache_t *cache, uint32_t sequence, uint64_t length);

/* The tokens of a sequence that are in the cache. */
MXN_API mxn_status_t mxn_cache_sequence_length(const mxn_cache_t *cache, uint32_t sequence, uint64_t *out_length);

/* --- Block tables --------------------------------------------------------------------------------------------------
 */

/* The columns that a table of these sequences needs, at least 1: blocks of the longest one with its room. */
MXN_API mxn_status_t mxn_cache_columns(const mxn_cache_t *cache, uint32_t group, const uint32_t *sequences,
                                       uint32_t count, uint32_t *out_columns);

/* Fills a block table [count, columns]: the block of each run of block_tokens tokens, -1 where there is none. */
MXN_API mxn_status_t mxn_cache_fill_table(const mxn_cache_t *cache, uint32_t group, const uint32_t *sequences,
                                          uint32_t count, int32_t *out_table, uint32_t columns);

/* --- Steps -------------------------------------------------------------------------------------------------------- */

/* Tokens to put into a model. */
typedef struct mxn_step_input {
  uint32_t struct_size;
  uint32_t sequence_count;
  const uint32_t *sequences;    /* each at most once */
  const uint32_t *token_counts; /* of each sequence, at least 1 */
  const int64_t *ids;           /* the tokens of the first sequence, then those of the second, ... */
  const int32_t *rows;          /* whose logits are wanted, counted through all tokens; NULL: each sequence's last */
  uint32_t row_count;           /* looked at where `rows` isn't NULL */
  uint32_t reserved;            /* 0 */
} mxn_step_input_t;

typedef struct mxn_step_output {
  uint32_t struct_size;
  uint32_t rows;
  uint64_t vocabulary;
  const float *logits; /* [rows, vocabulary], the context's memory: valid until its next bind or run */
} mxn_step_output_t;

/* Runs the cache's function on new tokens: makes room, fills tables, binds, runs, and adds the tokens to their
 * sequences. The context must be of the cache's model. When it fails, the sequences are as long as they were. Scratch
 * is kept, so that a step of the sizes of the last one allocates nothing. Set out_output->struct_size before. */
MXN_API mxn_status_t mxn_step(mxn_context_t *context, mxn_cache_t *cache, const mxn_step_input_t *input,
                              mxn_step_output_t *out_output);

#ifdef __cplusplus
}
#endif
#endif
