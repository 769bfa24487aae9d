// Values of sizes go through the chains that exporters write, so that computed shapes have symbolic dimensions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes | FileCheck %s
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s --check-prefix=LINALG

// CHECK-LABEL: @reshape_by_gathered_sizes
// CHECK: "Concat"{{.*}} known [#onnx.values<"b", "s", "4", "16">]
// CHECK: "Reshape"{{.*}} -> tensor<?x?x4x16xf32, #onnx.dims<"b", "s", "4", "16">>
// LINALG-LABEL: @reshape_by_gathered_sizes
// LINALG-NOT: onnx.node
// LINALG: %[[B:.+]] = program.symbol "b"
// LINALG: %[[S:.+]] = program.symbol "s"
// LINALG: tensor.expand_shape {{.*}} output_shape [%[[B]], %[[S]], 4, 16]
func.func @reshape_by_gathered_sizes(%x: tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>) -> tensor<*xf32> {
  %s = onnx.node "Shape" version 17 (%x) : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>) -> tensor<3xi64>
  %c0 = onnx.constant dense<0> : tensor<i64> -> tensor<i64>
  %c1 = onnx.constant dense<-2> : tensor<i64> -> tensor<i64>
  %axis = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
  %heads = onnx.constant dense<[4, 16]> : tensor<2xi64> -> tensor<2xi64>
  %g0 = onnx.node "Gather" version 17 (%s, %c0) : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %g1 = onnx.node "Gather" version 17 (%s, %c1) : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %u0 = onnx.node "Unsqueeze" version 17 (%g0, %axis) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %u1 = onnx.node "Unsqueeze" version 17 (%g1, %axis) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %t = onnx.node "Concat" version 17 (%u0, %u1, %heads) attributes {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<4xi64>
  %r = onnx.node "Reshape" version 17 (%x, %t) : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, tensor<4xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// Before each Expand, -1 stands for "keep": no size is -1, so the shape is the size itself.
// CHECK-LABEL: @expand_where_not_minus_one
// CHECK: "Where"{{.*}} known [#onnx.values<"b", "s">]
// CHECK: "Expand"{{.*}} -> tensor<?x?xf32, #onnx.dims<"b", "s">>
// LINALG-LABEL: @expand_where_not_minus_one
// LINALG-SAME: %[[X:.+]]: tensor<1x?xf32>
// LINALG: linalg.generic {{.*}} ins(%[[X]] : tensor<1x?xf32>)
func.func @expand_where_not_minus_one(%x: tensor<1x?xf32, #onnx.dims<"1", "s">>, %y: tensor<?x?xf32, #onnx.dims<"b", "s">>) -> tensor<*xf32> {
  %s = onnx.node "Shape" version 17 (%y) : (tensor<?x?xf32, #onnx.dims<"b", "s">>) -> tensor<2xi64>
  %n = onnx.constant dense<2> : tensor<1xi64> -> tensor<1xi64>
  %m = onnx.constant dense<-1> : tensor<i64> -> tensor<i64>
  %ones = onnx.node "ConstantOfShape" version 17 (%n) attributes {value = dense<1> : tensor<1xi64>} : (tensor<1xi64>) -> tensor<2xi64>
  %keep = onnx.node "Mul" version 17 (%ones, %m) : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  %eq = onnx.node "Equal" version 17 (%s, %keep) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi1>
  %w = onnx.node "Where" version 17 (%eq, %ones, %s) : (tensor<2xi1>, tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %r = onnx.node "Expand" version 17 (%x, %w) : (tensor<1x?xf32, #onnx.dims<"1", "s">>, tensor<2xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: @slice_and_divide_sizes
// CHECK: "Slice"{{.*}} known [#onnx.values<"s", "64">]
// CHECK: "Div"{{.*}} known [#onnx.values<"32">]
// CHECK: "Slice"{{.*}} -> tensor<?x?x32xf32, #onnx.dims<"b", "s", "32">>
func.func @slice_and_divide_sizes(%x: tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>) -> tensor<*xf32> {
  %s = onnx.node "Shape" version 17 (%x) : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>) -> tensor<3xi64>
  %one = onnx.constant dense<1> : tensor<1xi64> -> tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64> -> tensor<1xi64>
  %tail = onnx.node "Slice" version 17 (%s, %one, %end) : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %last = onnx.node "Gather" version 17 (%tail, %one) : (tensor<2xi64>, tensor<1xi64>) -> tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64> -> tensor<1xi64>
  %half = onnx.node "Div" version 17 (%last, %two) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %r = onnx.node "Slice" version 17 (%x, %half, %end, %two) : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: @range_of_symbolic_length
// CHECK: "Range"{{.*}} -> tensor<?xi64, #onnx.dims<"s">>
// LINALG-LABEL: @range_of_symbolic_length
// LINALG: %[[P:.+]] = program.symbol "p"
// LINALG: linalg.generic
// LINALG: arith.index_cast %[[P]] : index to i64
func.func @range_of_symbolic_length(%x: tensor<?x?xf32, #onnx.dims<"p", "p + s">>) -> tensor<*xi64> {
  %s = onnx.node "Shape" version 17 (%x) : (tensor<?x?xf32, #onnx.dims<"p", "p + s">>) -> tensor<2xi64>
  %c0 = onnx.constant dense<0> : tensor<i64> -> tensor<i64>
  %c1 = onnx.constant dense<1> : tensor<i64> -> tensor<i64>
  %p = onnx.node "Gather" version 17 (%s, %c0) : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %t = onnx.node "Gather" version 17 (%s, %c1) : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %r = onnx.node "Range" version 17 (%p, %t, %c1) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return %r : tensor<*xi64>
}

// -----

// CHECK-LABEL: @short_range_has_values
// CHECK: "Range"{{.*}} known [#onnx.values<"7", "5", "3">] {{.*}} -> tensor<3xi64, #onnx.dims<"3">>
func.func @short_range_has_values() -> tensor<*xi64> {
  %from = onnx.constant dense<7> : tensor<i64> -> tensor<i64>
  %to = onnx.constant dense<2> : tensor<i64> -> tensor<i64>
  %by = onnx.constant dense<-2> : tensor<i64> -> tensor<i64>
  %r = onnx.node "Range" version 17 (%from, %to, %by) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return %r : tensor<*xi64>
}

// -----

// CHECK-LABEL: @size_start_end
// CHECK: "Shape"{{.*}} known [#onnx.values<"s">]
// CHECK: "Size"{{.*}} known [#onnx.values<"64*b*s">]
func.func @size_start_end(%x: tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>) -> (tensor<*xi64>, tensor<i64>) {
  %s = onnx.node "Shape" version 17 (%x) attributes {start = -2 : i64, end = -1 : i64} : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>) -> tensor<*xi64>
  %n = onnx.node "Size" version 17 (%x) : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>) -> tensor<i64>
  return %s, %n : tensor<*xi64>, tensor<i64>
}

// -----

// Whether the heads divide into groups is decided when compiling.
// CHECK-LABEL: @conditions_on_sizes
// CHECK: "Not"{{.*}} known [#onnx.values<"1">]
// CHECK: "And"{{.*}} known [#onnx.values<"1">]
// CHECK: "Where"{{.*}} known [#onnx.values<"3">]
// CHECK: "Max"{{.*}} known [#onnx.values<"3">]
// CHECK: "Neg"{{.*}} known [#onnx.values<"-3">]
func.func @conditions_on_sizes() -> tensor<1xi64> {
  %nine = onnx.constant dense<9> : tensor<1xi64> -> tensor<1xi64>
  %three = onnx.constant dense<3> : tensor<1xi64> -> tensor<1xi64>
  %one = onnx.constant dense<1> : tensor<1xi64> -> tensor<1xi64>
  %zero = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
  %same = onnx.node "Equal" version 24 (%nine, %three) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %differ = onnx.node "Not" version 24 (%same) : (tensor<1xi1>) -> tensor<1xi1>
  %rest = onnx.node "Mod" version 24 (%nine, %three) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %divides = onnx.node "Equal" version 24 (%rest, %zero) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %both = onnx.node "And" version 24 (%differ, %divides) : (tensor<1xi1>, tensor<1xi1>) -> tensor<1xi1>
  %groups = onnx.node "Where" version 24 (%both, %three, %one) : (tensor<1xi1>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %max = onnx.node "Max" version 24 (%groups, %one) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %neg = onnx.node "Neg" version 24 (%max) : (tensor<1xi64>) -> tensor<1xi64>
  return %neg : tensor<1xi64>
}
