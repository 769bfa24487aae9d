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

// -----

func.func @heads(%q: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x2x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x8xf32> {
  // expected-error @+1 {{R1: q_heads (3) must be a positive multiple of kv_heads (2)}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 0 : i64, q_heads = 3 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x2x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x8xf32>, tensor<?x2x2x2x16x2xf32>
  return %y : tensor<1x?x8xf32>
}

// -----

func.func @no_heads(%q: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x2x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x8xf32> {
  // expected-error @+1 {{R1: q_heads (0) must be a positive multiple of kv_heads (2)}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 0 : i64, q_heads = 0 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x2x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x8xf32>, tensor<?x2x2x2x16x2xf32>
  return %y : tensor<1x?x8xf32>
}

// -----

func.func @queries(%q: tensor<1x?x6xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x2x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x6xf32> {
  // expected-error @+1 {{R2: q must be [1, T, 4 * head size] for a cache of rank 6}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 0 : i64, q_heads = 4 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x6xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x2x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x6xf32>, tensor<?x2x2x2x16x2xf32>
  return %y : tensor<1x?x6xf32>
}

// -----

func.func @rank(%q: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x8xf32> {
  // expected-error @+1 {{R2: q must be [1, T, 4 * head size] for a cache of rank 6}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 0 : i64, q_heads = 4 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x8xf32>, tensor<?x2x2x16x2xf32>
  return %y : tensor<1x?x8xf32>
}

// -----

func.func @keys(%q: tensor<1x?x8xf32>, %k: tensor<1x?x8xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x2x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x8xf32> {
  // expected-error @+1 {{R2: k and v must be [1, T, 2 * head size], as many heads as the cache}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 0 : i64, q_heads = 4 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<?x2x2x2x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x8xf32>, tensor<?x2x2x2x16x2xf32>
  return %y : tensor<1x?x8xf32>
}

// -----

func.func @cache_heads(%q: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x4x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x8xf32> {
  // expected-error @+1 {{R2: k and v must be [1, T, 2 * head size], as many heads as the cache}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 0 : i64, q_heads = 4 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x4x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x8xf32>, tensor<?x2x2x4x16x2xf32>
  return %y : tensor<1x?x8xf32>
}

// -----

func.func @layer(%q: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x2x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x8xf32> {
  // expected-error @+1 {{R3: the cache has 2 layers, there is no layer 2}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 2 : i64, q_heads = 4 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x2x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x8xf32>, tensor<?x2x2x2x16x2xf32>
  return %y : tensor<1x?x8xf32>
}

// -----

func.func @result(%q: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x2x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x8xf16> {
  // expected-error @+1 {{R4: the results must have the types of q and of the cache}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 0 : i64, q_heads = 4 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x2x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x8xf16>, tensor<?x2x2x2x16x2xf32>
  return %y : tensor<1x?x8xf16>
}

// -----

func.func @updated(%q: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x2x16x2xf32>, %table: tensor<?x?xi32>,
                    %ints: tensor<?xi32>) -> tensor<1x?x8xf32> {
  // expected-error @+1 {{R4: the results must have the types of q and of the cache}}
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %ints context %ints
      {layer = 0 : i64, q_heads = 4 : i64, kv_heads = 2 : i64, scale = 0.5 : f32}
      : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x2x16x2xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32>
      -> tensor<1x?x8xf32>, tensor<?x2x2x2x8x2xf32>
  return %y : tensor<1x?x8xf32>
}
