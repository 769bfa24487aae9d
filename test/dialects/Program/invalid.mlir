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
