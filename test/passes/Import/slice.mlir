// Parts of tensors, and tensors put together.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes | FileCheck %s --check-prefix=DIMS
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s

// There may be no last row: the slice has min(1, s) rows.
// DIMS-LABEL: @last_row
// DIMS: #onnx.dims<"b", "min(1, s)", "8">
// CHECK-LABEL: @last_row
// CHECK: tensor.extract_slice
func.func @last_row(%x: tensor<?x?x8xf32, #onnx.dims<"b", "s", "8">>) -> tensor<*xf32> {
  %r = onnx.node "Slice" version 9 (%x) attributes {starts = array<i64: -1>, ends = array<i64: 9223372036854775807>, axes = array<i64: 1>} : (tensor<?x?x8xf32, #onnx.dims<"b", "s", "8">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// DIMS-LABEL: @symbolic_bounds
// DIMS: "Slice"{{.*}} #onnx.dims<"s", "8">
func.func @symbolic_bounds(%x: tensor<?x8xf32, #onnx.dims<"p + s", "8">>, %y: tensor<?xf32, #onnx.dims<"p">>) -> tensor<*xf32> {
  %start = onnx.node "Shape" version 17 (%y) : (tensor<?xf32, #onnx.dims<"p">>) -> tensor<1xi64>
  %end = onnx.constant dense<2147483647> : tensor<1xi64> -> tensor<1xi64>
  %r = onnx.node "Slice" version 17 (%x, %start, %end) : (tensor<?x8xf32, #onnx.dims<"p + s", "8">>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// Nothing but a strided view can go backwards: the elements are read one by one.
// CHECK-LABEL: @reverse
// CHECK: %[[N:.+]] = program.symbol "n"
// CHECK: linalg.generic
// CHECK: %[[I:.+]] = linalg.index 0
// CHECK: %[[AT:.+]] = arith.subi %{{.*}}, %[[I]]
// CHECK: tensor.extract %arg0[%[[AT]]]
func.func @reverse(%x: tensor<?xf32, #onnx.dims<"n">>) -> tensor<*xf32> {
  %start = onnx.constant dense<-1> : tensor<1xi64> -> tensor<1xi64>
  %end = onnx.constant dense<-9223372036854775808> : tensor<1xi64> -> tensor<1xi64>
  %axis = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
  %step = onnx.constant dense<-1> : tensor<1xi64> -> tensor<1xi64>
  %r = onnx.node "Slice" version 17 (%x, %start, %end, %axis, %step) : (tensor<?xf32, #onnx.dims<"n">>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// The parts are written into the result in place.
// DIMS-LABEL: @concat_grows_axis
// DIMS: "Concat"{{.*}} #onnx.dims<"b", "p + s", "8">
// CHECK-LABEL: @concat_grows_axis
// CHECK-SAME: %[[P:.+]]: tensor<?x?x8xf32>, %[[X:.+]]: tensor<?x?x8xf32>
// CHECK: program.region
// CHECK: %[[E:.+]] = tensor.empty
// CHECK: %[[FIRST:.+]] = tensor.insert_slice %[[P]] into %[[E]][0, 0, 0]
// CHECK: %[[BOTH:.+]] = tensor.insert_slice %[[X]] into %[[FIRST]][0, %{{.+}}, 0]
// CHECK: program.yield %[[BOTH]]
func.func @concat_grows_axis(%p: tensor<?x?x8xf32, #onnx.dims<"b", "p", "8">>, %x: tensor<?x?x8xf32, #onnx.dims<"c", "s", "8">>) -> tensor<*xf32> {
  %r = onnx.node "Concat" version 17 (%p, %x) attributes {axis = -2 : i64} : (tensor<?x?x8xf32, #onnx.dims<"b", "p", "8">>, tensor<?x?x8xf32, #onnx.dims<"c", "s", "8">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: @split_reads_no_unused_part
// CHECK: tensor.extract_slice %arg0[0, 3] [%{{.+}}, 3] [1, 1]
// CHECK-NOT: tensor.extract_slice
func.func @split_reads_no_unused_part(%x: tensor<?x7xf32, #onnx.dims<"b", "7">>) -> tensor<*xf32> {
  %r:3 = onnx.node "Split" version 18 (%x) attributes {axis = 1 : i64, num_outputs = 3 : i64} : (tensor<?x7xf32, #onnx.dims<"b", "7">>) -> (tensor<*xf32>, tensor<*xf32>, tensor<?x1xf32>)
  return %r#1 : tensor<*xf32>
}

// -----

// The input is copied into a tensor of the pad value, less what negative pads take away.
// DIMS-LABEL: @pad_and_crop
// DIMS: "Pad"{{.*}} #onnx.dims<"n + 3", "6">
// CHECK-LABEL: @pad_and_crop
// CHECK: program.region
// CHECK: %[[PART:.+]] = tensor.extract_slice %arg0[0, 2]
// CHECK: %[[F:.+]] = linalg.fill
// CHECK: tensor.insert_slice %[[PART]] into %[[F]][1, 0]
func.func @pad_and_crop(%x: tensor<?x8xf32, #onnx.dims<"n", "8">>) -> tensor<*xf32> {
  %r = onnx.node "Pad" version 2 (%x) attributes {pads = array<i64: 1, -2, 2, 0>, value = 1.0 : f32} : (tensor<?x8xf32, #onnx.dims<"n", "8">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}
