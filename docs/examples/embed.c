/* embed.c - runs a bundle's function "main", which takes one vector of floats.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include <mxn/Runtime/Runtime.h>
#include <stdio.h>

static int fail(void) {
  fprintf(stderr, "error: %s\n", mxn_last_error());
  return 1;
}

int main(int argc, char **argv) {
  float data[] = {1, 2, 3};
  mxn_tensor_t input = {sizeof(input), MXN_TYPE_FLOAT32, 1, {3}, data, sizeof(data), 0};
  mxn_tensor_t output = {sizeof(output), 0, 0, {0}, NULL, 0, 0};
  mxn_model_t *model = NULL;
  mxn_context_t *context = NULL;
  uint32_t function;
  int code = 0;

  if (argc != 2)
    return 2;
  if (mxn_model_open(argv[1], NULL, &model) != MXN_STATUS_OK ||
      mxn_model_find_function(model, "main", &function) != MXN_STATUS_OK ||
      mxn_context_create(model, NULL, &context) != MXN_STATUS_OK ||
      mxn_context_bind(context, function, &input, 1) != MXN_STATUS_OK || mxn_context_run(context) != MXN_STATUS_OK ||
      mxn_context_output(context, 0, &output) != MXN_STATUS_OK) {
    code = fail();
  } else {
    const float *values = output.data;
    for (int64_t i = 0; i < output.dims[0]; ++i)
      printf("%g\n", values[i]);
  }
  mxn_context_destroy(context);
  mxn_model_close(model);
  return code;
}
