// Regions become kernels and dispatches, functions become host schedules.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -mxn-outline-dispatches -split-input-file | FileCheck %s

#x = #program.tensor<"x", f32, dims ["n + 1", "4"], labels ["len", "4"]>
#y = #program.tensor<"y", f32, dims ["n + 1", "4"], labels ["len", "4"]>
#z = #program.tensor<"z", f32, dims ["4*n + 4"], labels ["len4"]>

// The prologue solves the sizes from the inputs and checks what the model demands.
// CHECK-LABEL: program.function @main
// CHECK-SAME: inputs [#program.tensor<"x"
// CHECK: %[[LEN:.+]] = program.input_dim 0, 0
// CHECK: %[[FOUR:.+]] = program.input_dim 0, 1
// CHECK: %[[N:.+]] = arith.subi %[[LEN]]
// CHECK: program.check_at_least %[[N]], %{{.+}}, "the size n must not be negative"
// CHECK: program.check_equal %[[LEN]], %{{.+}}, "dimension 0 of input \22x\22 must be n + 1 (the model calls it len)"
// CHECK: program.check_equal %[[FOUR]], %{{.+}}, "dimension 1 of input \22x\22 must be 4"
// CHECK: program.output_shape 0
// CHECK: program.output_shape 1
// What stays inside is transient; what is returned is written where it belongs.
// CHECK: %[[X:.+]] = program.input 0 size
// CHECK: %[[T:.+]] = program.transient
// CHECK: program.dispatch @[[K0:.+]] grid{{.+}} bindings[%[[X]], %[[T]]] {{.+}} writes [false, true]
// CHECK: %[[Y:.+]] = program.output 0 size
// CHECK: program.dispatch @{{.+}} grid{{.+}} bindings[%[[T]], %[[Y]]]
// A reshape is the same buffer; as a result it is copied.
// CHECK: %[[Z:.+]] = program.output 1 size
// CHECK: program.copy %[[X]] to %[[Z]]
// CHECK: module @kernels
// CHECK: func.func @[[K0]]()
// CHECK: kernel.binding 0[%{{.+}}] apart : memref<?x4xf32>
// CHECK: linalg.exp
// CHECK: bufferization.materialize_in_destination
func.func @main(%x: tensor<?x4xf32> {program.tensor = #x}) -> (tensor<?x4xf32> {program.tensor = #y}, tensor<?xf32> {program.tensor = #z}) {
  %n = program.symbol "n"
  %c1 = arith.constant 1 : index
  %m = arith.addi %n, %c1 : index
  %a = program.region -> tensor<?x4xf32> {
    %e = tensor.empty(%m) : tensor<?x4xf32>
    %r = linalg.exp ins(%x : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    program.yield %r : tensor<?x4xf32>
  }
  %b = program.region -> tensor<?x4xf32> {
    %e = tensor.empty(%m) : tensor<?x4xf32>
    %r = linalg.exp ins(%a : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    program.yield %r : tensor<?x4xf32>
  }
  %flat = tensor.collapse_shape %x [[0, 1]] : tensor<?x4xf32> into tensor<?xf32>
  return %b, %flat : tensor<?x4xf32>, tensor<?xf32>
}

// -----

#x = #program.tensor<"x", f32, dims ["4"], labels ["4"]>
#y = #program.tensor<"y", f32, dims ["4"], labels ["4"]>

// Equal kernels are one; small constants become blobs; guards become checks.
// CHECK: program.blob @blob dense<{{.+}}> : tensor<4xf32>
// CHECK-LABEL: program.function @main
// CHECK: program.check_equal %{{.+}}, %{{.+}}, "a guard"
// CHECK: %[[C:.+]] = program.constant @blob
// CHECK: program.dispatch @[[K:.+]] grid{{.+}} bindings[%{{.+}}, %[[C]], %{{.+}}]
// CHECK: program.dispatch @[[K]] grid{{.+}} bindings[%{{.+}}, %[[C]], %{{.+}}]
// CHECK: module @kernels
// CHECK: func.func @[[K]]()
// CHECK-NOT: func.func
func.func @main(%x: tensor<4xf32> {program.tensor = #x}) -> (tensor<4xf32> {program.tensor = #y}) {
  %c = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  program.guard "4" equals "4" message "a guard"
  %a = program.region -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %r = linalg.add ins(%x, %c : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    program.yield %r : tensor<4xf32>
  }
  %b = program.region -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %r = linalg.add ins(%a, %c : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    program.yield %r : tensor<4xf32>
  }
  return %b : tensor<4xf32>
}

// -----

#x = #program.tensor<"x", f32, dims ["n", "128"], labels ["n", "128"]>

// Parallel loops of a region are the dispatch's grid, a point for each step; the kernel keeps them.
// CHECK-LABEL: program.function @main
// CHECK: %[[N:.+]] = program.input_dim 0, 0
// CHECK: %[[POINTS:.+]] = arith.ceildivsi %[[N]]
// CHECK: program.dispatch @k0_exp grid[%[[POINTS]], %[[TWO:.+]], %[[ONE:.+]]]
// CHECK: scf.forall
func.func @main(%x: tensor<?x128xf32> {program.tensor = #x}) -> (tensor<?x128xf32> {program.tensor = #x}) {
  %n = program.symbol "n"
  %a = program.region -> tensor<?x128xf32> {
    %e = tensor.empty(%n) : tensor<?x128xf32>
    %r = scf.forall (%i, %j) = (0, 0) to (%n, 128) step (4, 64) shared_outs(%o = %e) -> tensor<?x128xf32> {
      %c4 = arith.constant 4 : index
      %rest = arith.subi %n, %i : index
      %rows = arith.minsi %rest, %c4 : index
      %s = tensor.extract_slice %x[%i, %j] [%rows, 64] [1, 1] : tensor<?x128xf32> to tensor<?x64xf32>
      %d = tensor.extract_slice %o[%i, %j] [%rows, 64] [1, 1] : tensor<?x128xf32> to tensor<?x64xf32>
      %t = linalg.exp ins(%s : tensor<?x64xf32>) outs(%d : tensor<?x64xf32>) -> tensor<?x64xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %t into %o[%i, %j] [%rows, 64] [1, 1] : tensor<?x64xf32> into tensor<?x128xf32>
      }
    }
    program.yield %r : tensor<?x128xf32>
  }
  return %a : tensor<?x128xf32>
}
