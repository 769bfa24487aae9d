// Matrix products: which op they become, what they tell about sizes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s

// The rows of all batches meet one matrix; the weight's rows tell what "k" is. 16-bit sums are made in f32.
// CHECK-LABEL: @one_product_for_all_batches
// CHECK-SAME: %[[A:.+]]: tensor<?x?x8xf16>, %[[B:.+]]: tensor<8x4xf16>
// CHECK: %[[ROWS:.+]] = tensor.collapse_shape %[[A]] {{.}}[0, 1], [2]]
// CHECK: %[[Y:.+]] = linalg.matmul ins(%[[ROWS]], %[[B]] : tensor<?x8xf16>, tensor<8x4xf16>) outs(%{{.+}} : tensor<?x4xf32>)
// CHECK: %[[BATCHES:.+]] = tensor.expand_shape %[[Y]] {{.}}[0, 1], [2]]
// CHECK: linalg.generic {{.*}} ins(%[[BATCHES]] : tensor<?x?x4xf32>)
// CHECK: arith.truncf
func.func @one_product_for_all_batches(%a: tensor<?x?x8xf16, #onnx.dims<"b", "s", "8">>, %b: tensor<?x4xf16, #onnx.dims<"k", "4">>) -> tensor<*xf16> {
  %y = onnx.node "MatMul" version 13 (%a, %b) : (tensor<?x?x8xf16, #onnx.dims<"b", "s", "8">>, tensor<?x4xf16, #onnx.dims<"k", "4">>) -> tensor<*xf16>
  return %y : tensor<*xf16>
}

// -----

// CHECK-LABEL: @equal_batches_become_one
// CHECK: linalg.batch_matmul ins(%{{.+}}, %{{.+}} : tensor<?x?x8xf32>, tensor<?x8x?xf32>)
func.func @equal_batches_become_one(%a: tensor<?x2x?x8xf32, #onnx.dims<"b", "2", "s", "8">>, %b: tensor<?x2x8x?xf32, #onnx.dims<"b", "2", "8", "t">>) -> tensor<*xf32> {
  %y = onnx.node "MatMul" version 13 (%a, %b) : (tensor<?x2x?x8xf32, #onnx.dims<"b", "2", "s", "8">>, tensor<?x2x8x?xf32, #onnx.dims<"b", "2", "8", "t">>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// A batch of one is read again for each batch, not copied.
// CHECK: #[[A:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK: #[[B:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (0, d1, d4, d3)>
// CHECK-LABEL: @broadcast_batch
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #{{.+}}], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
func.func @broadcast_batch(%a: tensor<?x2x3x8xf32, #onnx.dims<"b", "2", "3", "8">>, %b: tensor<1x2x8x5xf32>) -> tensor<*xf32> {
  %y = onnx.node "MatMul" version 13 (%a, %b) : (tensor<?x2x3x8xf32, #onnx.dims<"b", "2", "3", "8">>, tensor<1x2x8x5xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// CHECK-LABEL: @vectors
// CHECK: linalg.dot
// CHECK: linalg.vecmat
// CHECK: linalg.matvec
func.func @vectors(%v: tensor<8xf32>, %m: tensor<8x8xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %a = onnx.node "MatMul" version 13 (%v, %v) : (tensor<8xf32>, tensor<8xf32>) -> tensor<*xf32>
  %b = onnx.node "MatMul" version 13 (%v, %m) : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<*xf32>
  %c = onnx.node "MatMul" version 13 (%m, %v) : (tensor<8x8xf32>, tensor<8xf32>) -> tensor<*xf32>
  return %a, %b, %c : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

// Transposition is a matter of maps, alpha and the bias of one pass over the product.
// CHECK: #[[A:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[B:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: @gemm
// CHECK: %[[Y:.+]] = linalg.matmul indexing_maps = [#[[A]], #[[B]], #{{.+}}]
// CHECK: linalg.generic {{.*}} ins(%[[Y]], %arg2 : tensor<?x4xf32>, tensor<4xf32>)
// CHECK: %[[SCALED:.+]] = arith.mulf
// CHECK: arith.addf %[[SCALED]]
// CHECK-NOT: linalg.generic
func.func @gemm(%a: tensor<?x8xf32, #onnx.dims<"b", "8">>, %b: tensor<4x8xf32>, %c: tensor<4xf32>) -> tensor<*xf32> {
  %y = onnx.node "Gemm" version 13 (%a, %b, %c) attributes {transB = 1 : i64, alpha = 5.000000e-01 : f32} : (tensor<?x8xf32, #onnx.dims<"b", "8">>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// "i" sums at once, since nothing behind the second input needs it.
// CHECK-LABEL: @einsum_two_at_a_time
// CHECK: %[[FIRST:.+]] = linalg.generic {{.*}} ins(%arg0, %arg1 : tensor<2x3xf32>, tensor<3x4xf32>) outs(%{{.+}} : tensor<2x4xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[FIRST]], %arg2 : tensor<2x4xf32>, tensor<4x5xf32>) outs(%{{.+}} : tensor<5x2xf32>)
func.func @einsum_two_at_a_time(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>, %c: tensor<4x5xf32>) -> tensor<*xf32> {
  %y = onnx.node "Einsum" version 12 (%a, %b, %c) attributes {equation = "ai, ij, jk -> ka"} : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
