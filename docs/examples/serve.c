/* serve.c - continues a prompt of token ids twice: with the best token, and with the second best, both in one batch.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include <mxn/Runtime/Cache.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROMPT = 64, COUNT = 8 };

static int64_t best(const float *logits, uint64_t count, int64_t but) {
  int64_t found = but == 0 ? 1 : 0;
  for (uint64_t i = 0; i < count; ++i)
    if ((int64_t)i != but && logits[i] > logits[found])
      found = (int64_t)i;
  return found;
}

static int serve(mxn_context_t *context, mxn_cache_t *cache, const int64_t *prompt, uint32_t length) {
  mxn_step_output_t output = {sizeof(output), 0, 0, NULL};
  uint32_t sequences[2], counts[2] = {1, 1};
  int64_t ids[2];
  mxn_step_input_t input = {sizeof(input), 1, sequences, &length, prompt, NULL, 0, 0};

  /* The prompt goes through the model once; then both sequences have it. */
  if (mxn_cache_sequence_create(cache, &sequences[0]) != MXN_STATUS_OK ||
      mxn_step(context, cache, &input, &output) != MXN_STATUS_OK ||
      mxn_cache_sequence_fork(cache, sequences[0], &sequences[1]) != MXN_STATUS_OK)
    return 1;
  ids[0] = best(output.logits, output.vocabulary, -1);
  ids[1] = best(output.logits, output.vocabulary, ids[0]);
  input.sequence_count = 2;
  input.token_counts = counts;
  input.ids = ids;
  for (int i = 0; i < COUNT; ++i) {
    printf("%lld %lld\n", (long long)ids[0], (long long)ids[1]);
    if (mxn_step(context, cache, &input, &output) != MXN_STATUS_OK)
      return 1;
    for (uint32_t row = 0; row < output.rows; ++row)
      ids[row] = best(output.logits + row * output.vocabulary, output.vocabulary, -1);
  }
  for (int i = 0; i < 2; ++i)
    if (mxn_cache_sequence_free(cache, sequences[i]) != MXN_STATUS_OK)
      return 1;
  return 0;
}

int main(int argc, char **argv) {
  mxn_cache_options_t options = {sizeof(options), 0, 2 * (PROMPT + COUNT), 2, 0, NULL};
  mxn_model_t *model = NULL;
  mxn_context_t *context = NULL;
  mxn_cache_t *cache = NULL;
  int64_t prompt[PROMPT];
  uint32_t step, length = 0;
  int code;

  if (argc < 3 || argc - 2 > PROMPT)
    return 2;
  for (int i = 2; i < argc; ++i)
    prompt[length++] = atoll(argv[i]);
  code = mxn_model_open(argv[1], NULL, &model) != MXN_STATUS_OK ||
         mxn_model_find_function(model, "step", &step) != MXN_STATUS_OK ||
         mxn_context_create(model, NULL, &context) != MXN_STATUS_OK ||
         mxn_cache_create(model, step, &options, &cache) != MXN_STATUS_OK || serve(context, cache, prompt, length);
  if (code)
    fprintf(stderr, "error: %s\n", mxn_last_error());
  mxn_cache_destroy(cache);
  mxn_context_destroy(context);
  mxn_model_close(model);
  return code;
}
