// RNN, GRU and LSTM: one product for all times, then a loop over time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -verify-diagnostics -mxn-infer-shapes -convert-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: @lstm
// CHECK-SAME: %[[X:.+]]: tensor<?x?x3xf32>, %[[W:.+]]: tensor<1x16x3xf32>, %[[R:.+]]: tensor<1x16x4xf32>
// CHECK-DAG: %[[T:.+]] = program.symbol "t"
// CHECK-DAG: %[[B:.+]] = program.symbol "b"
// The inputs of all times.
// CHECK: %[[XW:.+]] = linalg.generic {{.*}}ins(%[[X]], %[[W]] : {{.*}}outs(%{{.+}} : tensor<?x?x16xf32>)
// The state is h and c; only Y stacks.
// CHECK: program.loop %[[T]] init(%{{.+}}, %{{.+}}) : tensor<?x4xf32>, tensor<?x4xf32> sizes(%[[B]], %[[B]], %[[T]], %[[B]]) -> tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x4xf32> {
// CHECK: ^bb0(%[[I:.+]]: index, %[[H:.+]]: tensor<?x4xf32>, %[[C:.+]]: tensor<?x4xf32>):
// CHECK: %[[XT:.+]] = tensor.extract_slice %[[XW]][%[[I]], 0, 0]
// CHECK: linalg.generic {{.*}}ins(%[[H]], %[[R]] : {{.*}}outs(%[[XT]]
// CHECK: program.yield %[[H2:.+]], %{{.+}}, %[[H2]]
func.func @lstm(%x: tensor<?x?x3xf32, #onnx.dims<"t", "b", "3">>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y:3 = onnx.node "LSTM" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64} : (tensor<?x?x3xf32, #onnx.dims<"t", "b", "3">>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<*xf32>, !onnx.none, tensor<*xf32>)
  return %y#0, %y#2 : tensor<*xf32>, tensor<*xf32>
}

// -----

// One time needs no loop.
// CHECK-LABEL: @one_time
// CHECK-NOT: program.loop
// CHECK-NOT: tensor.extract_slice
func.func @one_time(%x: tensor<1x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>) -> tensor<*xf32> {
  %y:2 = onnx.node "GRU" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64} : (tensor<1x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>) -> (!onnx.none, tensor<*xf32>)
  return %y#1 : tensor<*xf32>
}

// -----

// Nothing is stacked where nobody reads Y. Both directions run, the second one from the end.
// CHECK-LABEL: @both_directions
// CHECK: program.loop {{.*}} -> tensor<2x4xf32> {
// CHECK-NOT: arith.subi
// CHECK: program.loop {{.*}} -> tensor<2x4xf32> {
// CHECK: ^bb0(%[[I:.+]]: index
// CHECK: %[[AT:.+]] = arith.subi %{{.+}}, %[[I]]
// CHECK: tensor.extract_slice %{{.+}}[%[[AT]], 0, 0]
func.func @both_directions(%x: tensor<5x2x3xf32>, %w: tensor<2x4x3xf32>, %r: tensor<2x4x4xf32>) -> tensor<*xf32> {
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64, direction = "bidirectional"} : (tensor<5x2x3xf32>, tensor<2x4x3xf32>, tensor<2x4x4xf32>) -> (!onnx.none, tensor<*xf32>)
  return %y#1 : tensor<*xf32>
}

// -----

// Lengths that are known to be full need no mask, others do.
// CHECK-LABEL: @full_lengths
// CHECK-NOT: arith.select
// CHECK-LABEL: @any_lengths
// CHECK-SAME: %[[L:[a-z0-9]+]]: tensor<2xi32>
// CHECK: ^bb0(%[[I:.+]]: index
// CHECK: linalg.generic {{.*}}ins(%{{.+}}, %[[L]], %{{.+}}
// CHECK: %[[RUNS:.+]] = arith.cmpi slt, %[[I]]
// CHECK-NEXT: arith.select %[[RUNS]]
func.func @full_lengths(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<*xf32> {
  %none = onnx.none
  %l = onnx.constant dense<5> : tensor<2xi32> -> tensor<2xi32>
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r, %none, %l) attributes {hidden_size = 4 : i64} : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, !onnx.none, tensor<2xi32>) -> (!onnx.none, tensor<*xf32>)
  return %y#1 : tensor<*xf32>
}
func.func @any_lengths(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %l: tensor<2xi32>) -> tensor<*xf32> {
  %none = onnx.none
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r, %none, %l) attributes {hidden_size = 4 : i64} : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, !onnx.none, tensor<2xi32>) -> (!onnx.none, tensor<*xf32>)
  return %y#1 : tensor<*xf32>
}

// -----

// layout = 1: the batch comes first everywhere.
// CHECK-LABEL: @batch_first
// CHECK-SAME: -> (tensor<2x5x1x4xf32>, tensor<2x1x4xf32>)
func.func @batch_first(%x: tensor<2x5x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64, layout = 1 : i64} : (tensor<2x5x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @odd_activation(%x: tensor<1x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{RNN: the activation 'cosine' isn't supported}}
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64, activations = ["Cosine"]} : (tensor<1x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<*xf32>, !onnx.none)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @activation_without_values(%x: tensor<1x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{RNN: the activation 'affine' needs values in activation_alpha and activation_beta}}
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64, activations = ["Affine"]} : (tensor<1x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<*xf32>, !onnx.none)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @too_few_activations(%x: tensor<1x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{LSTM: has 1 activations, it needs 3}}
  %y:2 = onnx.node "LSTM" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64, activations = ["Tanh"]} : (tensor<1x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<*xf32>, !onnx.none)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @input_forget(%x: tensor<1x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{LSTM: input_forget = 1 isn't supported}}
  %y:2 = onnx.node "LSTM" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64, input_forget = 1 : i64} : (tensor<1x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<*xf32>, !onnx.none)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @hidden_size(%x: tensor<1x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{LSTM: the hidden size: 4 and 5 should be equal}}
  %y:2 = onnx.node "LSTM" version 14 (%x, %w, %r) attributes {hidden_size = 5 : i64} : (tensor<1x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<*xf32>, !onnx.none)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @state_rank(%x: tensor<1x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %h: tensor<2x4xf32>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{RNN: initial_h has 2 dimensions, it needs 3}}
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r, %none, %none, %h) attributes {hidden_size = 4 : i64} : (tensor<1x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, !onnx.none, !onnx.none, tensor<2x4xf32>) -> (tensor<*xf32>, !onnx.none)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @direction(%x: tensor<1x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{RNN: the direction 'sideways' isn't one that ONNX has}}
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r) attributes {hidden_size = 4 : i64, direction = "sideways"} : (tensor<1x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<*xf32>, !onnx.none)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @unknown_hidden_size(%x: tensor<1x2x3xf32>, %w: tensor<1x?x3xf32, #onnx.dims<"1", "h", "3">>, %r: tensor<1x?x?xf32, #onnx.dims<"1", "h", "h">>) -> tensor<*xf32> {
  // expected-error @+1 {{RNN: the hidden size must be known when compiling}}
  %y:2 = onnx.node "RNN" version 14 (%x, %w, %r) : (tensor<1x2x3xf32>, tensor<1x?x3xf32, #onnx.dims<"1", "h", "3">>, tensor<1x?x?xf32, #onnx.dims<"1", "h", "h">>) -> (tensor<*xf32>, !onnx.none)
  return %y#0 : tensor<*xf32>
}
