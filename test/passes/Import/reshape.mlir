// The same elements in another shape.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes | FileCheck %s --check-prefix=DIMS

// Factors that both sides have are cancelled before dividing, since they may be 0.
// DIMS-LABEL: @open_dimension_cancels_symbols
// DIMS: #onnx.dims<"b", "s", "4", "16">
// CHECK-LABEL: @open_dimension_cancels_symbols
// CHECK-NOT: arith.floordivsi
// CHECK-NOT: program.guard
func.func @open_dimension_cancels_symbols(%x: tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>) -> tensor<*xf32> {
  %t = onnx.constant dense<[0, 0, -1, 16]> : tensor<4xi64> -> tensor<4xi64>
  %r = onnx.node "Reshape" version 17 (%x, %t) : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, tensor<4xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// A division that may leave a rest is checked when the model is called.
// CHECK-LABEL: @guard_what_must_divide
// CHECK: program.guard "n" equals "4*floordiv(n, 4)"
func.func @guard_what_must_divide(%x: tensor<?xf32, #onnx.dims<"n">>) -> tensor<*xf32> {
  %t = onnx.constant dense<[-1, 4]> : tensor<2xi64> -> tensor<2xi64>
  %r = onnx.node "Reshape" version 17 (%x, %t) : (tensor<?xf32, #onnx.dims<"n">>, tensor<2xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// Without -1, the numbers of elements are an equation: n is 6.
// DIMS-LABEL: @solve_element_count
// DIMS-SAME: %arg0: tensor<6x8xf32, #onnx.dims<"6", "8">>
func.func @solve_element_count(%x: tensor<?x8xf32, #onnx.dims<"n", "8">>) -> tensor<*xf32> {
  %t = onnx.constant dense<[3, 16]> : tensor<2xi64> -> tensor<2xi64>
  %r = onnx.node "Reshape" version 17 (%x, %t) : (tensor<?x8xf32, #onnx.dims<"n", "8">>, tensor<2xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// A shape that isn't known is no obstacle where the model states the output's.
// CHECK-LABEL: @runtime_shape_with_stated_output
// CHECK: tensor.expand_shape %{{.*}} output_shape [2, 3] : tensor<6xf32> into tensor<2x3xf32>
func.func @runtime_shape_with_stated_output(%x: tensor<6xf32>, %t: tensor<2xi64>)
    -> (tensor<*xf32> {program.tensor = #program.tensor<"y", f32, dims ["2", "3"], labels ["2", "3"]>}) {
  %r = onnx.node "Reshape" version 17 (%x, %t) : (tensor<6xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// DIMS-LABEL: @old_axes_are_attributes
// DIMS: "Unsqueeze"{{.*}} #onnx.dims<"1", "b", "64", "1">
// DIMS: "Squeeze"{{.*}} #onnx.dims<"b", "64">
// DIMS: "Flatten"{{.*}} #onnx.dims<"1", "64*b">
func.func @old_axes_are_attributes(%x: tensor<?x64xf32, #onnx.dims<"b", "64">>) -> (tensor<*xf32>, tensor<*xf32>) {
  %u = onnx.node "Unsqueeze" version 11 (%x) attributes {axes = array<i64: 0, -1>} : (tensor<?x64xf32, #onnx.dims<"b", "64">>) -> tensor<1x?x?x1xf32>
  %s = onnx.node "Squeeze" version 11 (%u) attributes {axes = array<i64: 0, 3>} : (tensor<1x?x?x1xf32>) -> tensor<*xf32>
  %f = onnx.node "Flatten" version 11 (%u) : (tensor<1x?x?x1xf32>) -> tensor<*xf32>
  return %s, %f : tensor<*xf32>, tensor<*xf32>
}
