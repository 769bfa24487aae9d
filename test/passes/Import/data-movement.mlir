// Elements in other places.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s

// Where only dimensions of 1 change their place, no element does.
// CHECK-LABEL: @transpose_of_ones_is_a_view
// CHECK-NOT: linalg
// CHECK: tensor.expand_shape {{.*}} into tensor<?x1x8xf32>
func.func @transpose_of_ones_is_a_view(%x: tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>) -> tensor<*xf32> {
  %r = onnx.node "Transpose" version 13 (%x) attributes {perm = array<i64: 1, 0, 2>} : (tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: @transpose_without_perm_reverses
// CHECK: linalg.{{transpose|generic}}
// CHECK-SAME: tensor<?x2x3xf32>
// CHECK: return %{{.+}} : tensor<3x2x?xf32>
func.func @transpose_without_perm_reverses(%x: tensor<?x2x3xf32, #onnx.dims<"n", "2", "3">>) -> tensor<*xf32> {
  %r = onnx.node "Transpose" version 13 (%x) : (tensor<?x2x3xf32, #onnx.dims<"n", "2", "3">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// Each repeated dimension is read again along a dimension of its own.
// CHECK: #[[READ:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: @tile_reads_by_affine_map
// CHECK: linalg.generic {indexing_maps = [#[[READ]], {{.*}} ins(%arg0 :
// CHECK: tensor.collapse_shape {{.*}} tensor<?x3x4xf32> into tensor<?x12xf32>
func.func @tile_reads_by_affine_map(%x: tensor<?x4xf32, #onnx.dims<"n", "4">>) -> tensor<*xf32> {
  %repeats = onnx.constant dense<[1, 3]> : tensor<2xi64> -> tensor<2xi64>
  %r = onnx.node "Tile" version 13 (%x, %repeats) : (tensor<?x4xf32, #onnx.dims<"n", "4">>, tensor<2xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: @dropout_keeps_everything
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>
// CHECK: %[[MASK:.+]] = {{.*}}
// CHECK: return %[[X]], %{{.+}} : tensor<4xf32>, tensor<4xi1>
func.func @dropout_keeps_everything(%x: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xi1>) {
  %y, %mask = onnx.node "Dropout" version 13 (%x) : (tensor<4xf32>) -> (tensor<*xf32>, tensor<*xi1>)
  return %y, %mask : tensor<*xf32>, tensor<*xi1>
}
