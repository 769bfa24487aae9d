// Sums become vector code.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -pass-pipeline='builtin.module(func.func(mxn-vectorize-reductions{vector-bits=256},canonicalize))' -split-input-file | FileCheck %s

// Four rows and two vectors of eight; nothing is left over.
// CHECK-LABEL: @matmul
// CHECK: scf.for {{.+}} iter_args({{.+}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: vector.load
// CHECK: vector.load
// CHECK-COUNT-6: math.fma
// CHECK-NOT: vector.maskedload
// CHECK: return
func.func @matmul(%a: memref<8x32xf32>, %b: memref<32x16xf32>, %c: memref<8x16xf32>) {
  linalg.matmul ins(%a, %b : memref<8x32xf32>, memref<32x16xf32>) outs(%c : memref<8x16xf32>)
  return
}

// -----

// Edges of sizes that aren't known are read and written under a mask.
// CHECK-LABEL: @dynamic
// CHECK: math.fma
// CHECK: arith.cmpi u{{[lg]}}t
// CHECK: vector.maskedload
// CHECK: vector.maskedstore
func.func @dynamic(%a: memref<?x?xf32>, %b: memref<?x?xf32>, %c: memref<?x?xf32>) {
  linalg.matmul ins(%a, %b : memref<?x?xf32>, memref<?x?xf32>) outs(%c : memref<?x?xf32>)
  return
}

// -----

// What is read is contiguous along the sum: lanes sum up and are added at the end.
// CHECK-LABEL: @rows
// CHECK: %[[N:.+]] = arith.constant dense<0xFF800000> : vector<8xf32>
// CHECK: arith.maximumf {{.+}} : vector<8xf32>
// CHECK: vector.reduction <maximumf>
// CHECK: memref.store
func.func @rows(%x: memref<16x64xf32>, %y: memref<16xf32>) {
  linalg.reduce { arith.maximumf } ins(%x : memref<16x64xf32>) outs(%y : memref<16xf32>) dimensions = [1]
  return
}

// -----

// Every second element of an image.
// CHECK-LABEL: @stride
// CHECK: vector.gather
// CHECK: math.fma
func.func @stride(%x: memref<1x3x33x65xf32>, %w: memref<8x3x3x3xf32>, %y: memref<1x8x16x32xf32>) {
  linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
    ins(%x, %w : memref<1x3x33x65xf32>, memref<8x3x3x3xf32>) outs(%y : memref<1x8x16x32xf32>)
  return
}

// -----

// A division of integers could trap where a mask left zeros.
// CHECK-LABEL: @division
// CHECK: linalg.generic
func.func @division(%x: memref<?x?xi32>, %y: memref<?xi32>) {
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
    ins(%x : memref<?x?xi32>) outs(%y : memref<?xi32>) {
  ^bb0(%in: i32, %out: i32):
    %v = arith.divsi %out, %in : i32
    linalg.yield %v : i32
  }
  return
}

// -----

// Without a sum, plain loops are as good.
// CHECK-LABEL: @elementwise
// CHECK: linalg.exp
func.func @elementwise(%x: memref<64xf32>, %y: memref<64xf32>) {
  linalg.exp ins(%x : memref<64xf32>) outs(%y : memref<64xf32>)
  return
}

// -----

// Everything is summed up into one element.
// CHECK-LABEL: @all
// CHECK: vector.reduction <add>
func.func @all(%x: memref<3x64xf32>, %y: memref<f32>) {
  linalg.reduce { arith.addf } ins(%x : memref<3x64xf32>) outs(%y : memref<f32>) dimensions = [0, 1]
  return
}
