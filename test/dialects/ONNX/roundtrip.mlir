// The printed form of the onnx dialect is read back as it was, and so is the generic form.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s | mxn-opt | FileCheck %s
// RUN: mxn-opt %s --mlir-print-op-generic | mxn-opt | FileCheck %s

// CHECK: module attributes {onnx.model = #onnx.model<ir_version = 8, producer = "p", producer_version = "2.1", domain = "", model_version = 0, graph = "g", opsets = {ai.onnx = 17 : i64}, metadata = {license = "MIT"}>}
module attributes {onnx.model = #onnx.model<ir_version = 8, producer = "p", producer_version = "2.1", domain = "", model_version = 0, graph = "g", opsets = {ai.onnx = 17 : i64}, metadata = {license = "MIT"}>} {
  llm.weight @w from "weights.data" offset 0 length 16 : tensor<4xf32>

  // CHECK-LABEL: func.func @nodes(
  // CHECK-SAME: tensor<?x8xf32, #onnx.dims<"n", "8">> {program.tensor = #program.tensor<"x", f32, dims["n", "8"], labels["n", "8"]>}
  func.func @nodes(%x: tensor<?x8xf32, #onnx.dims<"n", "8">> {program.tensor = #program.tensor<"x", f32, dims ["n", "8"], labels ["n", "8"]>}, %c: tensor<i1>) -> tensor<?x8xf32> {
    // CHECK: %[[S:.*]] = onnx.node "Shape" version 15 (%{{.*}}) known [#onnx.values<"n", "8">] : (tensor<?x8xf32, #onnx.dims<"n", "8">>) -> tensor<2xi64, #onnx.dims<"2">>
    %s = onnx.node "Shape" version 15 (%x) known [#onnx.values<"n", "8">] : (tensor<?x8xf32, #onnx.dims<"n", "8">>) -> tensor<2xi64, #onnx.dims<"2">>
    // CHECK: %[[NONE:.*]] = onnx.none
    %none = onnx.none
    // CHECK: onnx.constant dense<[0, 2]> : tensor<2xi64> -> tensor<2xi64>
    %axes = onnx.constant dense<[0, 2]> : tensor<2xi64> -> tensor<2xi64>
    // CHECK: onnx.constant #llm.weight<@w : tensor<4xf32>> -> tensor<4xf32>
    %w = onnx.constant #llm.weight<@w : tensor<4xf32>> -> tensor<4xf32>
    // A result without a name, an absent input, a domain and attributes.
    // CHECK: onnx.node "Odd" domain "com.example" version 1 (%{{.*}}, %[[NONE]]) attributes {alpha = 5.000000e-01 : f32, axis = -1 : i64, mode = "linear"} : (tensor<?x8xf32, #onnx.dims<"n", "8">>, !onnx.none) -> (tensor<?x8xf32>, !onnx.none)
    %y:2 = onnx.node "Odd" domain "com.example" version 1 (%x, %none) attributes {alpha = 0.5 : f32, axis = -1 : i64, mode = "linear"} : (tensor<?x8xf32, #onnx.dims<"n", "8">>, !onnx.none) -> (tensor<?x8xf32>, !onnx.none)
    // CHECK: onnx.node "If" version 16 (%{{.*}}) : (tensor<i1>) -> tensor<?x8xf32> "then_branch" {
    // CHECK-NEXT: onnx.yield %{{.*}} : tensor<?x8xf32>
    // CHECK-NEXT: } "else_branch" {
    // CHECK-NEXT: onnx.yield %{{.*}} : tensor<?x8xf32>
    %z = onnx.node "If" version 16 (%c) : (tensor<i1>) -> tensor<?x8xf32> "then_branch" {
      onnx.yield %y#0 : tensor<?x8xf32>
    } "else_branch" {
      onnx.yield %y#0 : tensor<?x8xf32>
    }
    return %z : tensor<?x8xf32>
  }

  // CHECK-LABEL: func.func private @types(!onnx.string, !onnx.opaque<"seq(tensor(float))">, tensor<2xf32, #onnx.dims<>>)
  func.func private @types(!onnx.string, !onnx.opaque<"seq(tensor(float))">, tensor<2xf32, #onnx.dims<>>)
  // CHECK-LABEL: func.func private @expressions(tensor<?x?xf32, #onnx.dims<"past + 1", "floordiv(n, 2)">>)
  func.func private @expressions(tensor<?x?xf32, #onnx.dims<"past + 1", "floordiv(n, 2)">>)
}
