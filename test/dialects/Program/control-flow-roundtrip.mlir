// Ops that decide during the call what runs are read back as they were.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s | mxn-opt | FileCheck %s
// RUN: mxn-opt %s --mlir-print-op-generic | mxn-opt | FileCheck %s

// CHECK-LABEL: @tensors
func.func @tensors(%t: tensor<i1>, %a: tensor<?xf32>, %b: tensor<?xf32>, %h: tensor<8xf32>, %n: index) {
  // CHECK: %[[C:.+]] = program.read %arg0 : tensor<i1> as i1 between 0 and 1 message "a condition"
  %c = program.read %t : tensor<i1> as i1 between 0 and 1 message "a condition"
  // CHECK: program.if %[[C]] sizes(%arg4) -> tensor<?xf32> {
  // CHECK: } else {
  %y = program.if %c sizes(%n) -> tensor<?xf32> {
    program.yield %a : tensor<?xf32>
  } else {
    program.yield %b : tensor<?xf32>
  }
  // CHECK: program.loop %arg4 init(%arg3) : tensor<8xf32> sizes(%arg4) -> tensor<8xf32>, tensor<?x8xf32> {
  %l:2 = program.loop %n init(%h) : tensor<8xf32> sizes(%n) -> tensor<8xf32>, tensor<?x8xf32> {
  ^bb0(%i: index, %x: tensor<8xf32>):
    program.yield %x, %x : tensor<8xf32>, tensor<8xf32>
  }
  // CHECK: program.loop %arg4 while %arg0 : tensor<i1> init(%arg3) : tensor<8xf32> -> tensor<8xf32> {
  %w = program.loop %n while %t : tensor<i1> init(%h) : tensor<8xf32> -> tensor<8xf32> {
  ^bb0(%i: index, %x: tensor<8xf32>):
    program.yield %x, %t : tensor<8xf32>, tensor<i1>
  }
  // CHECK: program.region updates(%arg3 : tensor<8xf32>) -> tensor<8xf32>
  %u = program.region updates(%h : tensor<8xf32>) -> tensor<8xf32> {
    program.yield %h : tensor<8xf32>
  }
  // CHECK: program.region takes_over(%arg3 : tensor<8xf32>) -> tensor<8xf32>
  %o = program.region takes_over(%h : tensor<8xf32>) -> tensor<8xf32> {
    program.yield %h : tensor<8xf32>
  }
  return
}

// CHECK: program.function @step inputs [] outputs [] caches [#program.cache_group<"0", 30 layers, 3 heads, 64 wide, 16 tokens a block, sink 0, window 0>]
program.function @step inputs [] outputs [] caches [#program.cache_group<"0", 30 layers, 3 heads, 64 wide, 16 tokens a block, sink 0, window 0>] {
  %n = arith.constant 1 : index
  %t = program.transient %n
  // CHECK: program.read %{{.+}} : !program.buffer as i64 between -4 and 4 message "a number"
  %c = program.read %t : !program.buffer as i64 between -4 and 4 message "a number"
  // CHECK: program.if %{{.+}} {
  program.if %c {
    program.yield
  } else {
    program.yield
  }
  // CHECK: program.loop %{{.+}} while %{{.+}} : !program.buffer {
  program.loop %n while %t : !program.buffer {
  ^bb0(%i: index):
    program.yield
  }
}
