// What the operators of com.microsoft refuse.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -verify-diagnostics -mxn-infer-shapes -convert-onnx-to-linalg

func.func @shared_buffer(%q: tensor<1x4x128xf32>, %last: tensor<1xi32>, %past: tensor<1x2x16x16xf32>, %table: tensor<64x8xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %total = onnx.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  // expected-error @+1 {{GroupQueryAttention: total_sequence_length and the length of past and queries: 7 and 20 should be equal}}
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %none, %none, %past, %past, %last, %total, %table, %table)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64}
      : (tensor<1x4x128xf32>, !onnx.none, !onnx.none, tensor<1x2x16x16xf32>, tensor<1x2x16x16xf32>, tensor<1xi32>, tensor<1xi32>,
         tensor<64x8xf32>, tensor<64x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @smooth_softmax(%q: tensor<1x4x128xf32>, %last: tensor<1xi32>, %past: tensor<1x2x3x16xf32>, %table: tensor<64x8xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %total = onnx.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  // expected-error @+1 {{GroupQueryAttention: smooth_softmax and head_sink aren't supported}}
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %none, %none, %past, %past, %last, %total, %table, %table)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64, smooth_softmax = 1 : i64}
      : (tensor<1x4x128xf32>, !onnx.none, !onnx.none, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, tensor<1xi32>, tensor<1xi32>,
         tensor<64x8xf32>, tensor<64x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @head_sink(%q: tensor<1x4x128xf32>, %last: tensor<1xi32>, %past: tensor<1x2x3x16xf32>, %table: tensor<64x8xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %total = onnx.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  // expected-error @+1 {{GroupQueryAttention: smooth_softmax and head_sink aren't supported}}
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %none, %none, %past, %past, %last, %total, %table, %table, %none, %none, %last)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64}
      : (tensor<1x4x128xf32>, !onnx.none, !onnx.none, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, tensor<1xi32>, tensor<1xi32>,
         tensor<64x8xf32>, tensor<64x8xf32>, !onnx.none, !onnx.none, tensor<1xi32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @scales_of_the_cache(%q: tensor<1x4x128xf32>, %last: tensor<1xi32>, %past: tensor<1x2x3x16xf32>, %table: tensor<64x8xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %total = onnx.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  // expected-error @+1 {{GroupQueryAttention: input 12 isn't supported}}
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %none, %none, %past, %past, %last, %total, %table, %table, %none, %none, %none, %table)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64}
      : (tensor<1x4x128xf32>, !onnx.none, !onnx.none, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, tensor<1xi32>, tensor<1xi32>,
         tensor<64x8xf32>, tensor<64x8xf32>, !onnx.none, !onnx.none, !onnx.none, tensor<64x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @unknown_attribute(%q: tensor<1x4x128xf32>, %last: tensor<1xi32>, %past: tensor<1x2x3x16xf32>, %table: tensor<64x8xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %total = onnx.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  // expected-error @+1 {{GroupQueryAttention: its attribute "sparse" isn't supported}}
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %none, %none, %past, %past, %last, %total, %table, %table)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64, sparse = 1 : i64}
      : (tensor<1x4x128xf32>, !onnx.none, !onnx.none, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, tensor<1xi32>, tensor<1xi32>,
         tensor<64x8xf32>, tensor<64x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @columns(%q: tensor<1x4x130xf32>, %last: tensor<1xi32>, %past: tensor<1x2x3x16xf32>, %table: tensor<64x8xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %total = onnx.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  // expected-error @+1 {{GroupQueryAttention: its query has 130 columns for 8 heads; they must be a multiple, and known when compiling}}
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %none, %none, %past, %past, %last, %total, %table, %table)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64}
      : (tensor<1x4x130xf32>, !onnx.none, !onnx.none, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, tensor<1xi32>, tensor<1xi32>,
         tensor<64x8xf32>, tensor<64x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @heads(%q: tensor<1x4x112xf32>, %last: tensor<1xi32>, %past: tensor<1x2x3x16xf32>, %table: tensor<64x8xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %total = onnx.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  // expected-error @+1 {{GroupQueryAttention: it has 3 query heads and 2 key-value heads; the first must be a multiple of the second}}
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %none, %none, %past, %past, %last, %total, %table, %table)
      attributes {num_heads = 3 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64}
      : (tensor<1x4x112xf32>, !onnx.none, !onnx.none, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, tensor<1xi32>, tensor<1xi32>,
         tensor<64x8xf32>, tensor<64x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @wide_table(%q: tensor<1x4x128xf32>, %last: tensor<1xi32>, %past: tensor<1x2x3x16xf32>, %table: tensor<64x9xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %total = onnx.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  // expected-error @+1 {{GroupQueryAttention: cos_cache has 9 columns, the head size is 16}}
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %none, %none, %past, %past, %last, %total, %table, %table)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64}
      : (tensor<1x4x128xf32>, !onnx.none, !onnx.none, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, tensor<1xi32>, tensor<1xi32>,
         tensor<64x9xf32>, tensor<64x9xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @order_of_columns(%a: tensor<5x64xf32>, %b: tensor<6x2x16xui8>, %s: tensor<6x2xf32>, %g: tensor<64xi32>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{MatMulNBits: g_idx isn't supported}}
  %y = onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%a, %b, %s, %none, %g) attributes {K = 64 : i64, N = 6 : i64, bits = 4 : i64, block_size = 32 : i64}
      : (tensor<5x64xf32>, tensor<6x2x16xui8>, tensor<6x2xf32>, !onnx.none, tensor<64xi32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @three_bits(%a: tensor<5x64xf32>, %b: tensor<6x2x16xui8>, %s: tensor<6x2xf32>, %g: tensor<64xi32>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{MatMulNBits: weights of 3 bits aren't supported}}
  %y = onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%a, %b, %s, %none, %none) attributes {K = 64 : i64, N = 6 : i64, bits = 3 : i64, block_size = 32 : i64}
      : (tensor<5x64xf32>, tensor<6x2x16xui8>, tensor<6x2xf32>, !onnx.none, !onnx.none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @odd_block(%a: tensor<5x64xf32>, %b: tensor<6x2x16xui8>, %s: tensor<6x2xf32>, %g: tensor<64xi32>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{MatMulNBits: block_size is 24; it must be a power of 2 and at least 16}}
  %y = onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%a, %b, %s, %none, %none) attributes {K = 64 : i64, N = 6 : i64, bits = 4 : i64, block_size = 24 : i64}
      : (tensor<5x64xf32>, tensor<6x2x16xui8>, tensor<6x2xf32>, !onnx.none, !onnx.none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @wrong_columns(%a: tensor<5x64xf32>, %b: tensor<6x2x16xui8>, %s: tensor<6x2xf32>, %g: tensor<64xi32>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{MatMulNBits: the columns of A and K: 64 and 60 should be equal}}
  %y = onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%a, %b, %s, %none, %none) attributes {K = 60 : i64, N = 6 : i64, bits = 4 : i64, block_size = 32 : i64}
      : (tensor<5x64xf32>, tensor<6x2x16xui8>, tensor<6x2xf32>, !onnx.none, !onnx.none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @wrong_size(%a: tensor<5x64xf32>, %b: tensor<6x2x15xui8>, %s: tensor<6x2xf32>, %g: tensor<64xi32>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{MatMulNBits: the size of B: 180 and 192 should be equal}}
  %y = onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%a, %b, %s, %none, %none) attributes {K = 64 : i64, N = 6 : i64, bits = 4 : i64, block_size = 32 : i64}
      : (tensor<5x64xf32>, tensor<6x2x15xui8>, tensor<6x2xf32>, !onnx.none, !onnx.none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @another_axis(%d: tensor<8x16xui8>, %i: tensor<3xi64>, %s: tensor<8x2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{GatherBlockQuantized: gather_axis must be the first dimension and quantize_axis the last, another one}}
  %y = onnx.node "GatherBlockQuantized" domain "com.microsoft" version 1 (%d, %i, %s) attributes {bits = 4 : i64, block_size = 16 : i64, gather_axis = 1 : i64}
      : (tensor<8x16xui8>, tensor<3xi64>, tensor<8x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @four_bit_type(%d: tensor<8x16xui4>, %i: tensor<3xi64>, %s: tensor<8x2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{GatherBlockQuantized: its data must be uint8, of a row length that is known when compiling}}
  %y = onnx.node "GatherBlockQuantized" domain "com.microsoft" version 1 (%d, %i, %s) attributes {bits = 4 : i64, block_size = 16 : i64, gather_axis = 0 : i64}
      : (tensor<8x16xui4>, tensor<3xi64>, tensor<8x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @scales(%d: tensor<8x16xui8>, %i: tensor<3xi64>, %s: tensor<8x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{GatherBlockQuantized: the shape of its scales or zero points: 3 and 2 should be equal}}
  %y = onnx.node "GatherBlockQuantized" domain "com.microsoft" version 1 (%d, %i, %s) attributes {bits = 4 : i64, block_size = 16 : i64, gather_axis = 0 : i64}
      : (tensor<8x16xui8>, tensor<3xi64>, tensor<8x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
