// The rules of the kernel dialect.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -verify-diagnostics -split-input-file

func.func @sizes() {
  // expected-error @+1 {{R1: 'memref<?x384xf32>' has 1 dynamic dimensions, there are 0 sizes}}
  %x = kernel.binding 0 [] : memref<?x384xf32>
  return
}

// -----

func.func @layout() {
  // expected-error @+1 {{R2: the layout must be the identity}}
  %x = kernel.binding 0 [] : memref<4x4xf32, strided<[8, 1]>>
  return
}

// -----

func.func @axis() {
  // expected-error @+1 {{R1: the axis must be 0, 1 or 2, it is 3}}
  %x = kernel.grid_id 3
  return
}

// -----

func.func @code(%c: i1) {
  // expected-error @+1 {{R1: the code must be 1 or 2, it is 0}}
  kernel.check %c code 0
  return
}
