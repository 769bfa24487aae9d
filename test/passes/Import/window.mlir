// Convolutions and poolings: sizes, padding, groups.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s

// CHECK-LABEL: @conv_with_padding
// CHECK-SAME: -> tensor<?x6x?x?xf32>
// CHECK-DAG: %[[H:.+]] = program.symbol "h"
// CHECK-DAG: %[[MORE:.+]] = arith.addi %[[H]], %c2
// CHECK: %[[PADDED:.+]] = program.region
// CHECK: linalg.fill
// CHECK: tensor.insert_slice %arg0 into %{{.+}}[0, 0, 1, 1] [%{{.+}}, 4, %[[H]], %{{.+}}] [1, 1, 1, 1]
// CHECK: %[[Y:.+]] = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>} ins(%[[PADDED]], %arg1
// CHECK: linalg.generic {{.*}} ins(%[[Y]], %arg2
func.func @conv_with_padding(%x: tensor<?x4x?x?xf32, #onnx.dims<"b", "4", "h", "w">>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) -> tensor<*xf32> {
  %y = onnx.node "Conv" version 11 (%x, %w, %b) attributes {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<?x4x?x?xf32, #onnx.dims<"b", "4", "h", "w">>, tensor<6x4x3x3xf32>, tensor<6xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Without padding the window may not fit, which the call tells; the weight tells the channels.
// CHECK-LABEL: @conv_may_not_fit
// CHECK-SAME: %arg0: tensor<1x4x?xf32>
// CHECK: program.guard "min(0, w - 2)" equals "0"
// CHECK-NOT: program.region
// CHECK: linalg.conv_1d_ncw_fcw {{.*}} ins(%arg0, %arg1
func.func @conv_may_not_fit(%x: tensor<1x?x?xf32, #onnx.dims<"1", "c", "w">>, %w: tensor<6x4x3xf32>) -> tensor<*xf32> {
  %y = onnx.node "Conv" version 11 (%x, %w) : (tensor<1x?x?xf32, #onnx.dims<"1", "c", "w">>, tensor<6x4x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// CHECK: #[[X:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d3 * 2 + d5 * 3)>
// CHECK: #[[W:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d2, d4, d5)>
// CHECK-LABEL: @groups
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]], #{{.+}}]
// CHECK-SAME: ins(%{{.+}}, %{{.+}} : tensor<1x2x2x20xf32>, tensor<2x3x2x3xf32>) outs(%{{.+}} : tensor<1x2x3x7xf32>)
func.func @groups(%x: tensor<1x4x20xf32>, %w: tensor<6x2x3xf32>) -> tensor<*xf32> {
  %y = onnx.node "Conv" version 11 (%x, %w) attributes {group = 2 : i64, strides = array<i64: 2>, dilations = array<i64: 3>} : (tensor<1x4x20xf32>, tensor<6x2x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// As many windows as strides: ceil(9 / 2). What the padding has too much of stands at the end (UPPER) or before.
// CHECK-LABEL: @same
// CHECK: tensor.insert_slice %arg0 into %{{.+}}[0, 0, 1] [1, 1, 9] [1, 1, 1] : tensor<1x1x9xf32> into tensor<1x1x12xf32>
// CHECK: outs(%{{.+}} : tensor<1x1x5xf32>)
// CHECK: tensor.insert_slice %arg0 into %{{.+}}[0, 0, 2] [1, 1, 9] [1, 1, 1] : tensor<1x1x9xf32> into tensor<1x1x12xf32>
func.func @same(%x: tensor<1x1x9xf32>, %w: tensor<1x1x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y = onnx.node "Conv" version 11 (%x, %w) attributes {auto_pad = "SAME_UPPER", strides = array<i64: 2>} : (tensor<1x1x9xf32>, tensor<1x1x4xf32>) -> tensor<*xf32>
  %z = onnx.node "Conv" version 11 (%x, %w) attributes {auto_pad = "SAME_LOWER", strides = array<i64: 2>} : (tensor<1x1x9xf32>, tensor<1x1x4xf32>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// -----

// The image gets zeros between its elements; the window reads backwards.
// CHECK: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d3 - d5 + 3)>
// CHECK-LABEL: @conv_transpose
// CHECK-SAME: -> tensor<1x3x9xf32>
// CHECK: tensor.insert_slice %arg0 into %{{.+}}[0, 0, 2] [1, 2, 5] [1, 1, 2] : tensor<1x2x5xf32> into tensor<1x2x12xf32>
func.func @conv_transpose(%x: tensor<1x2x5xf32>, %w: tensor<2x3x3xf32>) -> tensor<*xf32> {
  %y = onnx.node "ConvTranspose" version 11 (%x, %w) attributes {strides = array<i64: 2>, pads = array<i64: 1, 1>} : (tensor<1x2x5xf32>, tensor<2x3x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// ceil((6 - 2) / 3) + 1 = 3 windows, of which the last begins at 6, behind the image: 2 are left.
// CHECK-LABEL: @no_window_behind_the_image
// CHECK-SAME: -> tensor<1x1x2xf32>
func.func @no_window_behind_the_image(%x: tensor<1x1x6xf32>) -> tensor<*xf32> {
  %y = onnx.node "MaxPool" version 12 (%x) attributes {kernel_shape = array<i64: 2>, strides = array<i64: 3>, ceil_mode = 1 : i64} : (tensor<1x1x6xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// The last window reaches over the end: what is there is the smallest number.
// CHECK-LABEL: @max_pool_ceil
// CHECK-SAME: -> tensor<1x1x3xf32>
// CHECK: linalg.fill ins(%cst{{.*}} : f32) outs(%{{.+}} : tensor<1x1x6xf32>)
// CHECK: tensor.insert_slice %arg0 into %{{.+}}[0, 0, 0] [1, 1, 5]
// CHECK: arith.maximumf
func.func @max_pool_ceil(%x: tensor<1x1x5xf32>) -> tensor<*xf32> {
  %y = onnx.node "MaxPool" version 12 (%x) attributes {kernel_shape = array<i64: 2>, strides = array<i64: 2>, ceil_mode = 1 : i64} : (tensor<1x1x5xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Padding counts in the first mean only, whose divisor is therefore a constant.
// CHECK-LABEL: @average_pool
// CHECK: arith.divf %{{.+}}, %cst
// CHECK: linalg.index 2
// CHECK: arith.divf
func.func @average_pool(%x: tensor<1x1x8xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y = onnx.node "AveragePool" version 19 (%x) attributes {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>, count_include_pad = 1 : i64} : (tensor<1x1x8xf32>) -> tensor<*xf32>
  %z = onnx.node "AveragePool" version 19 (%x) attributes {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<1x1x8xf32>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// -----

// CHECK-LABEL: @resize_symbolic_image
// CHECK-SAME: -> tensor<1x3x?x?xf32>
// CHECK-DAG: %[[H:.+]] = program.symbol "h"
// CHECK-DAG: %[[W:.+]] = program.symbol "w"
// CHECK-DAG: arith.muli %[[H]], %c2
// CHECK-DAG: %[[THREE:.+]] = arith.muli %[[W]], %c3
// CHECK-DAG: arith.floordivsi %[[THREE]], %c4
// CHECK: tensor.extract %arg0
func.func @resize_symbolic_image(%x: tensor<1x3x?x?xf32, #onnx.dims<"1", "3", "h", "w">>) -> tensor<*xf32> {
  %none = onnx.none
  %s = onnx.constant dense<[1.0, 1.0, 2.0, 0.75]> : tensor<4xf32> -> tensor<4xf32>
  %y = onnx.node "Resize" version 13 (%x, %none, %s) attributes {mode = "nearest"} : (tensor<1x3x?x?xf32, #onnx.dims<"1", "3", "h", "w">>, !onnx.none, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
