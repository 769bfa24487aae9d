// What the operators of arithmetic refuse, and what they say.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -verify-diagnostics -mxn-infer-shapes -convert-onnx-to-linalg

func.func @inner_dimensions(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{MatMul: the inner dimensions: 3 and 4 should be equal}}
  %y = onnx.node "MatMul" version 13 (%a, %b) : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @channels(%x: tensor<1x4x8xf32>, %w: tensor<6x4x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{Conv: the channels of the input and of the weight: 4 and 8 should be equal}}
  %y = onnx.node "Conv" version 11 (%x, %w) attributes {group = 2 : i64} : (tensor<1x4x8xf32>, tensor<6x4x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @window_too_large(%x: tensor<1x4x2xf32>, %w: tensor<6x4x9xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{Conv: the window is larger than the image}}
  %y = onnx.node "Conv" version 11 (%x, %w) : (tensor<1x4x2xf32>, tensor<6x4x9xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @axes_of_the_call(%x: tensor<2x3xf32>, %axes: tensor<1xi64>) -> tensor<*xf32> {
  // expected-error @+1 {{ReduceSum: the axes (input 1) must be constant or follow from the shapes of the inputs}}
  %y = onnx.node "ReduceSum" version 13 (%x, %axes) : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @axis_outside(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{ReduceMax: an axis is outside of the 2 dimensions of its input}}
  %y = onnx.node "ReduceMax" version 13 (%x) attributes {axes = array<i64: 2>} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @softmax_axis(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{Softmax: axis 2 is outside of the 2 dimensions of its input}}
  %y = onnx.node "Softmax" version 13 (%x) attributes {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @equation(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{Einsum: the equation "ijk->i" doesn't fit its inputs}}
  %y = onnx.node "Einsum" version 12 (%x) attributes {equation = "ijk->i"} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @scales_of_the_call(%x: tensor<1x1x4xf32>, %s: tensor<3xf32>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{Resize: the scales (input 2) must be constant, one for each axis}}
  %y = onnx.node "Resize" version 13 (%x, %none, %s) : (tensor<1x1x4xf32>, !onnx.none, tensor<3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @training(%x: tensor<1x3x4xf32>, %c: tensor<3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{BatchNormalization: training isn't supported}}
  %y:3 = onnx.node "BatchNormalization" version 15 (%x, %c, %c, %c, %c) attributes {training_mode = 1 : i64} : (tensor<1x3x4xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y#0 : tensor<*xf32>
}

// -----

func.func @partial_block(%x: tensor<10x2xi8>, %s: tensor<3x2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{DequantizeLinear: the dimension 10 isn't known to be a multiple of block_size 4}}
  %y = onnx.node "DequantizeLinear" version 21 (%x, %s) attributes {axis = 0 : i64, block_size = 4 : i64} : (tensor<10x2xi8>, tensor<3x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
