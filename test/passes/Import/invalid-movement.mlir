// What the operators that move elements refuse.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -verify-diagnostics -mxn-infer-shapes -convert-onnx-to-linalg

func.func @runtime_shape(%x: tensor<?xf32, #onnx.dims<"n">>, %t: tensor<2xi64>) -> tensor<?x?xf32> {
  // expected-error @+1 {{Reshape: its shape must be constant or computed from sizes of the inputs}}
  %r = onnx.node "Reshape" version 17 (%x, %t) : (tensor<?xf32, #onnx.dims<"n">>, tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @two_open_dimensions(%x: tensor<8xf32>) -> tensor<*xf32> {
  %t = onnx.constant dense<-1> : tensor<2xi64> -> tensor<2xi64>
  // expected-error @+1 {{Reshape: more than one dimension is -1}}
  %r = onnx.node "Reshape" version 17 (%x, %t) : (tensor<8xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

func.func @different_count(%x: tensor<8xf32>) -> tensor<*xf32> {
  %t = onnx.constant dense<[3, 3]> : tensor<2xi64> -> tensor<2xi64>
  // expected-error @+1 {{Reshape: the numbers of elements before and after: 8 and 9 should be equal}}
  %r = onnx.node "Reshape" version 17 (%x, %t) : (tensor<8xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

func.func @squeeze_everything_symbolic(%x: tensor<1x?xf32, #onnx.dims<"1", "n">>) -> tensor<*xf32> {
  // expected-error @+1 {{Squeeze: has no axes, and a dimension of its input isn't known when compiling}}
  %r = onnx.node "Squeeze" version 17 (%x) : (tensor<1x?xf32, #onnx.dims<"1", "n">>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

func.func @runtime_slice(%x: tensor<8xf32>, %i: tensor<1xi64>) -> tensor<?xf32> {
  // expected-error @+1 {{Slice: its starts, ends, axes and steps must be constant or computed from sizes of the inputs}}
  %r = onnx.node "Slice" version 17 (%x, %i, %i) : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

func.func @zero_step(%x: tensor<8xf32>) -> tensor<*xf32> {
  %z = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
  // expected-error @+1 {{Slice: the step can't be 0}}
  %r = onnx.node "Slice" version 17 (%x, %z, %z, %z, %z) : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

func.func @concat_shapes(%x: tensor<2x8xf32>, %y: tensor<2x9xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{Concat: dimension 1 of input 1 and of the first one: 9 and 8 should be equal}}
  %r = onnx.node "Concat" version 17 (%x, %y) attributes {axis = 0 : i64} : (tensor<2x8xf32>, tensor<2x9xf32>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

func.func @gather_outside(%x: tensor<8xf32>) -> tensor<*xf32> {
  %i = onnx.constant dense<8> : tensor<i64> -> tensor<i64>
  // expected-error @+1 {{Gather: index 8 is outside of a dimension of 8}}
  %r = onnx.node "Gather" version 17 (%x, %i) : (tensor<8xf32>, tensor<i64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

func.func @axis_outside(%x: tensor<8xf32>) -> tensor<*xi64> {
  // expected-error @+1 {{ArgMax: axis 1 is outside of a tensor with 1 dimensions}}
  %r = onnx.node "ArgMax" version 13 (%x) attributes {axis = 1 : i64} : (tensor<8xf32>) -> tensor<*xi64>
  return %r : tensor<*xi64>
}

// -----

func.func @runtime_axis(%x: tensor<2x8xf32>, %axis: tensor<i64>) -> tensor<2x8xf32> {
  // expected-error @+1 {{CumSum: its axis must be constant}}
  %r = onnx.node "CumSum" version 14 (%x, %axis) : (tensor<2x8xf32>, tensor<i64>) -> tensor<2x8xf32>
  return %r : tensor<2x8xf32>
}

// -----

func.func @four_bits(%x: tensor<2x8xf32>) -> tensor<16xi4> {
  %c = onnx.node "Cast" version 21 (%x) : (tensor<2x8xf32>) -> tensor<2x8xi4>
  %t = onnx.constant dense<16> : tensor<1xi64> -> tensor<1xi64>
  // expected-error @-2 {{Cast: the conversion from 'f32' to 'i4' isn't supported}}
  %r = onnx.node "Reshape" version 21 (%c, %t) : (tensor<2x8xi4>, tensor<1xi64>) -> tensor<16xi4>
  return %r : tensor<16xi4>
}

// -----

func.func @training(%x: tensor<8xf32>, %ratio: tensor<f32>, %training: tensor<i1>) -> tensor<8xf32> {
  // expected-error @+1 {{Dropout: only inference is supported: its training_mode must be constant and false}}
  %r = onnx.node "Dropout" version 13 (%x, %ratio, %training) : (tensor<8xf32>, tensor<f32>, tensor<i1>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

func.func @unknown_reduction(%x: tensor<8xf32>, %i: tensor<2xi64>, %u: tensor<2xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{ScatterElements: reduction "xor" isn't supported}}
  %r = onnx.node "ScatterElements" version 18 (%x, %i, %u) attributes {reduction = "xor"} : (tensor<8xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}
