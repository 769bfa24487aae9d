// Attention of small ops is found by what its views and products mean.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -mxn-raise-attention | FileCheck %s

// Keys are repeated for the heads that share them, turned over, and scaled; the mask is added as 0 and minus infinity; empty rows
// are made zeros. None of the views is left.
// CHECK-LABEL: func.func @shared_heads(
// CHECK-NOT: Softmax
// CHECK: %[[A:.*]]:3 = onnx.node "Attention" version 24 (%arg0, %arg1, %arg2, %arg5, %arg3, %arg4) attributes {scale = 5.000000e-01 : f32}
// CHECK-NOT: MatMul
// CHECK: return %[[A]]#0, %[[A]]#1, %[[A]]#2
!q = tensor<?x4x?x8xf32, #onnx.dims<"b", "4", "s", "8">>
!new = tensor<?x2x?x8xf32, #onnx.dims<"b", "2", "s", "8">>
!past = tensor<?x2x?x8xf32, #onnx.dims<"b", "2", "p", "8">>
!mask = tensor<?x1x?x?xi1, #onnx.dims<"b", "1", "s", "p + s">>
!any = tensor<*xf32>
func.func @shared_heads(%q: !q, %k: !new, %v: !new, %pk: !past, %pv: !past, %mask: !mask) -> (!any, !any, !any) {
  %two = onnx.constant dense<2> : tensor<1xi64> -> tensor<1xi64>
  %shape5 = onnx.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64> -> tensor<5xi64>
  %shape4 = onnx.constant dense<[0, 4, -1, 8]> : tensor<4xi64> -> tensor<4xi64>
  %zero = onnx.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %never = onnx.constant dense<0xFF800000> : tensor<f32> -> tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %keys = onnx.node "Concat" version 18 (%pk, %k) attributes {axis = -2 : i64} : (!past, !new) -> !any
  %values = onnx.node "Concat" version 18 (%pv, %v) attributes {axis = 2 : i64} : (!past, !new) -> !any
  %k5 = onnx.node "Unsqueeze" version 18 (%keys, %two) : (!any, tensor<1xi64>) -> !any
  %kx = onnx.node "Expand" version 18 (%k5, %shape5) : (!any, tensor<5xi64>) -> !any
  %k4 = onnx.node "Reshape" version 18 (%kx, %shape4) : (!any, tensor<4xi64>) -> !any
  %kt = onnx.node "Transpose" version 18 (%k4) attributes {perm = array<i64: 0, 1, 3, 2>} : (!any) -> !any
  %v5 = onnx.node "Unsqueeze" version 18 (%values, %two) : (!any, tensor<1xi64>) -> !any
  %vx = onnx.node "Expand" version 18 (%v5, %shape5) : (!any, tensor<5xi64>) -> !any
  %v4 = onnx.node "Reshape" version 18 (%vx, %shape4) : (!any, tensor<4xi64>) -> !any
  %qs = onnx.node "Mul" version 18 (%q, %half) : (!q, tensor<f32>) -> !any
  %scores = onnx.node "MatMul" version 18 (%qs, %kt) : (!any, !any) -> !any
  %bias = onnx.node "Where" version 18 (%mask, %zero, %never) : (!mask, tensor<f32>, tensor<f32>) -> !any
  %masked = onnx.node "Add" version 18 (%scores, %bias) : (!any, !any) -> !any
  %p = onnx.node "Softmax" version 18 (%masked) attributes {axis = -1 : i64} : (!any) -> !any
  %nan = onnx.node "IsNaN" version 18 (%p) : (!any) -> tensor<*xi1>
  %safe = onnx.node "Where" version 18 (%nan, %zero, %p) : (tensor<*xi1>, tensor<f32>, !any) -> !any
  %y = onnx.node "MatMul" version 18 (%safe, %v4) : (!any, !any) -> !any
  return %y, %keys, %values : !any, !any, !any
}

// -----

// Without a past there is nothing to keep, and the nodes stay as they are.
// CHECK-LABEL: func.func @no_cache(
// CHECK-NOT: "Attention"
// CHECK: "Softmax"
!x = tensor<?x4x?x8xf32, #onnx.dims<"b", "4", "s", "8">>
!any = tensor<*xf32>
func.func @no_cache(%q: !x, %k: !x, %v: !x) -> !any {
  %kt = onnx.node "Transpose" version 18 (%k) attributes {perm = array<i64: 0, 1, 3, 2>} : (!x) -> !any
  %scores = onnx.node "MatMul" version 18 (%q, %kt) : (!x, !any) -> !any
  %p = onnx.node "Softmax" version 18 (%scores) attributes {axis = -1 : i64} : (!any) -> !any
  %y = onnx.node "MatMul" version 18 (%p, %v) : (!any, !x) -> !any
  return %y : !any
}

// -----

