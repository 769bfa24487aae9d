// The rules of the ops that decide during the call what runs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -verify-diagnostics -split-input-file

func.func @updates(%h: tensor<8xf32>, %x: tensor<4xf32>) {
  // expected-error @+1 {{R2: the tensor that is updated must have the first result's type}}
  %u = program.region updates(%h : tensor<8xf32>) -> tensor<4xf32> {
    program.yield %x : tensor<4xf32>
  }
  return
}

// -----

func.func @read_floats(%t: tensor<f32>) {
  // expected-error @+1 {{R1: reads a boolean or an integer of 8 to 64 bits, not a 'f32'}}
  %c = program.read %t : tensor<f32> as f32 between 0 and 1 message ""
  return
}

// -----

func.func @read_many(%t: tensor<2xi64>) {
  // expected-error @+1 {{R2: can't read one 'i64' from a 'tensor<2xi64>'}}
  %c = program.read %t : tensor<2xi64> as i64 between 0 and 1 message ""
  return
}

// -----

func.func @read_other_type(%t: tensor<i32>) {
  // expected-error @+1 {{R2: can't read one 'i64' from a 'tensor<i32>'}}
  %c = program.read %t : tensor<i32> as i64 between 0 and 1 message ""
  return
}

// -----

func.func @read_nothing(%t: tensor<i64>) {
  // expected-error @+1 {{R3: the minimum 1 is above the maximum -1}}
  %c = program.read %t : tensor<i64> as i64 between 1 and -1 message ""
  return
}

// -----

func.func @if_types(%c: index, %a: tensor<4xf32>, %b: tensor<5xf32>) {
  // expected-error @+1 {{R1: each branch must end in program.yield with the result types}}
  %y = program.if %c -> tensor<4xf32> {
    program.yield %a : tensor<4xf32>
  } else {
    program.yield %b : tensor<5xf32>
  }
  return
}

// -----

func.func @if_sizes(%c: index, %a: tensor<?xf32>) {
  // expected-error @+1 {{R2: there are 0 sizes and 1 dynamic dimensions}}
  %y = program.if %c -> tensor<?xf32> {
    program.yield %a : tensor<?xf32>
  } else {
    program.yield %a : tensor<?xf32>
  }
  return
}

// -----

func.func @loop_arguments(%n: index, %h: tensor<8xf32>) {
  // expected-error @+1 {{R1: the body's arguments must be an index and the carried tensors}}
  %l = program.loop %n init(%h) : tensor<8xf32> -> tensor<8xf32> {
  ^bb0(%i: index):
    program.yield %h : tensor<8xf32>
  }
  return
}

// -----

func.func @loop_carried(%n: index, %h: tensor<8xf32>, %g: tensor<4xf32>) {
  // expected-error @+1 {{R2: the first results must be of the types of 'init'}}
  %l = program.loop %n init(%h) : tensor<8xf32> -> tensor<4xf32> {
  ^bb0(%i: index, %x: tensor<8xf32>):
    program.yield %g : tensor<4xf32>
  }
  return
}

// -----

func.func @loop_yields(%n: index, %h: tensor<8xf32>) {
  // expected-error @+1 {{R3: the body must yield the carried tensors, the condition and one part of each other result}}
  %l:2 = program.loop %n init(%h) : tensor<8xf32> sizes(%n) -> tensor<8xf32>, tensor<?x8xf32> {
  ^bb0(%i: index, %x: tensor<8xf32>):
    program.yield %x : tensor<8xf32>
  }
  return
}

// -----

func.func @loop_stacks_scalars(%n: index, %s: tensor<f32>) {
  // expected-error @+1 {{R3: a stacked result has at least one dimension}}
  %l = program.loop %n -> tensor<f32> {
  ^bb0(%i: index):
    program.yield %s : tensor<f32>
  }
  return
}

// -----

func.func @loop_stacks_while(%n: index, %t: tensor<i1>, %h: tensor<8xf32>) {
  // expected-error @+1 {{R4: a loop with a condition can't stack results}}
  %l = program.loop %n while %t : tensor<i1> sizes(%n) -> tensor<?x8xf32> {
  ^bb0(%i: index):
    program.yield %t, %h : tensor<i1>, tensor<8xf32>
  }
  return
}

// -----

func.func @loop_sizes(%n: index, %h: tensor<8xf32>) {
  // expected-error @+1 {{R5: there are 0 sizes and 1 dynamic dimensions}}
  %l = program.loop %n -> tensor<?x8xf32> {
  ^bb0(%i: index):
    program.yield %h : tensor<8xf32>
  }
  return
}

// -----

program.function @loop_condition inputs [] outputs [] {
  %n = arith.constant 1 : index
  %t = arith.constant dense<true> : tensor<2xi1>
  %b = arith.constant dense<true> : tensor<i1>
  // expected-error @+1 {{R6: the condition must be a tensor<i1>, or a buffer where nothing is carried}}
  program.loop %n while %t : tensor<2xi1> {
  ^bb0(%i: index):
    program.yield %b : tensor<i1>
  }
}

// -----

// expected-error @+1 {{R3: caches must be #program.cache_group attributes}}
program.function @step inputs [] outputs [] caches ["0"] {
}
