// What If and Loop can't do, and malformed ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -verify-diagnostics -mxn-infer-shapes -convert-onnx-to-linalg

func.func @rank_by_data(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<*xf32> {
  // expected-error @+1 {{If: its branches give output 0 with 2 and 1 dimensions, and its condition depends on data, which isn't supported}}
  %r = onnx.node "If" version 17 (%c) : (tensor<i1>) -> tensor<*xf32> "then_branch" {
    %zero = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
    %u = onnx.node "Unsqueeze" version 17 (%x, %zero) : (tensor<4xf32>, tensor<1xi64>) -> tensor<*xf32>
    onnx.yield %u : tensor<*xf32>
  } "else_branch" {
    onnx.yield %x : tensor<4xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @shape_by_data(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<*xf32> {
  // expected-error @+1 {{If: its branches give output 0 with the shapes [8] and [4], and its condition depends on data, which isn't supported}}
  %r = onnx.node "If" version 17 (%c) : (tensor<i1>) -> tensor<*xf32> "then_branch" {
    %u = onnx.node "Concat" version 17 (%x, %x) attributes {axis = 0 : i64} : (tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
    onnx.yield %u : tensor<*xf32>
  } "else_branch" {
    onnx.yield %x : tensor<4xf32>
  }
  return %r : tensor<*xf32>
}

// -----

// Nobody needs the result whose shape isn't known.
func.func @unused_shape_by_data(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<*xf32> {
  %r:2 = onnx.node "If" version 17 (%c) : (tensor<i1>) -> (tensor<*xf32>, tensor<*xf32>) "then_branch" {
    %u = onnx.node "Mystery" version 17 (%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
    onnx.yield %u, %x : tensor<*xf32>, tensor<4xf32>
  } "else_branch" {
    onnx.yield %x, %x : tensor<4xf32>, tensor<4xf32>
  }
  return %r#1 : tensor<*xf32>
}

// -----

func.func @condition_of_two(%x: tensor<4xf32>, %c: tensor<2xi1>) -> tensor<*xf32> {
  // expected-error @+1 {{If: its condition must have one element, it is a 'tensor<2xi1>'}}
  %r = onnx.node "If" version 17 (%c) : (tensor<2xi1>) -> tensor<*xf32> "then_branch" {
    onnx.yield %x : tensor<4xf32>
  } "else_branch" {
    onnx.yield %x : tensor<4xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @one_branch(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<*xf32> {
  // expected-error @+1 {{If: needs a then_branch and an else_branch without inputs, with as many outputs as it}}
  %r = onnx.node "If" version 17 (%c) : (tensor<i1>) -> tensor<*xf32> "then_branch" {
    onnx.yield %x : tensor<4xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @no_condition(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{If: needs one condition}}
  %r = onnx.node "If" version 17 () : () -> tensor<*xf32> "then_branch" {
    onnx.yield %x : tensor<4xf32>
  } "else_branch" {
    onnx.yield %x : tensor<4xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @growing(%x: tensor<?xf32, #onnx.dims<"n">>, %m: tensor<i64>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{Loop: a tensor that it carries changes its shape (a dimension is n before, n + 1 after), which isn't supported}}
  %r = onnx.node "Loop" version 17 (%m, %none, %x) : (tensor<i64>, !onnx.none, tensor<?xf32, #onnx.dims<"n">>) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    %one = onnx.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
    %v = onnx.node "Concat" version 17 (%u, %one) attributes {axis = 0 : i64} : (tensor<*xf32>, tensor<1xf32>) -> tensor<*xf32>
    onnx.yield %go, %v : tensor<i1>, tensor<*xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @other_size(%x: tensor<4xf32>, %m: tensor<i64>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{Loop: a tensor that it carries changes its shape, which isn't supported: 4 and 8 should be equal}}
  %r = onnx.node "Loop" version 17 (%m, %none, %x) : (tensor<i64>, !onnx.none, tensor<4xf32>) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    %v = onnx.node "Concat" version 17 (%u, %u) attributes {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.yield %go, %v : tensor<i1>, tensor<*xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @other_rank(%x: tensor<4xf32>, %m: tensor<i64>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{Loop: a tensor that it carries changes from 1 to 2 dimensions, which isn't supported}}
  %r = onnx.node "Loop" version 17 (%m, %none, %x) : (tensor<i64>, !onnx.none, tensor<4xf32>) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    %zero = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
    %v = onnx.node "Unsqueeze" version 17 (%u, %zero) : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
    onnx.yield %go, %v : tensor<i1>, tensor<*xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @forever(%x: tensor<4xf32>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{Loop: has no trip count, so that nothing bounds it; give it one}}
  %r = onnx.node "Loop" version 17 (%none, %none, %x) : (!onnx.none, !onnx.none, tensor<4xf32>) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    onnx.yield %go, %u : tensor<i1>, tensor<*xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @stacks_by_data(%x: tensor<4xf32>, %m: tensor<i64>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{Loop: stacks a result, and its trip count depends on data, which isn't supported}}
  %r = onnx.node "Loop" version 17 (%m, %none) : (tensor<i64>, !onnx.none) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>):
    onnx.yield %go, %x : tensor<i1>, tensor<4xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @stacks_while(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<*xf32> {
  %none = onnx.none
  %m = onnx.constant dense<3> : tensor<i64> -> tensor<i64>
  // expected-error @+1 {{Loop: stacks a result, and its condition depends on data}}
  %r = onnx.node "Loop" version 17 (%m, %none) : (tensor<i64>, !onnx.none) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>):
    onnx.yield %c, %x : tensor<i1>, tensor<4xf32>
  }
  return %r : tensor<*xf32>
}

// -----

func.func @no_body(%x: tensor<4xf32>, %m: tensor<i64>) -> tensor<*xf32> {
  // expected-error @+1 {{Loop: needs a body with as many inputs as it}}
  %r = onnx.node "Loop" version 17 (%m, %m, %x) : (tensor<i64>, tensor<i64>, tensor<4xf32>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

func.func @yields_too_little(%x: tensor<4xf32>, %m: tensor<i64>) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @+1 {{Loop: its body must yield a condition and all of its outputs}}
  %r = onnx.node "Loop" version 17 (%m, %none, %x) : (tensor<i64>, !onnx.none, tensor<4xf32>) -> tensor<*xf32> "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    onnx.yield %go : tensor<i1>
  }
  return %r : tensor<*xf32>
}

// -----

// expected-error @+1 {{the model has 1 operator(s) that aren't supported: Mystery (1)}}
func.func @sequence(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{If: its output is a '!onnx.opaque<"seq(tensor(float))">', and only tensors are supported}}
  %r = onnx.node "If" version 17 (%c) : (tensor<i1>) -> !onnx.opaque<"seq(tensor(float))"> "then_branch" {
    %s = onnx.node "SequenceConstruct" version 17 (%x) : (tensor<4xf32>) -> !onnx.opaque<"seq(tensor(float))">
    onnx.yield %s : !onnx.opaque<"seq(tensor(float))">
  } "else_branch" {
    %s = onnx.node "SequenceConstruct" version 17 (%x) : (tensor<4xf32>) -> !onnx.opaque<"seq(tensor(float))">
    onnx.yield %s : !onnx.opaque<"seq(tensor(float))">
  }
  // expected-note @+1 {{the first Mystery}}
  %y = onnx.node "Mystery" version 17 (%r) : (!onnx.opaque<"seq(tensor(float))">) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
