// com.microsoft.MatMulNBits and GatherBlockQuantized make weights as they are used.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s

// One product with loops for blocks, bytes and the numbers of a byte; nothing of the weights' shape is made.
// CHECK-LABEL: @product
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<?x?x64xf32>, %[[B:[a-z0-9]+]]: tensor<6x2x16xi8>, %[[S:[a-z0-9]+]]: tensor<6x2xf32>
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction", "reduction", "reduction"]
// CHECK-SAME: ins(%{{.+}}, %[[B]], %[[S]] : tensor<?x2x16x2xf32>, tensor<6x2x16xi8>, tensor<6x2xf32>)
// CHECK: %[[PART:.+]] = linalg.index 4
// CHECK: arith.shrui
// CHECK: arith.andi %{{.+}}, %c15_i32
// CHECK: arith.subf %{{.+}}, %cst{{.*}} : f32
// CHECK-NOT: linalg.generic
// CHECK: return %{{.+}} : tensor<?x?x6xf32>
func.func @product(%a: tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, %b: tensor<6x2x16xui8>, %s: tensor<6x2xf32>) -> tensor<*xf32> {
  %y = onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%a, %b, %s) attributes {K = 64 : i64, N = 6 : i64, bits = 4 : i64, block_size = 32 : i64}
      : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, tensor<6x2x16xui8>, tensor<6x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Where the last block isn't full, the activations get zeros for the rest of it.
// CHECK-LABEL: @last_block
// CHECK: tensor.insert_slice %{{.+}} into %{{.+}}[0, 0] [%{{.+}}, 40] [1, 1] : tensor<?x40xf32> into tensor<?x64xf32>
// CHECK: linalg.generic
// CHECK-SAME: tensor<?x2x32xf32>, tensor<6x2x32xi8>, tensor<6x2xf32>, tensor<6x2xf32>
func.func @last_block(%a: tensor<?x40xf32, #onnx.dims<"m", "40">>, %b: tensor<6x2x32xui8>, %s: tensor<6x2xf32>, %z: tensor<6x2xf32>) -> tensor<*xf32> {
  %y = onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%a, %b, %s, %z) attributes {K = 40 : i64, N = 6 : i64, bits = 8 : i64, block_size = 32 : i64}
      : (tensor<?x40xf32, #onnx.dims<"m", "40">>, tensor<6x2x32xui8>, tensor<6x2xf32>, tensor<6x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Rows of a product's weights, read as an embedding through a view of the same tensor.
// CHECK-LABEL: @gather
// CHECK: %[[W:.+]] = llm.constant
// CHECK: %[[ROWS:.+]] = tensor.collapse_shape %[[W]] {{\[\[}}0], [1, 2]] : tensor<512x2x16xi8> into tensor<512x32xi8>
// CHECK: linalg.generic {{.*}} ins(%{{.+}} : tensor<?x?xi64>)
// CHECK: kernel.check %{{.+}} code 1
// CHECK: tensor.extract %[[ROWS]]
// CHECK: } -> tensor<?x?x64xf32>
llm.weight @embedding from "weights.data" offset 0 length 16384 : tensor<512x2x16xui8>
func.func @gather(%i: tensor<?x?xi64, #onnx.dims<"b", "s">>, %s: tensor<512x2xf32>) -> tensor<*xf32> {
  %w = onnx.constant #llm.weight<@embedding : tensor<512x2x16xui8>> -> tensor<512x2x16xui8>
  %flat = onnx.constant dense<[512, 32]> : tensor<2xi64> -> tensor<2xi64>
  %d = onnx.node "Reshape" version 17 (%w, %flat) : (tensor<512x2x16xui8>, tensor<2xi64>) -> tensor<512x32xui8>
  %y = onnx.node "GatherBlockQuantized" domain "com.microsoft" version 1 (%d, %i, %s) attributes {bits = 4 : i64, block_size = 32 : i64}
      : (tensor<512x32xui8>, tensor<?x?xi64, #onnx.dims<"b", "s">>, tensor<512x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
