// com.microsoft.GroupQueryAttention: sizes, the past and who may be shorter.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes | FileCheck %s --check-prefix=SHAPES
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes -convert-onnx-to-linalg -canonicalize -cse | FileCheck %s

// The head size follows from the packed columns, the mask's length from past and queries.
// SHAPES-LABEL: @packed
// SHAPES-SAME: tensor<?x?xi64, #onnx.dims<"b", "p + s">>
// SHAPES-SAME: tensor<?x2x?x16xf32, #onnx.dims<"b", "2", "p", "16">>
// SHAPES: "GroupQueryAttention"
// SHAPES-SAME: tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>
// SHAPES-SAME: tensor<?x2x?x16xf32, #onnx.dims<"b", "2", "p + s", "16">>

// CHECK-LABEL: @packed
// CHECK-SAME: %[[QKV:[a-z0-9]+]]: tensor<?x?x128xf32>, %{{.+}}: tensor<?x?xi64>, %[[LAST:[a-z0-9]+]]: tensor<?xi32>
// CHECK-SAME: %[[PK:[a-z0-9]+]]: tensor<?x2x?x16xf32>, %[[PV:[a-z0-9]+]]: tensor<?x2x?x16xf32>
// CHECK-DAG: %[[P:.+]] = program.symbol "p"
// CHECK-DAG: %[[S:.+]] = program.symbol "s"
// How many keys each batch has before its queries; more than the past has fails the call.
// CHECK: %[[PASTS:.+]] = linalg.generic {{.*}} ins(%[[LAST]] : tensor<?xi32>)
// CHECK: arith.cmpi eq, %[[P]]
// CHECK: kernel.check %{{.+}} code 2
// CHECK: } -> tensor<?xi64>
// Queries and keys are turned where they stand in the packed tensor.
// CHECK-COUNT-2: linalg.generic {{.*}} ins(%[[PASTS]] : tensor<?xi64>)
// CHECK: program.region takes_over(%[[PK]]
// CHECK: program.region takes_over(%[[PV]]
// CHECK-NOT: tensor.extract_slice
func.func @packed(%qkv: tensor<?x?x128xf32, #onnx.dims<"b", "s", "128">>, %mask: tensor<?x?xi64, #onnx.dims<"b", "t">>,
                  %last: tensor<?xi32, #onnx.dims<"b">>, %pk: tensor<?x2x?x?xf32, #onnx.dims<"b", "2", "p", "d">>,
                  %pv: tensor<?x2x?x?xf32, #onnx.dims<"b", "2", "p", "d">>, %cos: tensor<64x8xf32>, %sin: tensor<64x8xf32>)
    -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %none = onnx.none
  %one = onnx.constant dense<1> : tensor<i64> -> tensor<i64>
  %shape = onnx.node "Shape" version 17 (%mask) : (tensor<?x?xi64, #onnx.dims<"b", "t">>) -> tensor<2xi64>
  %t = onnx.node "Gather" version 17 (%shape, %one) : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %total = onnx.node "Cast" version 17 (%t) attributes {to = 6 : i64} : (tensor<i64>) -> tensor<i32>
  %y, %k, %v = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%qkv, %none, %none, %pk, %pv, %last, %total, %cos, %sin)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64}
      : (tensor<?x?x128xf32, #onnx.dims<"b", "s", "128">>, !onnx.none, !onnx.none, tensor<?x2x?x?xf32, #onnx.dims<"b", "2", "p", "d">>,
         tensor<?x2x?x?xf32, #onnx.dims<"b", "2", "p", "d">>, tensor<?xi32, #onnx.dims<"b">>, tensor<i32>, tensor<64x8xf32>, tensor<64x8xf32>)
      -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y, %k, %v : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

// A length that is an input is compared when the model runs: past and present in one larger buffer fail the call.
// CHECK-LABEL: @total_is_an_input
// CHECK-SAME: %[[TOTAL:[a-z0-9]+]]: tensor<1xi32>
// CHECK: linalg.generic
// CHECK: tensor.extract %[[TOTAL]][%c0]
// CHECK: kernel.check %{{.+}} code 2
// CHECK: kernel.check %{{.+}} code 2
// CHECK: } -> tensor<?xi64>
// CHECK-NOT: takes_over
func.func @total_is_an_input(%q: tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, %k: tensor<?x?x32xf32, #onnx.dims<"b", "s", "32">>,
                             %last: tensor<?xi32, #onnx.dims<"b">>, %total: tensor<1xi32>) -> tensor<*xf32> {
  %none = onnx.none
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %k, %none, %none, %last, %total)
      attributes {num_heads = 4 : i64, kv_num_heads = 2 : i64}
      : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, tensor<?x?x32xf32, #onnx.dims<"b", "s", "32">>, tensor<?x?x32xf32, #onnx.dims<"b", "s", "32">>,
         !onnx.none, !onnx.none, tensor<?xi32, #onnx.dims<"b">>, tensor<1xi32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// A bias may be broadcast over batches and rows; a call for which the sizes differ otherwise is refused.
// CHECK-LABEL: @bias
// CHECK-DAG: program.guard "rows" equals "keys"
// CHECK-DAG: program.guard "batches" equals "b"
func.func @bias(%q: tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, %last: tensor<?xi32, #onnx.dims<"b">>, %total: tensor<1xi32>,
                %bias: tensor<?x4x?x?xf32, #onnx.dims<"batches", "4", "rows", "keys">>) -> tensor<*xf32> {
  %none = onnx.none
  %y = onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %q, %q, %none, %none, %last, %total, %none, %none, %none, %bias)
      attributes {num_heads = 4 : i64, kv_num_heads = 4 : i64}
      : (tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>, tensor<?x?x64xf32, #onnx.dims<"b", "s", "64">>,
         !onnx.none, !onnx.none, tensor<?xi32, #onnx.dims<"b">>, tensor<1xi32>, !onnx.none, !onnx.none, !onnx.none,
         tensor<?x4x?x?xf32, #onnx.dims<"batches", "4", "rows", "keys">>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
