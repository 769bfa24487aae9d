// The rules of the llm dialect.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -verify-diagnostics -split-input-file

// expected-error @+1 {{R1: length 12 isn't what 'tensor<4xf32>' needs}}
llm.weight @w from "weights.data" offset 0 length 12 : tensor<4xf32>

// -----

// expected-error @+1 {{R1: length 12 isn't what 'tensor<?xf32>' needs}}
llm.weight @w from "weights.data" offset 0 length 12 : tensor<?xf32>

// -----

// expected-error @+1 {{R1: length 4 isn't what 'f32' needs}}
llm.weight @w from "weights.data" offset 0 length 4 : f32

// -----

// expected-error @+1 {{R2: the offset is negative}}
llm.weight @w from "weights.data" offset -1 length 16 : tensor<4xf32>

// -----

func.func @shape() {
  // expected-error @+1 {{R1: the weight is a 'tensor<4xf32>', the result a 'tensor<2x2xf32>'}}
  %w = llm.constant #llm.weight<@w : tensor<4xf32>> -> tensor<2x2xf32>
  return
}

// -----

func.func @width() {
  // expected-error @+1 {{R1: the weight is a 'tensor<4xf32>', the result a 'tensor<4xf16>'}}
  %w = llm.constant #llm.weight<@w : tensor<4xf32>> -> tensor<4xf16>
  return
}
