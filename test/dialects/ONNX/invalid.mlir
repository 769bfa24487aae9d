// The rules of the onnx dialect's ops and of its expressions; those of #onnx.model are in model-invalid.mlir.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -verify-diagnostics -split-input-file

// onnx.node

func.func @r1(%x: tensor<4xf32>) {
  // expected-error @+1 {{R1: the version must be positive, it is 0}}
  %y = onnx.node "Relu" version 0 (%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @r2(%c: tensor<i1>) {
  // expected-error @+1 {{R2: there are 1 regions and 0 region names}}
  "onnx.node"(%c) ({ "onnx.yield"() : () -> () }) {op = "If", version = 16 : i64, params = {}, region_names = []} : (tensor<i1>) -> ()
  return
}

// -----

func.func @r3(%c: tensor<i1>) {
  // expected-error @+1 {{R3: a region must be one block that ends in onnx.yield}}
  onnx.node "If" version 16 (%c) : (tensor<i1>) -> () "then_branch" {
    %x = onnx.none
  }
  return
}

// -----

func.func @r3_blocks(%c: tensor<i1>) {
  // expected-error @+1 {{R3: a region must be one block that ends in onnx.yield}}
  onnx.node "If" version 16 (%c) : (tensor<i1>) -> () "then_branch" {
    onnx.yield
  ^other:
    onnx.yield
  }
  return
}

// -----

func.func @r4(%x: tensor<4xf32>) {
  // expected-error @+1 {{R4: 'known' has 2 entries for 1 results}}
  %y = onnx.node "Relu" version 14 (%x) known [unit, unit] : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// onnx.constant

func.func @r1_shape() {
  // expected-error @+1 {{R1: the value is a 'tensor<2xi64>', the result a 'tensor<3xi64>'}}
  %c = onnx.constant dense<[0, 2]> : tensor<2xi64> -> tensor<3xi64>
  return
}

// -----

func.func @r1_kind() {
  // expected-error @+1 {{R1: the value must be an elements attribute or an #llm.weight of type 'tensor<3xi64>'}}
  %c = onnx.constant "three" -> tensor<3xi64>
  return
}

// -----

func.func @r1_weight() {
  // expected-error @+1 {{R1: the value must be an elements attribute or an #llm.weight of type 'tensor<3xi64>'}}
  %c = onnx.constant #llm.weight<@w : tensor<4xf32>> -> tensor<3xi64>
  return
}

// -----

// #onnx.dims and #onnx.values

// expected-error @+1 {{'n +' isn't an expression over symbols}}
func.func private @dims(tensor<?xf32, #onnx.dims<"n +">>)

// -----

// expected-error @+1 {{'1 + n' isn't in canonical form; write 'n + 1'}}
func.func private @canonical(tensor<?xf32, #onnx.dims<"1 + n">>)

// -----

func.func @values(%x: tensor<4xf32>) {
  // expected-error @+1 {{'?' isn't an expression over symbols}}
  %y = onnx.node "Shape" version 15 (%x) known [#onnx.values<"?">] : (tensor<4xf32>) -> tensor<1xi64>
  return
}
