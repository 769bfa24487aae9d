// Elements read and written where other elements say.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s

// A bad index fails the call, and what is read is always inside.
// CHECK-LABEL: @gather_checks_and_clamps
// CHECK-SAME: %[[X:.+]]: tensor<100x8xf32>, %[[I:.+]]: tensor<?x?xi64>
// CHECK: linalg.generic {{.*}} ins(%[[I]] : tensor<?x?xi64>)
// CHECK: ^bb0(%[[AT:.+]]: i64
// CHECK: %[[INDEX:.+]] = arith.index_cast %[[AT]]
// CHECK: %[[NEGATIVE:.+]] = arith.cmpi slt, %[[INDEX]]
// CHECK: %[[FRONT:.+]] = arith.select %[[NEGATIVE]]
// CHECK: %[[INSIDE:.+]] = arith.cmpi ult, %[[FRONT]], %c100
// CHECK: kernel.check %[[INSIDE]] code 1
// CHECK: %[[LOW:.+]] = arith.minsi %[[FRONT]], %c99
// CHECK: %[[CLAMPED:.+]] = arith.maxsi %[[LOW]], %c0
// CHECK: tensor.extract %[[X]][%[[CLAMPED]]
func.func @gather_checks_and_clamps(%x: tensor<100x8xf32>, %i: tensor<?x?xi64, #onnx.dims<"b", "s">>) -> tensor<*xf32> {
  %r = onnx.node "Gather" version 17 (%x, %i) : (tensor<100x8xf32>, tensor<?x?xi64, #onnx.dims<"b", "s">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// One constant index is a slice; that it exists is checked once a call.
// CHECK-LABEL: @constant_index_is_a_slice
// CHECK: program.guard "min(1, s)" equals "1"
// CHECK: tensor.extract_slice %arg0[0, 0, 0] [%{{.+}}, 1, 8] [1, 1, 1]
// CHECK-NOT: linalg.generic
func.func @constant_index_is_a_slice(%x: tensor<?x?x8xf32, #onnx.dims<"b", "s", "8">>) -> tensor<*xf32> {
  %i = onnx.constant dense<0> : tensor<i64> -> tensor<i64>
  %r = onnx.node "Gather" version 17 (%x, %i) attributes {axis = 1 : i64} : (tensor<?x?x8xf32, #onnx.dims<"b", "s", "8">>, tensor<i64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: @gather_nd_reads_each_part_of_the_index
// CHECK: linalg.generic
// CHECK-COUNT-2: kernel.check
// CHECK: linalg.yield
// CHECK: } -> tensor<?x4xf32>
func.func @gather_nd_reads_each_part_of_the_index(%x: tensor<3x5x4xf32>, %i: tensor<?x2xi64, #onnx.dims<"n", "2">>) -> tensor<*xf32> {
  %r = onnx.node "GatherND" version 17 (%x, %i) : (tensor<3x5x4xf32>, tensor<?x2xi64, #onnx.dims<"n", "2">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// Updates are applied in order, in one dispatch.
// CHECK-LABEL: @scatter_adds_in_order
// CHECK-SAME: %[[X:.+]]: tensor<4x8xf32>, %[[I:.+]]: tensor<?x1xi64>, %[[U:.+]]: tensor<?x8xf32>
// CHECK: program.region
// CHECK: %[[COPY:.+]] = linalg.copy ins(%[[X]]
// CHECK: scf.for {{.*}} iter_args(%{{.+}} = %[[COPY]])
// CHECK: scf.for {{.*}} iter_args(%[[T:.+]] = %
// CHECK: %[[UPDATE:.+]] = tensor.extract %[[U]]
// CHECK: kernel.check %{{.+}} code 1
// CHECK: %[[OLD:.+]] = tensor.extract %[[T]]
// CHECK: %[[SUM:.+]] = arith.addf %[[OLD]], %[[UPDATE]]
// CHECK: tensor.insert %[[SUM]] into %[[T]]
func.func @scatter_adds_in_order(%x: tensor<4x8xf32>, %i: tensor<?x1xi64, #onnx.dims<"n", "1">>, %u: tensor<?x8xf32, #onnx.dims<"n", "8">>) -> tensor<*xf32> {
  %r = onnx.node "ScatterND" version 17 (%x, %i, %u) attributes {reduction = "add"} : (tensor<4x8xf32>, tensor<?x1xi64, #onnx.dims<"n", "1">>, tensor<?x8xf32, #onnx.dims<"n", "8">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: @max_of_unsigned
// CHECK: arith.maxui
func.func @max_of_unsigned(%x: tensor<4xui8>, %i: tensor<3xi64>, %u: tensor<3xui8>) -> tensor<*xui8> {
  %r = onnx.node "ScatterElements" version 18 (%x, %i, %u) attributes {reduction = "max"} : (tensor<4xui8>, tensor<3xi64>, tensor<3xui8>) -> tensor<*xui8>
  return %r : tensor<*xui8>
}

// -----

// There must be k elements to take.
// CHECK-LABEL: @top_k_needs_k_elements
// CHECK: program.guard "min(3, n)" equals "3"
// CHECK: program.region -> tensor<?x3xf32>, tensor<?x3xi64>
func.func @top_k_needs_k_elements(%x: tensor<?x?xf32, #onnx.dims<"b", "n">>) -> (tensor<*xf32>, tensor<*xi64>) {
  %k = onnx.constant dense<3> : tensor<1xi64> -> tensor<1xi64>
  %v, %i = onnx.node "TopK" version 11 (%x, %k) : (tensor<?x?xf32, #onnx.dims<"b", "n">>, tensor<1xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  return %v, %i : tensor<*xf32>, tensor<*xi64>
}

// -----

// The search needs no memory for the values it compares.
// CHECK-LABEL: @arg_max_searches_in_place
// CHECK: linalg.generic
// CHECK: %[[FOUND:.+]]:2 = scf.for
// CHECK: arith.index_cast %[[FOUND]]#1 : index to i64
// CHECK-NOT: linalg.fill
func.func @arg_max_searches_in_place(%x: tensor<?x100xf32, #onnx.dims<"b", "100">>) -> tensor<*xi64> {
  %r = onnx.node "ArgMax" version 13 (%x) attributes {axis = -1 : i64, keepdims = 0 : i64} : (tensor<?x100xf32, #onnx.dims<"b", "100">>) -> tensor<*xi64>
  return %r : tensor<*xi64>
}
