// The parallel loops of a kernel are its grid.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -pass-pipeline='builtin.module(func.func(mxn-map-grid))' -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: @tiles
// CHECK: %[[X:.+]] = kernel.grid_id 0
// CHECK: arith.muli %[[X]], %{{.+}}
// CHECK: %[[Y:.+]] = kernel.grid_id 1
// CHECK: memref.subview
// CHECK: linalg.exp
// CHECK-NOT: linalg.copy
// CHECK-NOT: scf.forall
func.func @tiles() {
  %n = kernel.constant 0
  %x = kernel.binding 0 [%n] apart : memref<?x128xf32>
  scf.forall (%i, %j) = (0, 0) to (%n, 128) step (1, 64) {
    %v = memref.subview %x[%i, %j] [1, 64] [1, 1] : memref<?x128xf32> to memref<1x64xf32, strided<[128, 1], offset: ?>>
    linalg.exp ins(%v : memref<1x64xf32, strided<[128, 1], offset: ?>>) outs(%v : memref<1x64xf32, strided<[128, 1], offset: ?>>)
  }
  // What bufferization leaves behind.
  linalg.copy ins(%x : memref<?x128xf32>) outs(%x : memref<?x128xf32>)
  return
}

// -----

// Nothing to do.
// CHECK-LABEL: @plain
// CHECK-NOT: kernel.grid_id
func.func @plain() {
  %x = kernel.binding 0 [] : memref<8xf32>
  linalg.exp ins(%x : memref<8xf32>) outs(%x : memref<8xf32>)
  return
}

// -----

func.func @outside() {
  %x = kernel.binding 0 [] : memref<8xf32>
  // expected-error @below {{this stands outside of the tiles of a kernel}}
  linalg.exp ins(%x : memref<8xf32>) outs(%x : memref<8xf32>)
  scf.forall (%i) = (0) to (8) step (4) {
  }
  return
}
