// f64 becomes f16 through an f32 that is rounded to odd.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -mxn-expand-narrowing | FileCheck %s

// CHECK-LABEL: func.func @double_to_half(
// CHECK-SAME: %[[X:.+]]: f64
// CHECK: %[[NEAREST:.+]] = arith.truncf %[[X]] : f64 to f32
// CHECK: %[[BITS:.+]] = arith.bitcast %[[NEAREST]] : f32 to i32
// CHECK: %[[ODD:.+]] = arith.select %{{.+}}, %{{.+}}, %[[BITS]] : i32
// CHECK: %[[F:.+]] = arith.bitcast %[[ODD]] : i32 to f32
// CHECK: %[[Y:.+]] = arith.truncf %[[F]] : f32 to f16
// CHECK: return %[[Y]]
func.func @double_to_half(%x: f64) -> f16 {
  %y = arith.truncf %x : f64 to f16
  return %y : f16
}

// CHECK-LABEL: func.func @one_rounding(
// CHECK-NEXT: arith.truncf %{{.+}} : f32 to f16
// CHECK-NEXT: arith.truncf %{{.+}} : f64 to f32
// CHECK-NEXT: return
func.func @one_rounding(%x: f32, %z: f64) -> (f16, f32) {
  %y = arith.truncf %x : f32 to f16
  %w = arith.truncf %z : f64 to f32
  return %y, %w : f16, f32
}
