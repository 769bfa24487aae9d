/* Format.h - the fixed part of a .mxn bundle: its header and limits.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Everything is little-endian. The manifest is a FlatBuffer (bundle.fbs).
 */
#ifndef MXN_BUNDLE_FORMAT_H
#define MXN_BUNDLE_FORMAT_H

#include <stdint.h>

#define MXN_BUNDLE_MAGIC "MXNBNDL"  /* 7 characters and a NUL */
#define MXN_BUNDLE_VERSION_MAJOR 0u /* a reader refuses another one */
#define MXN_BUNDLE_VERSION_MINOR 1u /* a reader accepts any */
#define MXN_BUNDLE_SECTION_ALIGNMENT 65536u
#define MXN_BUNDLE_CONSTANT_ALIGNMENT 64u /* of each constant inside a section */

typedef struct mxn_bundle_header {
  char magic[8];
  uint32_t version_major;
  uint32_t version_minor;
  uint64_t file_length;     /* bytes of the whole file: a shorter one was cut off */
  uint64_t manifest_offset; /* 64 */
  uint64_t manifest_length;
  uint64_t manifest_hash; /* XXH3-64 */
  uint64_t header_hash;   /* XXH3-64 of the 48 bytes before this field */
  uint64_t reserved;      /* 0 */
} mxn_bundle_header_t;

#endif
