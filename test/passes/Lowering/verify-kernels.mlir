// A kernel has its bindings and a small stack, and nobody to call.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -verify-kernels -split-input-file -verify-diagnostics

func.func @allocates() {
  // expected-error @+1 {{this needs a temporary of type 'memref<8192xf32>' inside a kernel, which isn't supported}}
  %0 = memref.alloc() : memref<8192xf32>
  memref.dealloc %0 : memref<8192xf32>
  return
}

// -----

func.func private @other()
func.func @calls() {
  // expected-error @+1 {{a kernel can't call a function}}
  call @other() : () -> ()
  return
}

// -----

func.func @fine() {
  %0 = memref.alloca() : memref<4xf32>
  return
}
