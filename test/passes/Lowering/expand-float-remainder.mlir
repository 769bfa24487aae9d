// The remainder in f64 with one rounding; its sign is the dividend's.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -mxn-expand-float-remainder | FileCheck %s

// CHECK-LABEL: @narrow
// CHECK: %[[X:.+]] = arith.extf %arg0 : f32 to f64
// CHECK: %[[Y:.+]] = arith.extf %arg1 : f32 to f64
// CHECK: %[[Q:.+]] = arith.divf %[[X]], %[[Y]] : f64
// CHECK: %[[T:.+]] = math.trunc %[[Q]] : f64
// CHECK: %[[M:.+]] = arith.negf %[[T]] : f64
// CHECK: %[[R:.+]] = math.fma %[[M]], %[[Y]], %[[X]] : f64
// CHECK: %[[S:.+]] = math.copysign %[[R]], %[[X]] : f64
// CHECK: arith.truncf %[[S]] : f64 to f32
func.func @narrow(%x: f32, %y: f32) -> f32 {
  %r = arith.remf %x, %y : f32
  return %r : f32
}

// CHECK-LABEL: @vectors
// CHECK: math.fma {{.+}} : vector<4xf64>
// CHECK-NOT: arith.remf
func.func @vectors(%x: vector<4xf64>, %y: vector<4xf64>) -> vector<4xf64> {
  %r = arith.remf %x, %y : vector<4xf64>
  return %r : vector<4xf64>
}
