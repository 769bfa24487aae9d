// The printed form of the kernel dialect is read back as it was, and so is the generic form.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s | mxn-opt | FileCheck %s
// RUN: mxn-opt %s --mlir-print-op-generic | mxn-opt | FileCheck %s

// CHECK-LABEL: @kernel
func.func @kernel() {
  // CHECK: %[[N:.*]] = kernel.constant 0
  %n = kernel.constant 0
  // CHECK: kernel.binding 0[%[[N]]] : memref<?x384xf32>
  %x = kernel.binding 0 [%n] : memref<?x384xf32>
  // CHECK: kernel.binding 1[] : memref<4xi64>
  %y = kernel.binding 1 [] : memref<4xi64>
  // CHECK: %[[ID:.*]] = kernel.grid_id 2
  %z = kernel.grid_id 2
  // CHECK: %[[INSIDE:.*]] = arith.cmpi
  %inside = arith.cmpi slt, %z, %n : index
  // CHECK: kernel.check %[[INSIDE]] code 1
  kernel.check %inside code 1
  return
}
