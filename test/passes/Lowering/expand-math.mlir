// Functions become arithmetic; what chips have stays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -mxn-expand-math | FileCheck %s

// CHECK-LABEL: @expanded
// CHECK-NOT: math.{{exp|erf|tanh|log|powf|sin|cos}}
// CHECK: return
func.func @expanded(%x: f32, %y: f32) -> (f32, f32, f32, f32, f32, f32, f32) {
  %a = math.exp %x : f32
  %b = math.powf %x, %y : f32
  %c = math.erf %x : f32
  %d = math.tanh %x : f32
  %e = math.log %x : f32
  %f = math.sin %x : f32
  %g = math.cos %x : f32
  return %a, %b, %c, %d, %e, %f, %g : f32, f32, f32, f32, f32, f32, f32
}

// CHECK-LABEL: @native
// CHECK: math.sqrt
// CHECK: math.floor
// CHECK: math.fma
func.func @native(%x: f32) -> (f32, f32, f32) {
  %a = math.sqrt %x : f32
  %b = math.floor %x : f32
  %c = math.fma %x, %x, %x : f32
  return %a, %b, %c : f32, f32, f32
}
