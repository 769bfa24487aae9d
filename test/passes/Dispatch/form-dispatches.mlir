// Each piece of work gets a region of its own, with whatever prepares its memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -pass-pipeline='builtin.module(func.func(mxn-form-dispatches))' | FileCheck %s

// The size is computed outside, the memory is made inside.
// CHECK-LABEL: @elementwise
// CHECK: %[[N:.+]] = program.symbol "n"
// CHECK: %[[R:.+]] = program.region -> tensor<?xf32> {
// CHECK: %[[E:.+]] = tensor.empty(%[[N]])
// CHECK: %[[V:.+]] = linalg.exp ins(%arg0 : {{.+}}) outs(%[[E]]
// CHECK: program.yield %[[V]]
// CHECK: return %[[R]]
func.func @elementwise(%x: tensor<?xf32>) -> tensor<?xf32> {
  %n = program.symbol "n"
  %e = tensor.empty(%n) : tensor<?xf32>
  %r = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// A fill that starts an accumulation goes along; there is one region.
// CHECK-LABEL: @fill_that_initialises
// CHECK: program.region -> tensor<2x4xf32> {
// CHECK: %[[F:.+]] = linalg.fill
// CHECK: linalg.matmul {{.+}} outs(%[[F]]
// CHECK-NOT: program.region
// CHECK: return
func.func @fill_that_initialises(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %r = linalg.matmul ins(%a, %b : tensor<2x3xf32>, tensor<3x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %r : tensor<2x4xf32>
}

// A fill that is the result itself is work.
// CHECK-LABEL: @fill_that_is_the_result
// CHECK: program.region
// CHECK: linalg.fill
func.func @fill_that_is_the_result() -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %f : tensor<4xf32>
}

// A slice is copied: a region yields memory of its own.
// CHECK-LABEL: @slice
// CHECK: %[[R:.+]] = program.region
// CHECK: %[[S:.+]] = tensor.extract_slice %arg0[2] [4] [1]
// CHECK: %[[C:.+]] = linalg.copy ins(%[[S]]
// CHECK: program.yield %[[C]]
// CHECK: return %[[R]]
func.func @slice(%x: tensor<8xf32>) -> tensor<4xf32> {
  %r = tensor.extract_slice %x[2] [4] [1] : tensor<8xf32> to tensor<4xf32>
  return %r : tensor<4xf32>
}

// What is updated in place may be read elsewhere, so the update works on a copy.
// CHECK-LABEL: @insert
// CHECK: program.region
// CHECK: %[[C:.+]] = linalg.copy ins(%arg1
// CHECK: tensor.insert_slice %arg0 into %[[C]][3] [2] [1]
func.func @insert(%x: tensor<2xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  %r = tensor.insert_slice %x into %y[3] [2] [1] : tensor<2xf32> into tensor<8xf32>
  return %r : tensor<8xf32>
}

// CHECK-LABEL: @unused
// CHECK-NEXT: return %arg0
func.func @unused(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %r = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %x : tensor<4xf32>
}
