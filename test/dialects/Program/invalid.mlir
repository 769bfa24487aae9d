// The rules of the program dialect.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -verify-diagnostics -split-input-file

func.func @types(%x: tensor<4xf32>) {
  // expected-error @+1 {{R1: the body must end in program.yield with the result types}}
  %y = program.region -> tensor<4xi32> {
    program.yield %x : tensor<4xf32>
  }
  return
}

// -----

func.func @no_yield() {
  // expected-error @+1 {{R1: the body must end in program.yield with the result types}}
  %y = program.region -> tensor<4xi32> {
    llvm.unreachable
  }
  return
}

// -----

// expected-error @+1 {{R1: inputs and outputs must be #program.tensor attributes}}
program.function @main inputs ["x"] outputs [] {
}

// -----

program.function @main inputs [] outputs [] {
  %n = arith.constant 1 : index
  %x = program.transient %n
  program.copy %x to %x size %n
  // expected-error @+1 {{R2: stands behind an op that does work}}
  program.check_equal %n, %n, "never"
}

// -----

program.function @main inputs [] outputs [] {
  %n = arith.constant 1 : index
  // expected-error @+1 {{R1: a grid has three sizes, this one has 2}}
  program.dispatch @k grid [%n, %n] bindings [] sizes [] writes [] constants []
}

// -----

program.function @main inputs [] outputs [] {
  %n = arith.constant 1 : index
  %x = program.transient %n
  // expected-error @+1 {{R2: there are 1 bindings, 0 sizes and 1 write flags}}
  program.dispatch @k grid [%n, %n, %n] bindings [%x] sizes [] writes [true] constants []
}

// -----

// #program.tensor and where it stands

// expected-error @+1 {{'x' has 1 dims and 2 labels}}
program.function @main inputs [#program.tensor<"x", f32, dims ["n"], labels ["n", "m"]>] outputs [] {
}

// -----

// expected-error @+1 {{'n n' isn't an expression over symbols}}
program.function @main inputs [#program.tensor<"x", f32, dims ["n n"], labels ["n"]>] outputs [] {
}

// -----

// expected-error @+1 {{the program dialect has no attribute 'program.other' for arguments and results}}
func.func @other(%x: tensor<4xf32> {program.other = 1 : i64}) {
  return
}

// -----

// expected-error @+1 {{'program.tensor' must be a #program.tensor}}
func.func @kind(%x: tensor<4xf32>) -> (tensor<4xf32> {program.tensor = "x"}) {
  return %x : tensor<4xf32>
}

// -----

// program.read, program.if, program.loop

func.func @read_type(%x: tensor<f32>) {
  // expected-error @+1 {{R1: reads a boolean or an integer of 8 to 64 bits, not a 'f32'}}
  %n = program.read %x : tensor<f32> as f32 between 0 and 1 message "m"
  return
}

// -----

func.func @read_size(%x: tensor<2xi64>) {
  // expected-error @+1 {{R2: can't read one 'i64' from a 'tensor<2xi64>'}}
  %n = program.read %x : tensor<2xi64> as i64 between 0 and 1 message "m"
  return
}

// -----

func.func @read_other_type(%x: tensor<i32>) {
  // expected-error @+1 {{R2: can't read one 'i64' from a 'tensor<i32>'}}
  %n = program.read %x : tensor<i32> as i64 between 0 and 1 message "m"
  return
}

// -----

func.func @read_bounds(%x: tensor<i64>) {
  // expected-error @+1 {{R3: the minimum 1 is above the maximum -1}}
  %n = program.read %x : tensor<i64> as i64 between 1 and -1 message "m"
  return
}

// -----

func.func @branches_differ(%c: index, %x: tensor<4xf32>, %y: tensor<4xi32>) {
  // expected-error @+1 {{R1: each branch must end in program.yield with the result types}}
  %r = program.if %c -> tensor<4xf32> {
    program.yield %x : tensor<4xf32>
  } else {
    program.yield %y : tensor<4xi32>
  }
  return
}

// -----

func.func @branch_sizes(%c: index, %x: tensor<?xf32>) {
  // expected-error @+1 {{R2: there are 0 sizes and 1 dynamic dimensions}}
  %r = program.if %c -> tensor<?xf32> {
    program.yield %x : tensor<?xf32>
  } else {
    program.yield %x : tensor<?xf32>
  }
  return
}

// -----

