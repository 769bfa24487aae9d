// The printed form of the llm dialect is read back as it was, and so is the generic form.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s | mxn-opt | FileCheck %s
// RUN: mxn-opt %s --mlir-print-op-generic | mxn-opt | FileCheck %s

// CHECK: llm.weight @w from "weights.data" offset 4096 length 16 : tensor<4xf32>
llm.weight @w from "weights.data" offset 4096 length 16 : tensor<4xf32>
// Four-bit elements are packed, odd ones rounded up; booleans take a byte.
// CHECK: llm.weight @packed from "weights.data" offset 0 length 2 : tensor<3xui4>
llm.weight @packed from "weights.data" offset 0 length 2 : tensor<3xui4>
// CHECK: llm.weight @flags from "weights.data" offset 0 length 3 : tensor<3xi1>
llm.weight @flags from "weights.data" offset 0 length 3 : tensor<3xi1>
// CHECK: llm.weight @empty from "weights.data" offset 0 length 0 : tensor<0x4xf32>
llm.weight @empty from "weights.data" offset 0 length 0 : tensor<0x4xf32>

// CHECK-LABEL: @attention
func.func @attention(%q: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x1x16x4xf32>,
                     %table: tensor<?x?xi32>, %starts: tensor<?xi32>, %context: tensor<?xi32>) -> tensor<1x?x8xf32> {
  // CHECK: llm.paged_attention %{{.*}}, %{{.*}}, %{{.*}} cache %{{.*}} table %{{.*}} starts %{{.*}} context %{{.*}} {kv_heads = 1 : i64, layer = 1 : i64, q_heads = 2 : i64, scale = 5.000000e-01 : f32, sink = 4 : i64, window = 8 : i64}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %starts context %context
      {layer = 1 : i64, q_heads = 2 : i64, kv_heads = 1 : i64, scale = 0.5 : f32, sink = 4 : i64, window = 8 : i64}
      : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x1x16x4xf32>, tensor<?x?xi32>, tensor<?xi32>,
        tensor<?xi32> -> tensor<1x?x8xf32>, tensor<?x2x2x1x16x4xf32>
  return %y : tensor<1x?x8xf32>
}

// CHECK-LABEL: @constants
func.func @constants() -> (tensor<4xf32>, tensor<3xi4>) {
  // CHECK: llm.constant <@w : tensor<4xf32>> -> tensor<4xf32>
  %w = llm.constant #llm.weight<@w : tensor<4xf32>> -> tensor<4xf32>
  // CHECK: llm.constant <@packed : tensor<3xui4>> -> tensor<3xi4>
  %p = llm.constant #llm.weight<@packed : tensor<3xui4>> -> tensor<3xi4>
  return %w, %p : tensor<4xf32>, tensor<3xi4>
}
