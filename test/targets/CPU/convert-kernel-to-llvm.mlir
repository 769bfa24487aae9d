// The CPU's calling convention: include/mxn/Driver/CPUKernel.h.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -mxn-cpu-convert-kernel-to-llvm | FileCheck %s

module @kernels {
  // The body is a function of its own, whose arguments can say that memory doesn't overlap.
  // CHECK-LABEL: llvm.func internal @kernel.body
  // CHECK-SAME: (%[[BINDINGS:.+]]: !llvm.ptr, %{{.+}}: !llvm.ptr, %[[CONSTANTS:.+]]: !llvm.ptr, %[[X:.+]]: i64, %[[Y:.+]]: i64, %[[Z:.+]]: i64, %[[FIRST:.+]]: !llvm.ptr {llvm.noalias}, %{{.+}}: !llvm.ptr) -> i32
  func.func @kernel() {
    // CHECK: %[[AT:.+]] = llvm.getelementptr %[[CONSTANTS]][1] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: %[[N:.+]] = llvm.load %[[AT]] invariant : !llvm.ptr -> i64
    %n = kernel.constant 1
    // Strides follow from the sizes, innermost first: 1, 3, 3 * n.
    // CHECK: llvm.insertvalue %[[FIRST]]
    // CHECK: %[[ONE:.+]] = llvm.mlir.constant(1 : i64)
    // CHECK: %[[THREE:.+]] = llvm.mlir.constant(3 : i64)
    // CHECK: %[[ROW:.+]] = llvm.mul %[[ONE]], %[[THREE]]
    // CHECK: llvm.mul %[[ROW]], %[[N]]
    %x = kernel.binding 0 [%n] apart : memref<2x?x3xf32>
    %y = kernel.binding 1 [] : memref<f32>
    %g = kernel.grid_id 1
    // A check sets the status and goes on.
    // CHECK: %[[INSIDE:.+]] = llvm.icmp "slt" %[[Y]], %[[N]]
    // CHECK: %[[OLD:.+]] = llvm.load %[[STATUS:.+]] :
    // CHECK: %[[CODE:.+]] = llvm.mlir.constant(1 : i32)
    // CHECK: %[[NEW:.+]] = llvm.select %[[INSIDE]], %[[OLD]], %[[CODE]]
    // CHECK: llvm.store %[[NEW]], %[[STATUS]]
    %c = arith.cmpi slt, %g, %n : index
    kernel.check %c code 1
    %zero = arith.constant 0 : index
    %v = memref.load %x[%zero, %g, %zero] : memref<2x?x3xf32>
    memref.store %v, %x[%zero, %zero, %zero] : memref<2x?x3xf32>
    // CHECK: %[[RESULT:.+]] = llvm.load %[[STATUS]]
    // CHECK: llvm.return %[[RESULT]] : i32
    return
  }
  // CHECK: llvm.func @kernel(%[[BINDINGS:.+]]: !llvm.ptr, %{{.+}}: !llvm.ptr, %{{.+}}: !llvm.ptr, %{{.+}}: i64, %{{.+}}: i64, %{{.+}}: i64) -> i32
  // CHECK: llvm.getelementptr %[[BINDINGS]][0]
  // CHECK: llvm.getelementptr %[[BINDINGS]][1]
  // CHECK: llvm.call @kernel.body

  // Without checks the status is 0.
  // CHECK-LABEL: llvm.func internal @without_checks.body
  // CHECK: %[[ZERO:.+]] = llvm.mlir.constant(0 : i32)
  // CHECK-NOT: llvm.alloca
  // CHECK: llvm.return %[[ZERO]] : i32
  func.func @without_checks() {
    return
  }
}
