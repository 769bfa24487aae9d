// The printed form of the program dialect is read back as it was, and so is the generic form.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s | mxn-opt | FileCheck %s
// RUN: mxn-opt %s --mlir-print-op-generic | mxn-opt | FileCheck %s

// CHECK-LABEL: @tensors
func.func @tensors(%x: tensor<?xf32> {program.tensor = #program.tensor<"x", f32, dims ["n"], labels ["N"]>}) -> tensor<?xf32> {
  // CHECK: %[[N:.*]] = program.symbol "n"
  %n = program.symbol "n"
  // CHECK: program.guard "n" equals "m" message "they differ"
  program.guard "n" equals "m" message "they differ"
  // CHECK: %[[Y:.*]] = program.region -> tensor<?xf32> {
  %y = program.region -> tensor<?xf32> {
    %e = tensor.empty(%n) : tensor<?xf32>
    %r = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    // CHECK: program.yield %{{.*}} : tensor<?xf32>
    program.yield %r : tensor<?xf32>
  }
  // CHECK: return %[[Y]]
  return %y : tensor<?xf32>
}

// CHECK-LABEL: @control_flow
func.func @control_flow(%x: tensor<?xf32>, %b: tensor<i1>, %n: index, %t: tensor<i1>) -> tensor<?xf32> {
  // CHECK: %[[C:.*]] = program.read %{{.*}} : tensor<i1> as i1 between 0 and 1 message "the condition"
  %c = program.read %b : tensor<i1> as i1 between 0 and 1 message "the condition"
  // CHECK: %{{.*}} = program.if %[[C]] sizes(%{{.*}}) -> tensor<?xf32> {
  %y = program.if %c sizes(%n) -> tensor<?xf32> {
    program.yield %x : tensor<?xf32>
  // CHECK: } else {
  } else {
    program.yield %x : tensor<?xf32>
  }
  // CHECK: %{{.*}}:2 = program.loop %{{.*}} init(%{{.*}}) : tensor<?xf32> sizes(%{{.*}}, %{{.*}}, %{{.*}}) -> tensor<?xf32>, tensor<?x?xf32> {
  %z:2 = program.loop %n init(%y) : tensor<?xf32> sizes(%n, %n, %n) -> tensor<?xf32>, tensor<?x?xf32> {
  // CHECK: ^bb0(%{{.*}}: index, %[[P:.*]]: tensor<?xf32>):
  ^bb0(%i: index, %p: tensor<?xf32>):
    // CHECK: program.yield %[[P]], %[[P]]
    program.yield %p, %p : tensor<?xf32>, tensor<?xf32>
  }
  // CHECK: program.loop %{{.*}} while %{{.*}} : tensor<i1> init(
  %w = program.loop %n while %b : tensor<i1> init(%y) : tensor<?xf32> sizes(%n) -> tensor<?xf32> {
  ^bb0(%i: index, %p: tensor<?xf32>):
    program.yield %p, %t : tensor<?xf32>, tensor<i1>
  }
  return %w : tensor<?xf32>
}

// CHECK: program.blob @c dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
program.blob @c dense<[1.0, 2.0]> : tensor<2xf32>

// CHECK: program.function @main inputs [#program.tensor<"x", f32, dims["n"], labels["N"]>] outputs [#program.tensor<"y", f32, dims[], labels[]>] {
program.function @main inputs [#program.tensor<"x", f32, dims ["n"], labels ["N"]>] outputs [#program.tensor<"y", f32, dims [], labels []>] {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  // CHECK: %[[N:.*]] = program.input_dim 0, 0
  %n = program.input_dim 0, 0
  // CHECK: program.check_equal %[[N]], %{{.*}}, "it must be one"
  program.check_equal %n, %one, "it must be one"
  // CHECK: program.check_at_least %[[N]], %{{.*}}, "it must not be \22negative\22"
  program.check_at_least %n, %zero, "it must not be \"negative\""
  // CHECK: program.output_shape 0[%[[N]]]
  program.output_shape 0 [%n]
  // CHECK: %[[X:.*]] = program.input 0 size %[[N]]
  %x = program.input 0 size %n
  // CHECK: %[[Y:.*]] = program.output 0 size %[[N]]
  %y = program.output 0 size %n
  // CHECK: program.output 1 size %[[N]] donated 0
  %d = program.output 1 size %n donated 0
  // CHECK: %[[C:.*]] = program.constant @c
  %c = program.constant @c
  // CHECK: %[[T:.*]] = program.transient %[[N]]
  %t = program.transient %n
  // CHECK: program.dispatch @k grid[%{{.*}}, %{{.*}}, %{{.*}}] bindings[%[[X]], %[[C]], %[[T]]] sizes[%[[N]], %[[N]], %[[N]]] writes [false, false, true] constants[%[[N]]]
  program.dispatch @k grid [%one, %one, %one] bindings [%x, %c, %t] sizes [%n, %n, %n] writes [false, false, true] constants [%n]
  // CHECK: program.copy %[[T]] to %[[Y]] size %[[N]]
  program.copy %t to %y size %n
  // CHECK: %[[R:.*]] = program.read %[[T]] : !program.buffer as i64 between -1 and 5 message "m"
  %r = program.read %t : !program.buffer as i64 between -1 and 5 message "m"
  // CHECK: program.if %[[R]] {
  program.if %r {
    program.yield
  } else {
    program.yield
  }
  // CHECK: program.loop %[[R]] while %[[T]] : !program.buffer {
  // CHECK: ^bb0(%[[I:.*]]: index):
  program.loop %r while %t : !program.buffer {
  ^bb0(%i: index):
    // CHECK: program.copy %[[T]] to %[[Y]] at %[[I]] size %[[N]]
    program.copy %t to %y at %i size %n
    program.yield
  }
}

// CHECK-LABEL: @cached
// CHECK-SAME: program.cache_groups = [#program.cache_group<"0", 30 layers, 3 heads, 64 wide, 16 tokens a block, sink 4, window 128>]
func.func @cached() attributes {program.cache_groups = [#program.cache_group<"0", 30 layers, 3 heads, 64 wide, 16 tokens a block, sink 4, window 128>]} {
  return
}
