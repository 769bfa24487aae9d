// What can't become a host schedule is refused.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -mxn-outline-dispatches -split-input-file -verify-diagnostics

// expected-error @+1 {{every argument and result needs a program.tensor attribute}}
func.func @main(%x: tensor<4xf32>) {
  return
}

// -----

// expected-error @+1 {{argument 0 is a 'tensor<4x4xf32>', its program.tensor has 1 dimensions}}
func.func @main(%x: tensor<4x4xf32> {program.tensor = #program.tensor<"x", f32, dims ["4"], labels ["4"]>}) {
  return
}

// -----

// expected-error @+1 {{can't be told from the inputs}}
func.func @main(%x: tensor<?xf32> {program.tensor = #program.tensor<"x", f32, dims ["a + b"], labels ["len"]>}) {
  return
}

// -----

// expected-error @+1 {{the size found of output "y" depends on data, which isn't supported}}
func.func @main() -> (tensor<?xf32> {program.tensor = #program.tensor<"y", f32, dims ["found"], labels ["found"]>}) {
  %c = arith.constant 3 : index
  %e = tensor.empty(%c) : tensor<?xf32>
  return %e : tensor<?xf32>
}

// -----

func.func @main() {
  // expected-error @+1 {{the size n depends on data (no input has it as a dimension), which isn't supported}}
  %n = program.symbol "n"
  return
}
