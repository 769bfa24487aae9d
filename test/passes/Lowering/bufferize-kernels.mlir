// Tensors inside kernels become memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -mxn-bufferize-kernels -canonicalize | FileCheck %s

// A result is written straight into its binding.
// CHECK-LABEL: @in_place
// CHECK: %[[X:.+]] = kernel.binding 0
// CHECK: %[[Y:.+]] = kernel.binding 1
// CHECK-NOT: alloc
// CHECK: linalg.exp ins(%[[X]] : memref<?xf32>) outs(%[[Y]] : memref<?xf32>)
func.func @in_place() {
  %n = kernel.constant 0
  %0 = kernel.binding 0 [%n] : memref<?xf32>
  %x = bufferization.to_tensor %0 restrict : memref<?xf32> to tensor<?xf32>
  %1 = kernel.binding 1 [%n] : memref<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %r = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  bufferization.materialize_in_destination %r in restrict writable %1 : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}

// A small temporary lies on the stack.
// CHECK-LABEL: @small_temporary
// CHECK: %[[T:.+]] = memref.alloca() {{.*}}: memref<4xf32>
// CHECK: linalg.exp {{.+}} outs(%[[T]]
// CHECK: linalg.add ins(%[[T]]
func.func @small_temporary() {
  %0 = kernel.binding 0 [] : memref<4xf32>
  %x = bufferization.to_tensor %0 restrict : memref<4xf32> to tensor<4xf32>
  %1 = kernel.binding 1 [] : memref<4xf32>
  %e = tensor.empty() : tensor<4xf32>
  %r = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %f = tensor.empty() : tensor<4xf32>
  %s = linalg.add ins(%r, %x : tensor<4xf32>, tensor<4xf32>) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  bufferization.materialize_in_destination %s in restrict writable %1 : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}
