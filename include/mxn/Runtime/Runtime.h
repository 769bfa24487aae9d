/* Runtime.h - the C interface of the MxN runtime: open a bundle, bind inputs, run, read outputs.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Errors. Every function that can fail returns a status and writes its results last, through out_ parameters; these are
 * left alone on failure. mxn_last_error() has the text of the calling thread's last failure: what was expected, what
 * came. Nothing here aborts, prints or throws.
 *
 * Threads. A model is immutable and may be used by any number of threads at once. A context belongs to one thread at a
 * time; make one for each thread that calls the model.
 *
 * Structs. Each begins with struct_size, which the caller sets to sizeof of the struct it was compiled with. Fields are
 * only ever added at the end, so an older caller keeps working: what it doesn't know stays at its default. All other
 * bytes of an options struct should be zero. Sizes are bytes, times are nanoseconds.
 *
 * A bundle holds native code that runs with the caller's rights. Open only files that you would load as a library.
 */
#ifndef MXN_RUNTIME_RUNTIME_H
#define MXN_RUNTIME_RUNTIME_H

#include "mxn/Runtime/Types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- General ---------------------------------------------------------------------------------------------------- */

/* The runtime's version, such as "0.1.0". Static memory. */
MXN_API const char *mxn_version(void);

/* The name of a status, such as "invalid argument". Static memory; never NULL. */
MXN_API const char *mxn_status_name(mxn_status_t status);

/* The name of an element type, such as "float32". Static memory; never NULL. */
MXN_API const char *mxn_type_name(mxn_type_t type);

/* Bits that one element takes in a tensor; 0 for types without a fixed size. Types below 8 bits are packed, the first
 * element in the low bits. */
MXN_API uint32_t mxn_type_bits(mxn_type_t type);

/* Text of the last failure in this thread, "" before any. Valid until the thread's next call that fails. */
MXN_API const char *mxn_last_error(void);

/* --- Models ----------------------------------------------------------------------------------------------------- */

/* Maps the bundle at `path` and checks its structure. `options` may be NULL. The file must stay unchanged while the
 * model is open: its weights are used in place. The caller closes *out_model. */
MXN_API mxn_status_t mxn_model_open(const char *path, const mxn_model_options_t *options, mxn_model_t **out_model);

/* The same for a bundle in memory, aligned to 64 bytes at least, which the caller keeps until the model is closed. */
MXN_API mxn_status_t mxn_model_open_memory(const void *data, uint64_t length, const mxn_model_options_t *options,
                                           mxn_model_t **out_model);

/* Closes a model; NULL is ignored. Destroy its contexts first. */
MXN_API void mxn_model_close(mxn_model_t *model);

/* Functions ("main", "step", ...) and their signatures. Names and infos stay valid while the model is open. Asking for
 * a function that doesn't exist gives 0 or NULL; the functions with a status say so. */
MXN_API uint32_t mxn_model_function_count(const mxn_model_t *model);
MXN_API const char *mxn_model_function_name(const mxn_model_t *model, uint32_t function);
MXN_API mxn_status_t mxn_model_find_function(const mxn_model_t *model, const char *name, uint32_t *out_index);
MXN_API uint32_t mxn_model_input_count(const mxn_model_t *model, uint32_t function);
MXN_API uint32_t mxn_model_output_count(const mxn_model_t *model, uint32_t function);

/* Describes an input or an output. Set out_info->struct_size before. */
MXN_API mxn_status_t mxn_model_input_info(const mxn_model_t *model, uint32_t function, uint32_t index,
                                          mxn_tensor_info_t *out_info);
MXN_API mxn_status_t mxn_model_output_info(const mxn_model_t *model, uint32_t function, uint32_t index,
                                           mxn_tensor_info_t *out_info);

/* The manifest's value for `key`, valid while the model is open; MXN_STATUS_NOT_FOUND if it has none. "producer" and
 * "model_name" are always there. */
MXN_API mxn_status_t mxn_model_metadata(const mxn_model_t *model, const char *key, const char **out_text);

/* The key and value number `index`, to list them all; MXN_STATUS_NOT_FOUND past the last. */
MXN_API mxn_status_t mxn_model_metadata_entry(const mxn_model_t *model, uint32_t index, const char **out_key,
                                              const char **out_text);

/* A tokenizer or metadata section by name, such as "tokenizer.json": bytes in the mapped file, valid while the model is
 * open. The section's hash is checked. */
MXN_API mxn_status_t mxn_model_section(const mxn_model_t *model, const char *name, const void **out_data,
                                       uint64_t *out_length);

/* --- Contexts --------------------------------------------------------------------------------------------------- */

/* Makes what one thread needs to call the model: memory, worker threads, statistics. The first context of a model also
 * chooses the code object for this machine and loads it. `options` may be NULL. The model must outlive the context. */
MXN_API mxn_status_t mxn_context_create(mxn_model_t *model, const mxn_context_options_t *options,
                                        mxn_context_t **out_context);

/* Destroys a context and the outputs that it owns; NULL is ignored. */
MXN_API void mxn_context_destroy(mxn_context_t *context);

/* Sets the inputs of the next runs, in the function's order. Checks types, ranks and dimensions, computes all sizes and
 * plans the memory. The data is read by mxn_context_run and stays the caller's; with MXN_TENSOR_DONATE the call may
 * also write to it. Outputs that the context owned before are given back: inputs must not lie in them. Where all
 * sizes are those of the last bind, nothing is planned or allocated. */
MXN_API mxn_status_t mxn_context_bind(mxn_context_t *context, uint32_t function, const mxn_tensor_t *inputs,
                                      uint32_t input_count);

/* Describes output `index` of the bound function: type, shape and bytes from bind on, and data once it has run. The
 * memory is the caller's (mxn_context_set_output, a donated input) or the context's, then valid until its next bind
 * or run. Set out_tensor->struct_size before. */
MXN_API mxn_status_t mxn_context_output(mxn_context_t *context, uint32_t index, mxn_tensor_t *out_tensor);

/* Gives memory of the caller, aligned to the element type, for output `index`, until the next bind. `bytes` must reach
 * for the output; the rest is left alone. It must not overlap an input or another output. */
MXN_API mxn_status_t mxn_context_set_output(mxn_context_t *context, uint32_t index, void *data, uint64_t bytes);

/* Runs the bound function and waits for it. May be called again: the inputs' data is read anew each time. */
MXN_API mxn_status_t mxn_context_run(mxn_context_t *context);

/* What the context's last run did. Set out_stats->struct_size before. */
MXN_API mxn_status_t mxn_context_stats(mxn_context_t *context, mxn_stats_t *out_stats);

/* Starts (on != 0) or stops recording an event for each dispatch, copy and fill. Starting forgets the events so far. */
MXN_API mxn_status_t mxn_context_profile(mxn_context_t *context, int32_t on);

/* Writes the recorded events as a Chrome trace (JSON), each named by its kernel, with the ONNX node it stems from. */
MXN_API mxn_status_t mxn_context_write_trace(mxn_context_t *context, const char *path);

#ifdef __cplusplus
}
#endif
#endif
