// Work is cut into tiles over parallel loops.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -pass-pipeline='builtin.module(func.func(mxn-distribute-dispatches))' -split-input-file | FileCheck %s

// Rows of a size that only the host knows; the bound is the host's value. What prepares goes into the tile.
// CHECK-LABEL: @matmul
// CHECK: %[[N:.+]] = program.symbol "n"
// CHECK: program.region
// CHECK: %[[E:.+]] = tensor.empty(%[[N]])
// CHECK-NOT: linalg.fill
// CHECK: scf.forall (%{{.+}}, %{{.+}}) = (0, 0) to (%[[N]], 1536) step (64, 128) shared_outs(%{{.+}} = %[[E]])
// CHECK: linalg.fill
// CHECK: linalg.matmul
// CHECK: tensor.parallel_insert_slice
// CHECK-NOT: linalg.matmul
func.func @matmul(%a: tensor<?x576xf32>, %b: tensor<576x1536xf32>) -> tensor<?x1536xf32> {
  %n = program.symbol "n"
  %zero = arith.constant 0.0 : f32
  %r = program.region -> tensor<?x1536xf32> {
    %e = tensor.empty(%n) : tensor<?x1536xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x1536xf32>) -> tensor<?x1536xf32>
    %c = linalg.matmul ins(%a, %b : tensor<?x576xf32>, tensor<576x1536xf32>) outs(%f : tensor<?x1536xf32>) -> tensor<?x1536xf32>
    program.yield %c : tensor<?x1536xf32>
  }
  return %r : tensor<?x1536xf32>
}

// -----

// Only parallel loops are cut: each sum stays in one piece.
// CHECK-LABEL: @reduce
// CHECK: scf.forall (%{{.+}}) = (0) to (4096) step (128)
// CHECK: linalg.reduce {{.+}} ins(%{{.+}} : tensor<128x1000xf32>)
func.func @reduce(%x: tensor<4096x1000xf32>) -> tensor<4096xf32> {
  %zero = arith.constant 0.0 : f32
  %r = program.region -> tensor<4096xf32> {
    %e = tensor.empty() : tensor<4096xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4096xf32>) -> tensor<4096xf32>
    %s = linalg.reduce { arith.addf } ins(%x : tensor<4096x1000xf32>) outs(%f : tensor<4096xf32>) dimensions = [1]
    program.yield %s : tensor<4096xf32>
  }
  return %r : tensor<4096xf32>
}

// -----

// Small work isn't worth it.
// CHECK-LABEL: @small
// CHECK-NOT: scf.forall
func.func @small(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %r = program.region -> tensor<8x16xf32> {
    %e = tensor.empty() : tensor<8x16xf32>
    %s = linalg.exp ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
    program.yield %s : tensor<8x16xf32>
  }
  return %r : tensor<8x16xf32>
}

// -----

// Memory that is taken over is read before it is written; that is an order.
// CHECK-LABEL: @takes_over
// CHECK-NOT: scf.forall
func.func @takes_over(%x: tensor<4096x512xf32>) -> tensor<4096x512xf32> {
  %r = program.region takes_over(%x : tensor<4096x512xf32>) -> tensor<4096x512xf32> {
    %e = tensor.empty() : tensor<4096x512xf32>
    %s = linalg.exp ins(%x : tensor<4096x512xf32>) outs(%e : tensor<4096x512xf32>) -> tensor<4096x512xf32>
    program.yield %s : tensor<4096x512xf32>
  }
  return %r : tensor<4096x512xf32>
}