func.func @loop_arguments(%n: index, %x: tensor<4xf32>) {
  // expected-error @+1 {{R1: the body's arguments must be an index and the carried tensors}}
  %r = program.loop %n init(%x) : tensor<4xf32> -> tensor<4xf32> {
  ^bb0(%i: index):
    program.yield %x : tensor<4xf32>
  }
  return
}

// -----

func.func @loop_results(%n: index, %x: tensor<4xf32>) {
  // expected-error @+1 {{R2: the first results must be of the types of 'init'}}
  %r = program.loop %n init(%x) : tensor<4xf32> -> tensor<5xf32> {
  ^bb0(%i: index, %y: tensor<4xf32>):
    program.yield %y : tensor<4xf32>
  }
  return
}

// -----

func.func @loop_yield(%n: index, %x: tensor<4xf32>) {
  // expected-error @+1 {{R3: the body must yield the carried tensors, the condition and one part of each other result}}
  %r:2 = program.loop %n init(%x) : tensor<4xf32> -> tensor<4xf32>, tensor<3x4xf32> {
  ^bb0(%i: index, %y: tensor<4xf32>):
    program.yield %y : tensor<4xf32>
  }
  return
}

// -----

func.func @loop_scalar(%n: index, %x: tensor<f32>) {
  // expected-error @+1 {{R3: a stacked result has at least one dimension}}
  %r = program.loop %n -> tensor<f32> {
  ^bb0(%i: index):
    program.yield %x : tensor<f32>
  }
  return
}

// -----

func.func @loop_stacks_by_data(%n: index, %c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{R4: a loop with a condition can't stack results}}
  %r = program.loop %n while %c : tensor<i1> -> tensor<3x4xf32> {
  ^bb0(%i: index):
    program.yield %c, %x : tensor<i1>, tensor<4xf32>
  }
  return
}

// -----

func.func @loop_sizes(%n: index, %x: tensor<?xf32>) {
  // expected-error @+1 {{R5: there are 0 sizes and 1 dynamic dimensions}}
  %r = program.loop %n init(%x) : tensor<?xf32> -> tensor<?xf32> {
  ^bb0(%i: index, %y: tensor<?xf32>):
    program.yield %y : tensor<?xf32>
  }
  return
}

// -----

func.func @loop_condition(%n: index, %c: tensor<1xi1>, %d: tensor<i1>) {
  // expected-error @+1 {{R6: the condition must be a tensor<i1>, or a buffer where nothing is carried}}
  program.loop %n while %c : tensor<1xi1> {
  ^bb0(%i: index):
    program.yield %d : tensor<i1>
  }
  return
}

// -----

// #program.cache_group and where it stands

// expected-error @+1 {{'program.cache_groups' must be an array of #program.cache_group}}
func.func @groups() attributes {program.cache_groups = "0"} {
  return
}

// -----

// expected-error @+1 {{'program.cache_groups' must be an array of #program.cache_group}}
func.func @groups() attributes {program.cache_groups = [1 : i64]} {
  return
}

// -----

// expected-error @+1 {{the program dialect has no attribute 'program.step_refused' for func.func}}
func.func @refused() attributes {program.step_refused = 1 : i64} {
  return
}

// -----

// expected-error @+1 {{a cache group needs a name}}
func.func @name() attributes {program.cache_groups = [#program.cache_group<"", 2 layers, 1 heads, 4 wide, 16 tokens a block, sink 0, window 0>]} {
  return
}

// -----

// expected-error @+1 {{the sizes of cache group 'a' must be positive}}
func.func @sizes() attributes {program.cache_groups = [#program.cache_group<"a", 2 layers, 1 heads, 0 wide, 16 tokens a block, sink 0, window 0>]} {
  return
}

// -----

// expected-error @+1 {{cache group 'a' can't keep a sink of 4 and a window of 0}}
func.func @template() attributes {program.cache_groups = [#program.cache_group<"a", 2 layers, 1 heads, 4 wide, 16 tokens a block, sink 4, window 0>]} {
  return
}

// -----

// expected-error @+1 {{cache group 'a' can't keep a sink of 0 and a window of -1}}
func.func @negative() attributes {program.cache_groups = [#program.cache_group<"a", 2 layers, 1 heads, 4 wide, 16 tokens a block, sink 0, window -1>]} {
  return
}

// -----

// expected-error @+1 {{R3: caches must be #program.cache_group attributes}}
program.function @caches inputs [] outputs [] caches ["0"] {
}
