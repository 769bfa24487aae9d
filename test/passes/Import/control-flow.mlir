// If and Loop become program.if and program.loop.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg | FileCheck %s

// The data decides: the host reads the condition back. Results that nobody reads go, with what computes them.
// CHECK-LABEL: @if_by_data
// CHECK-SAME: %[[X:.+]]: tensor<?xf32>, %[[C:.+]]: tensor<1xi1>
// CHECK: %[[N:.+]] = program.symbol "n"
// CHECK: %[[B:.+]] = program.read %[[C]] : tensor<1xi1> as i1 between 0 and 1 message "the condition of If"
// CHECK: %[[R:.+]] = program.if %[[B]] sizes(%[[N]]) -> tensor<?xf32> {
// CHECK:   %[[E:.+]] = linalg.generic {{.*}} ins(%[[X]]
// CHECK:   program.yield %[[E]] : tensor<?xf32>
// CHECK: } else {
// CHECK-NOT: linalg
// CHECK:   program.yield %[[X]] : tensor<?xf32>
// CHECK: return %[[R]]
func.func @if_by_data(%x: tensor<?xf32, #onnx.dims<"n">>, %c: tensor<1xi1>) -> tensor<*xf32> {
  %r:2 = onnx.node "If" version 17 (%c) : (tensor<1xi1>) -> (tensor<*xf32>, tensor<*xf32>) "then_branch" {
    %u = onnx.node "Exp" version 17 (%x) : (tensor<?xf32, #onnx.dims<"n">>) -> tensor<*xf32>
    onnx.yield %x, %u : tensor<?xf32, #onnx.dims<"n">>, tensor<*xf32>
  } "else_branch" {
    %u = onnx.node "Abs" version 17 (%x) : (tensor<?xf32, #onnx.dims<"n">>) -> tensor<*xf32>
    onnx.yield %u, %x : tensor<*xf32>, tensor<?xf32, #onnx.dims<"n">>
  }
  return %r#1 : tensor<*xf32>
}

// -----

// The sizes decide: the host computes the condition, nothing is read.
// CHECK-LABEL: @if_by_size
// CHECK: arith.maxsi
// CHECK: %[[C:.+]] = arith.minsi
// CHECK-NOT: program.read
// CHECK: program.if %[[C]] -> tensor<f32> {
func.func @if_by_size(%x: tensor<?xf32, #onnx.dims<"n">>, %y: tensor<f32>, %z: tensor<f32>) -> tensor<*xf32> {
  %s = onnx.node "Shape" version 17 (%x) : (tensor<?xf32, #onnx.dims<"n">>) -> tensor<1xi64>
  %three = onnx.constant dense<3> : tensor<1xi64> -> tensor<1xi64>
  %c = onnx.node "Less" version 17 (%s, %three) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %r = onnx.node "If" version 17 (%c) : (tensor<1xi1>) -> tensor<*xf32> "then_branch" {
    onnx.yield %y : tensor<f32>
  } "else_branch" {
    onnx.yield %z : tensor<f32>
  }
  return %r : tensor<*xf32>
}

// -----

// A check of one branch goes with it.
// CHECK-LABEL: @guard_in_branch
// CHECK: program.if
// CHECK-NEXT: program.guard "n" equals "4" message
// CHECK: } else {
// CHECK-NOT: program.guard
func.func @guard_in_branch(%x: tensor<?xf32, #onnx.dims<"n">>, %w: tensor<4xf32>, %c: tensor<i1>) -> tensor<*xf32> {
  %r = onnx.node "If" version 17 (%c) : (tensor<i1>) -> tensor<*xf32> "then_branch" {
    %u = onnx.node "MatMul" version 17 (%x, %w) : (tensor<?xf32, #onnx.dims<"n">>, tensor<4xf32>) -> tensor<*xf32>
    onnx.yield %u : tensor<*xf32>
  } "else_branch" {
    %u = onnx.node "MatMul" version 17 (%w, %w) : (tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
    onnx.yield %u : tensor<*xf32>
  }
  return %r : tensor<*xf32>
}

// -----

// As many trips as a size says; the counter is a tensor; no condition where it is always true.
// CHECK-LABEL: @loop_by_size
// CHECK-SAME: %[[X:.+]]: tensor<f32>, %[[Z:.+]]: tensor<?xf32>
// CHECK: %[[M:.+]] = program.symbol "m"
// CHECK: program.loop %[[M]] init(%[[X]]) : tensor<f32> sizes(%[[M]]) -> tensor<f32>, tensor<?xi64> {
// CHECK: ^bb0(%[[I:.+]]: index, %[[U:.+]]: tensor<f32>):
// CHECK: %[[N:.+]] = arith.index_cast %[[I]] : index to i64
// CHECK: %[[T:.+]] = tensor.from_elements %[[N]] : tensor<i64>
// CHECK: %[[V:.+]] = linalg.generic {{.*}} ins(%[[U]], %[[X]]
// CHECK: program.yield %[[V]], %[[T]] : tensor<f32>, tensor<i64>
func.func @loop_by_size(%x: tensor<f32>, %z: tensor<?xf32, #onnx.dims<"m">>) -> (tensor<*xf32>, tensor<*xi64>) {
  %s = onnx.node "Size" version 17 (%z) : (tensor<?xf32, #onnx.dims<"m">>) -> tensor<i64>
  %true = onnx.constant dense<true> : tensor<i1> -> tensor<i1>
  %r:2 = onnx.node "Loop" version 17 (%s, %true, %x) : (tensor<i64>, tensor<i1>, tensor<f32>) -> (tensor<*xf32>, tensor<*xi64>) "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    %v = onnx.node "Add" version 17 (%u, %x) : (tensor<*xf32>, tensor<f32>) -> tensor<*xf32>
    onnx.yield %go, %v, %i : tensor<i1>, tensor<*xf32>, tensor<i64>
  }
  return %r#0, %r#1 : tensor<*xf32>, tensor<*xi64>
}

// -----

// A trip count that is data is read with a bound; a condition of data is carried along.
// CHECK-LABEL: @loop_by_data
// CHECK-SAME: %[[X:.+]]: tensor<f32>, %[[M:.+]]: tensor<i64>, %[[C:.+]]: tensor<i1>
// CHECK: %[[N:.+]] = program.read %[[M]] : tensor<i64> as i64 between -9223372036854775808 and 2147483647 message "the trip count of Loop"
// CHECK: program.loop %[[N]] while %[[C]] : tensor<i1> init(%[[X]]) : tensor<f32> -> tensor<f32> {
// CHECK: %[[V:.+]] = linalg.generic
// CHECK: %[[L:.+]] = linalg.generic
// CHECK: program.yield %[[V]], %[[L]] : tensor<f32>, tensor<i1>
func.func @loop_by_data(%x: tensor<f32>, %m: tensor<i64>, %c: tensor<i1>) -> tensor<*xf32> {
  %r = onnx.node "Loop" version 17 (%m, %c, %x) : (tensor<i64>, tensor<i1>, tensor<f32>) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    %v = onnx.node "Exp" version 17 (%u) : (tensor<*xf32>) -> tensor<*xf32>
    %l = onnx.node "Less" version 17 (%u, %x) : (tensor<*xf32>, tensor<f32>) -> tensor<*xi1>
    onnx.yield %l, %v : tensor<*xi1>, tensor<*xf32>
  }
  return %r : tensor<*xf32>
}

// -----

// A condition that is false at first: no trip.
// CHECK-LABEL: @loop_never
// CHECK: %[[ZERO:.+]] = arith.constant 0 : index
// CHECK: program.loop %[[ZERO]] init
func.func @loop_never(%x: tensor<f32>) -> tensor<*xf32> {
  %none = onnx.none
  %false = onnx.constant dense<false> : tensor<i1> -> tensor<i1>
  %r = onnx.node "Loop" version 17 (%none, %false, %x) : (!onnx.none, tensor<i1>, tensor<f32>) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    %v = onnx.node "Exp" version 17 (%u) : (tensor<*xf32>) -> tensor<*xf32>
    onnx.yield %go, %v : tensor<i1>, tensor<*xf32>
  }
  return %r : tensor<*xf32>
}