// A softmax over queries isn't attention.
// CHECK-LABEL: func.func @over_queries(
// CHECK-NOT: "Attention"
!x = tensor<?x2x?x8xf32, #onnx.dims<"b", "2", "s", "8">>
!past = tensor<?x2x?x8xf32, #onnx.dims<"b", "2", "p", "8">>
!any = tensor<*xf32>
func.func @over_queries(%q: !x, %k: !x, %v: !x, %pk: !past, %pv: !past) -> (!any, !any, !any) {
  %keys = onnx.node "Concat" version 18 (%pk, %k) attributes {axis = 2 : i64} : (!past, !x) -> !any
  %values = onnx.node "Concat" version 18 (%pv, %v) attributes {axis = 2 : i64} : (!past, !x) -> !any
  %kt = onnx.node "Transpose" version 18 (%keys) attributes {perm = array<i64: 0, 1, 3, 2>} : (!any) -> !any
  %scores = onnx.node "MatMul" version 18 (%q, %kt) : (!x, !any) -> !any
  %p = onnx.node "Softmax" version 18 (%scores) attributes {axis = 2 : i64} : (!any) -> !any
  %y = onnx.node "MatMul" version 18 (%p, %values) : (!any, !any) -> !any
  return %y, %keys, %values : !any, !any, !any
}

// -----

// Keys that are turned so that heads and numbers change places aren't the keys of these queries.
// CHECK-LABEL: func.func @crossed_views(
// CHECK-NOT: "Attention"
!x = tensor<?x8x?x8xf32, #onnx.dims<"b", "8", "s", "8">>
!past = tensor<?x8x?x8xf32, #onnx.dims<"b", "8", "p", "8">>
!any = tensor<*xf32>
func.func @crossed_views(%q: !x, %k: !x, %v: !x, %pk: !past, %pv: !past) -> (!any, !any, !any) {
  %keys = onnx.node "Concat" version 18 (%pk, %k) attributes {axis = 2 : i64} : (!past, !x) -> !any
  %values = onnx.node "Concat" version 18 (%pv, %v) attributes {axis = 2 : i64} : (!past, !x) -> !any
  %kt = onnx.node "Transpose" version 18 (%keys) attributes {perm = array<i64: 0, 3, 1, 2>} : (!any) -> !any
  %scores = onnx.node "MatMul" version 18 (%q, %kt) : (!x, !any) -> !any
  %p = onnx.node "Softmax" version 18 (%scores) attributes {axis = -1 : i64} : (!any) -> !any
  %y = onnx.node "MatMul" version 18 (%p, %values) : (!any, !any) -> !any
  return %y, %keys, %values : !any, !any, !any
}

// -----

// A factor on the values is none of the scores, and Softmax of old models works on all dimensions from the first head on.
// CHECK-LABEL: func.func @scaled_values(
// CHECK-NOT: "Attention"
// CHECK-LABEL: func.func @old_softmax(
// CHECK-NOT: "Attention"
!x = tensor<?x4x?x8xf32, #onnx.dims<"b", "4", "s", "8">>
!past = tensor<?x4x?x8xf32, #onnx.dims<"b", "4", "p", "8">>
!any = tensor<*xf32>
func.func @scaled_values(%q: !x, %k: !x, %v: !x, %pk: !past, %pv: !past) -> (!any, !any, !any) {
  %half = onnx.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %keys = onnx.node "Concat" version 18 (%pk, %k) attributes {axis = 2 : i64} : (!past, !x) -> !any
  %values = onnx.node "Concat" version 18 (%pv, %v) attributes {axis = 2 : i64} : (!past, !x) -> !any
  %kt = onnx.node "Transpose" version 18 (%keys) attributes {perm = array<i64: 0, 1, 3, 2>} : (!any) -> !any
  %scores = onnx.node "MatMul" version 18 (%q, %kt) : (!x, !any) -> !any
  %p = onnx.node "Softmax" version 18 (%scores) : (!any) -> !any
  %small = onnx.node "Mul" version 18 (%values, %half) : (!any, tensor<f32>) -> !any
  %y = onnx.node "MatMul" version 18 (%p, %small) : (!any, !any) -> !any
  return %y, %keys, %values : !any, !any, !any
}
func.func @old_softmax(%q: !x, %k: !x, %v: !x, %pk: !past, %pv: !past) -> (!any, !any, !any) {
  %keys = onnx.node "Concat" version 12 (%pk, %k) attributes {axis = 2 : i64} : (!past, !x) -> !any
  %values = onnx.node "Concat" version 12 (%pv, %v) attributes {axis = 2 : i64} : (!past, !x) -> !any
  %kt = onnx.node "Transpose" version 12 (%keys) attributes {perm = array<i64: 0, 1, 3, 2>} : (!any) -> !any
  %scores = onnx.node "MatMul" version 12 (%q, %kt) : (!x, !any) -> !any
  %p = onnx.node "Softmax" version 12 (%scores) : (!any) -> !any
  %y = onnx.node "MatMul" version 12 (%p, %values) : (!any, !any) -> !any
  return %y, %keys, %values : !any, !any, !any
}
