// Branches and loops: work inside becomes dispatches, results get memory outside.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-form-dispatches | FileCheck %s --check-prefix=FORM
// RUN: mxn-opt %s -split-input-file -mxn-form-dispatches -mxn-outline-dispatches | FileCheck %s

#x = #program.tensor<"x", f32, dims ["n"], labels ["n"]>
#y = #program.tensor<"y", f32, dims ["n"], labels ["n"]>
#c = #program.tensor<"c", i1, dims [], labels []>

// FORM-LABEL: @branches
// FORM: program.if
// FORM-NEXT: program.region
// FORM: linalg.exp
// FORM: } else {
// FORM-NEXT: program.yield

// One branch writes its result straight into the output, the other one copies. What the branches share stands before.
// What a branch needs for itself is planned even where it isn't taken, whatever its size then is.
// CHECK-LABEL: program.function @branches
// CHECK: %[[C:.+]] = program.input 1
// CHECK: %[[B:.+]] = program.read %[[C]] : !program.buffer as i1 between 0 and 1
// CHECK: %[[Y:.+]] = program.output 0 size
// CHECK: %[[X:.+]] = program.input 0
// CHECK: program.if %[[B]] {
// CHECK:   %[[S:.+]] = arith.maxsi %{{.+}}, %{{.+}} : index
// CHECK:   %[[T:.+]] = program.transient %[[S]]
// CHECK:   program.dispatch {{.+}} bindings[%[[X]], %[[T]]]
// CHECK:   program.dispatch {{.+}} bindings[%[[T]], %[[Y]]]
// CHECK-NOT: program.copy
// CHECK: } else {
// CHECK-NEXT: program.copy %[[X]] to %[[Y]] size
func.func @branches(%x: tensor<?xf32> {program.tensor = #x}, %c: tensor<i1> {program.tensor = #c}) -> (tensor<?xf32> {program.tensor = #y}) {
  %n = program.symbol "n"
  %b = program.read %c : tensor<i1> as i1 between 0 and 1 message "m"
  %r = program.if %b sizes(%n) -> tensor<?xf32> {
    %e = tensor.empty(%n) : tensor<?xf32>
    %u = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    %v = linalg.exp ins(%u : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    program.yield %v : tensor<?xf32>
  } else {
    program.yield %x : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

#x = #program.tensor<"x", f32, dims ["4"], labels ["4"]>
#c = #program.tensor<"c", i1, dims [], labels []>

// A value that is yielded twice is written once and copied once; one that an inner branch yields belongs to the outer.
// CHECK-LABEL: program.function @twice
// CHECK: %[[Y:.+]] = program.output 0
// CHECK: %[[Z:.+]] = program.output 1
// CHECK: program.if
// CHECK:   program.dispatch {{.+}} bindings[%{{.+}}, %[[Y]]]
// CHECK:   program.if
// CHECK:     program.copy %[[Y]] to %[[Z]]
// CHECK:   } else {
// CHECK:     program.dispatch {{.+}} bindings[%[[Y]], %[[Z]]]
// CHECK:   }
// CHECK-NOT: program.copy
// CHECK: } else {
// CHECK:   program.dispatch {{.+}} bindings[%{{.+}}, %[[Y]]]
// CHECK:   program.copy %[[Y]] to %[[Z]]
func.func @twice(%x: tensor<4xf32> {program.tensor = #x}, %c: tensor<i1> {program.tensor = #c}) -> (tensor<4xf32> {program.tensor = #x}, tensor<4xf32> {program.tensor = #x}) {
  %b = program.read %c : tensor<i1> as i1 between 0 and 1 message "m"
  %e = tensor.empty() : tensor<4xf32>
  %r:2 = program.if %b -> tensor<4xf32>, tensor<4xf32> {
    %u = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %i = program.if %b -> tensor<4xf32> {
      program.yield %u : tensor<4xf32>
    } else {
      %v = linalg.abs ins(%u : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      program.yield %v : tensor<4xf32>
    }
    program.yield %u, %i : tensor<4xf32>, tensor<4xf32>
  } else {
    %u = linalg.abs ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    program.yield %u, %u : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

#x = #program.tensor<"x", f32, dims ["4"], labels ["4"]>
#s = #program.tensor<"s", f32, dims ["3", "4"], labels ["3", "4"]>

// Carried tensors that change places go through memory of their own; parts are copied to where the counter says.
// FORM-LABEL: @loop
// FORM: program.loop
// FORM: program.region

// CHECK-LABEL: program.function @loop
// CHECK-DAG: %[[THREE:.+]] = arith.constant 3 : index
// CHECK-DAG: %[[BYTES:.+]] = arith.constant 16 : index
// CHECK: %[[P:.+]] = program.output 0
// CHECK: %[[Q:.+]] = program.transient %[[BYTES]]
// CHECK: %[[S:.+]] = program.output 1
// CHECK: %[[X:.+]] = program.input 0
// CHECK: program.copy %[[X]] to %[[P]] size %[[BYTES]]
// CHECK: program.copy %{{.+}} to %[[Q]] size %[[BYTES]]
// CHECK: program.loop %[[THREE]] {
// CHECK: ^bb0(%[[I:.+]]: index):
// CHECK:   %[[N:.+]] = program.transient
// CHECK:   program.dispatch {{.+}} bindings[%[[P]], %[[Q]], %[[N]]]
// CHECK:   %[[AT:.+]] = arith.muli %[[I]], %[[BYTES]]
// CHECK:   program.copy %[[N]] to %[[S]] at %[[AT]] size %[[BYTES]]
// CHECK:   %[[ASIDE:.+]] = program.transient
// CHECK:   program.copy %[[P]] to %[[ASIDE]]
// CHECK:   program.copy %[[N]] to %[[P]]
// CHECK:   program.copy %[[ASIDE]] to %[[Q]]
func.func @loop(%x: tensor<4xf32> {program.tensor = #x}, %z: tensor<4xf32> {program.tensor = #x}) -> (tensor<4xf32> {program.tensor = #x}, tensor<3x4xf32> {program.tensor = #s}) {
  %three = arith.constant 3 : index
  %r:3 = program.loop %three init(%x, %z) : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<3x4xf32> {
  ^bb0(%i: index, %p: tensor<4xf32>, %q: tensor<4xf32>):
    %e = tensor.empty() : tensor<4xf32>
    %n = linalg.add ins(%p, %q : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    program.yield %n, %p, %n : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#2 : tensor<4xf32>, tensor<3x4xf32>
}

// -----

#x = #program.tensor<"x", f32, dims [], labels []>
#c = #program.tensor<"c", i1, dims [], labels []>

// The condition has memory of its own, which the body writes again.
// CHECK-LABEL: program.function @while
// CHECK: %[[K:.+]] = program.transient
// CHECK: program.copy %{{.+}} to %[[K]]
// CHECK: program.loop %{{.+}} while %[[K]] : !program.buffer {
// CHECK: program.dispatch {{.+}} bindings[%{{[0-9]+}}, %[[NEXT:[0-9]+]]]
// CHECK: program.copy %[[NEXT]] to %[[K]]
func.func @while(%x: tensor<f32> {program.tensor = #x}, %c: tensor<i1> {program.tensor = #c}) -> (tensor<f32> {program.tensor = #x}) {
  %n = arith.constant 100 : index
  %r = program.loop %n while %c : tensor<i1> init(%x) : tensor<f32> -> tensor<f32> {
  ^bb0(%i: index, %p: tensor<f32>):
    %e = tensor.empty() : tensor<i1>
    %go = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []} ins(%p : tensor<f32>) outs(%e : tensor<i1>) {
    ^bb0(%v: f32, %o: i1):
      %big = arith.cmpf olt, %v, %v : f32
      linalg.yield %big : i1
    } -> tensor<i1>
    program.yield %p, %go : tensor<f32>, tensor<i1>
  }
  return %r : tensor<f32>
}
