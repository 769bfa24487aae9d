// GroupQueryAttention: packed queries, keys and values come apart, and are turned by the positions of the step.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s --pass-pipeline="builtin.module(func.func(mxn-infer-shapes),mxn-derive-step)" | FileCheck %s

!ids = tensor<?x?xi64, #onnx.dims<"b", "s">>
!mask = tensor<?x?xi64, #onnx.dims<"b", "p + s">>
!past = tensor<?x2x?x8xf32, #onnx.dims<"b", "2", "p", "8">>
!any = tensor<*xf32>

// CHECK-LABEL: func.func @step(
// CHECK: #program.cache_group<"0", 1 layers, 2 heads, 8 wide, 16 tokens a block, sink 0, window 3>
// CHECK: %[[POSITIONS:.*]] = onnx.node "Unsqueeze" {{.*}}(%arg1,
// CHECK: %[[X:.*]] = onnx.node "MatMul"
// CHECK: %[[Q:.*]] = onnx.node "Slice" {{.*}}(%[[X]],{{.*}} -> tensor<1x?x32xf32
// CHECK: %[[TQ:.*]] = onnx.node "RotaryEmbedding" {{.*}}(%[[Q]], %{{.*}}, %{{.*}}, %[[POSITIONS]]) {{.*}}num_heads = 4
// CHECK: %[[K:.*]] = onnx.node "Slice" {{.*}}(%[[X]],{{.*}} -> tensor<1x?x16xf32
// CHECK: %[[TK:.*]] = onnx.node "RotaryEmbedding" {{.*}}(%[[K]], %{{.*}}, %{{.*}}, %[[POSITIONS]]) {{.*}}num_heads = 2
// CHECK: %[[V:.*]] = onnx.node "Slice" {{.*}}(%[[X]],{{.*}} -> tensor<1x?x16xf32
// CHECK: llm.paged_attention %[[TQ]], %[[TK]], %[[V]] cache %arg6 table %arg5 starts %arg2 context %arg3
// CHECK-SAME: window = 3
func.func @main(
    %ids: !ids {program.tensor = #program.tensor<"ids", i64, dims ["b", "s"], labels ["b", "s"]>},
    %mask: !mask {program.tensor = #program.tensor<"mask", i64, dims ["b", "p + s"], labels ["b", "p + s"]>},
    %pk: !past {program.tensor = #program.tensor<"pk", f32, dims ["b", "2", "p", "8"], labels ["b", "2", "p", "8"]>},
    %pv: !past {program.tensor = #program.tensor<"pv", f32, dims ["b", "2", "p", "8"], labels ["b", "2", "p", "8"]>})
    -> (tensor<?x?x40xf32>, !any, !any) {
  %none = onnx.none
  %axis = onnx.constant dense<1> : tensor<1xi64> -> tensor<1xi64>
  %one = onnx.constant dense<1> : tensor<1xi64> -> tensor<1xi64>
  %first = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
  %table = onnx.constant dense<0.1> : tensor<40x24xf32> -> tensor<40x24xf32>
  %turn = onnx.constant dense<0.1> : tensor<64x4xf32> -> tensor<64x4xf32>
  %w = onnx.constant dense<0.1> : tensor<24x64xf32> -> tensor<24x64xf32>
  %head = onnx.constant dense<0.1> : tensor<32x40xf32> -> tensor<32x40xf32>
  %sum = onnx.node "ReduceSum" version 22 (%mask, %axis) attributes {keepdims = 0 : i64} : (!mask, tensor<1xi64>) -> tensor<?xi64>
  %less = onnx.node "Sub" version 22 (%sum, %one) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?xi64>
  %last = onnx.node "Cast" version 22 (%less) attributes {to = 6 : i64} : (tensor<?xi64>) -> tensor<?xi32>
  %size = onnx.node "Shape" version 22 (%mask) attributes {start = 1 : i64, end = 2 : i64} : (!mask) -> tensor<1xi64>
  %scalar = onnx.node "Squeeze" version 22 (%size, %first) : (tensor<1xi64>, tensor<1xi64>) -> tensor<i64>
  %total = onnx.node "Cast" version 22 (%scalar) attributes {to = 6 : i64} : (tensor<i64>) -> tensor<i32>
  %x = onnx.node "Gather" version 22 (%table, %ids) : (tensor<40x24xf32>, !ids) -> tensor<?x?x24xf32>
  %qkv = onnx.node "MatMul" version 22 (%x, %w) : (tensor<?x?x24xf32>, tensor<24x64xf32>) -> tensor<?x?x64xf32>
  %y, %k, %v = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%qkv, %none, %none, %pk, %pv, %last, %total, %turn, %turn)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64, local_window_size = 3 : i64}
      : (tensor<?x?x64xf32>, !onnx.none, !onnx.none, !past, !past, tensor<?xi32>, tensor<i32>, tensor<64x4xf32>, tensor<64x4xf32>) -> (!any, !any, !any)
  %out = onnx.node "MatMul" version 22 (%y, %head) : (!any, tensor<32x40xf32>) -> tensor<?x?x40xf32>
  return %out, %k, %v : tensor<?x?x40xf32>, !any, !any
}
