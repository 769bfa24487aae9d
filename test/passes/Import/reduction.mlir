// Reductions and normalisations: axes, types of sums, sizes that only the call knows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s

// The mean of a symbolic dimension divides by its size; the sum is made in f32 and rounded once.
// CHECK-LABEL: @mean_of_symbolic_axis
// CHECK-DAG: %[[W:.+]] = program.symbol "w"
// CHECK: %[[SUM:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<?x4xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[SUM]] : tensor<?x4xf32>) outs(%{{.+}} : tensor<?x4xf16>)
// CHECK: arith.index_cast %[[W]]
// CHECK: arith.divf
// CHECK: arith.truncf
// CHECK: tensor.expand_shape %{{.+}} {{.}}[0], [1, 2]]
func.func @mean_of_symbolic_axis(%x: tensor<?x4x?xf16, #onnx.dims<"b", "4", "w">>) -> tensor<*xf16> {
  %axes = onnx.constant dense<[-1]> : tensor<1xi64> -> tensor<1xi64>
  %y = onnx.node "ReduceMean" version 18 (%x, %axes) : (tensor<?x4x?xf16, #onnx.dims<"b", "4", "w">>, tensor<1xi64>) -> tensor<*xf16>
  return %y : tensor<*xf16>
}

// -----

// No axes: none is reduced when the node says so, but the squares are taken.
// CHECK-LABEL: @no_axes
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]}
// CHECK: %[[SQUARE:.+]] = arith.mulf
// CHECK: arith.addf %{{.+}}, %[[SQUARE]]
func.func @no_axes(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %y = onnx.node "ReduceSumSquare" version 18 (%x, %none) attributes {noop_with_empty_axes = 1 : i64} : (tensor<2x3xf32>, !onnx.none) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// The number of elements from a shape is a size.
// CHECK-LABEL: @product_of_shape
// CHECK: %[[B:.+]] = program.symbol "b"
// CHECK: arith.muli %[[B]], %c12
// CHECK-NOT: linalg.generic
func.func @product_of_shape(%x: tensor<?x4x3xf32, #onnx.dims<"b", "4", "3">>) -> tensor<*xi64> {
  %shape = onnx.node "Shape" version 15 (%x) : (tensor<?x4x3xf32, #onnx.dims<"b", "4", "3">>) -> tensor<*xi64>
  %y = onnx.node "ReduceProd" version 13 (%shape) attributes {axes = array<i64: 0>, keepdims = 0 : i64} : (tensor<*xi64>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}

// -----

// The largest element of the row is subtracted before exp.
// CHECK-LABEL: @softmax
// CHECK: %[[MAX:.+]] = linalg.generic
// CHECK: arith.maximumf
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[MAX]] : tensor<?x8xf32>, tensor<?xf32>)
// CHECK: %[[D:.+]] = arith.subf
// CHECK: math.exp %[[D]]
func.func @softmax(%x: tensor<?x8xf32, #onnx.dims<"b", "8">>) -> tensor<*xf32> {
  %y = onnx.node "Softmax" version 13 (%x) : (tensor<?x8xf32, #onnx.dims<"b", "8">>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Before version 13 a row is all dimensions from axis 1 on.
// CHECK-LABEL: @old_softmax
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "reduction"]}
func.func @old_softmax(%x: tensor<2x3x4xf32>) -> tensor<*xf32> {
  %y = onnx.node "Softmax" version 11 (%x) : (tensor<2x3x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// The mean is an output; the inverse deviation, which nobody reads, isn't one.
// CHECK-LABEL: @layer_norm
// CHECK-SAME: -> (tensor<?x8xf16>, tensor<?x1xf32>)
// CHECK: %[[MEAN:.+]] = linalg.generic {{.*}} ins(%{{[0-9]+}} : tensor<?xf32>)
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[MEAN]] : tensor<?x8xf16>, tensor<?xf32>)
// CHECK: arith.subf
// CHECK: %[[INVERSE:.+]] = linalg.generic {{.*}} ins(%{{[0-9]+}} : tensor<?xf32>)
// CHECK: math.sqrt
// CHECK: %[[Y:.+]] = linalg.generic {{.*}} ins(%arg0, %[[INVERSE]], %[[MEAN]], %arg1, %arg2
// CHECK: %[[KEPT:.+]] = tensor.expand_shape %[[MEAN]]
// CHECK: return %[[Y]], %[[KEPT]]
func.func @layer_norm(%x: tensor<?x8xf16, #onnx.dims<"b", "8">>, %s: tensor<8xf16>, %b: tensor<8xf16>) -> (tensor<*xf16>, tensor<*xf32>) {
  %y:3 = onnx.node "LayerNormalization" version 17 (%x, %s, %b) : (tensor<?x8xf16, #onnx.dims<"b", "8">>, tensor<8xf16>, tensor<8xf16>) -> (tensor<*xf16>, tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf16>, tensor<*xf32>
}

// -----

// The sum that is normalised is the fourth output.
// CHECK-LABEL: @skip_rms_norm
// CHECK: %[[SUM:.+]] = linalg.generic {{.*}} ins(%arg0, %arg1
// CHECK: arith.addf
// CHECK: %[[Y:.+]] = linalg.generic {{.*}} ins(%[[SUM]], %{{.+}}, %arg2
// CHECK: return %[[Y]], %[[SUM]]
func.func @skip_rms_norm(%x: tensor<2x8xf32>, %skip: tensor<2x8xf32>, %s: tensor<8xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y:4 = onnx.node "SkipSimplifiedLayerNormalization" domain "com.microsoft" version 1 (%x, %skip, %s) : (tensor<2x8xf32>, tensor<2x8xf32>, tensor<8xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#3 : tensor<*xf32>, tensor<*xf32>
}
